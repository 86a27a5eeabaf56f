"""Hooks around all modules: whose forward runs, and what torch's functions hid."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks

from initlab.capture._batch import tensors_in
from initlab.capture._mapped import is_mapped
from initlab.capture._norms import enter_norm
from initlab.capture._trace import Trace


@contextmanager
def around_modules(trace: Trace, model: nn.Module) -> Iterator[None]:
    """Follow which module of a model runs, inside; of one that fails, which it was."""
    paths = {id(module): name for name, module in model.named_modules()}
    # Such hooks are called in every thread, for any model that runs there.
    own = threading.get_ident()

    def starts(module: nn.Module, _args: Any) -> None:
        if threading.get_ident() == own:
            trace.running.append(paths.get(id(module), trace.where))

    def ends(module: nn.Module, args: Any, result: Any) -> None:
        if threading.get_ident() != own:
            return
        trace.note_failure(sys.exc_info()[1])
        if result is not None and not is_mapped():
            _bridge(trace, module, args, tensors_in(result))
        trace.running.pop()

    before = hooks.register_module_forward_pre_hook(starts)
    # Whoever calls a module may catch what it raises, and go on.
    after = hooks.register_module_forward_hook(ends, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()


def _bridge(trace: Trace, module: nn.Module, args: Any, outputs: list[Tensor]) -> None:
    """Connect outputs with inputs where no function did, and see norms as one thing."""
    trace.uncover(outputs)
    inputs = trace.nodes_of(tensors_in(args))
    if not inputs or not outputs:
        return
    nodes = trace.graph.nodes
    is_norm = not any(
        nodes[number].kind == "norm" for number in trace.nodes_of(outputs)
    ) and _is_norm(module)
    hidden = [t for t in outputs if trace.node_of(t) is None]
    if not is_norm and not any(_may_come_of(t, args) for t in hidden):
        return
    kind = "norm" if is_norm else "other"
    node = trace.graph.add(
        kind=kind,
        name="rms_norm" if is_norm else type(module).__name__,
        inputs=inputs,
        module=trace.where,
        owner=trace.owner_of(kind, inputs),
    )
    trace.came_out(outputs if is_norm else hidden, node)
    if is_norm:
        gamma = next((p for p in module.parameters() if p.dim() == 1), None)
        record = enter_norm(trace, node, "rms_norm", gamma)
        # Where 1 is added to gamma, 0 is what 1 is elsewhere.
        if bool(outputs[0].detach().any()):
            record.gamma_zero = 0.0


def _is_norm(module: nn.Module) -> bool:
    name = type(module).__name__.lower()
    return (
        "norm" in name
        and "parametrization" not in type(module).__module__
        and not any(True for _ in module.children())
        and all(p.dim() <= 1 or p[0].numel() == 1 or len(p) == 1
                for p in module.parameters())
    )  # fmt: skip


def _may_come_of(output: Tensor, given: Any) -> bool:
    """Whether autograd does not contradict that a tensor was made of others."""
    return output.requires_grad or not any(t.requires_grad for t in tensors_in(given))
