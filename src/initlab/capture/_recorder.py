"""A model run once and recorded, by one mechanism for modules and functions alike.

A `TorchFunctionMode` sees every function of torch that the model calls, in order, with
its tensors; hooks around all modules (`_modules`) say in whose forward it was called.
"""

import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from initlab.capture import _measure as measure
from initlab.capture._by_hand import bent_parameter
from initlab.capture._enter import enter, enter_again
from initlab.capture._mapped import is_mapped
from initlab.capture._moments import as_real, moments
from initlab.capture._operations import CHAINS, CONSTANTS, LENDS, kind_of, name_of
from initlab.capture._rectifiers import rectified
from initlab.capture._rounds import Rounds
from initlab.capture._trace import FunctionCall, Trace

# Nobody starts a model's own tokens at more.
_LOUD_TRUNK = 10.0
# A smaller number that is added to logits forbids something.
_FORBIDS = -1e3
# The place of `dropout_p` among the arguments of `multi_head_attention_forward`.
_DROPOUT_PLACE = 10


class Recorder(TorchFunctionMode):
    """Writes into a trace what runs inside `with`."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace
        self._rounds = Rounds(trace)
        self._bodies: dict[Any, Callable[..., Any]] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types_: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one function, and record what it did."""
        kwargs = kwargs or {}
        name = name_of(func)
        if name == "attribute" or name in CONSTANTS:
            return func(*args, **kwargs)
        if "dropout" in name:
            return args[0] if args else kwargs["input"]
        if name == "multi_head_attention_forward":
            return self._run_body(func, args, kwargs | {"dropout_p": 0.0})
        if name == "cosine_similarity":
            return self._run_cosine(*args, **kwargs)
        if name in CHAINS and not kwargs:
            return self._run_chain(list(_tensors(args)))
        kind = kind_of(name)
        if kind == "recurrent":
            args = _without_dropout(name, args)
        elif kind == "attention":
            args, kwargs = args[:4] + (0.0,) * (len(args) > 4) + args[5:], {
                k: v for k, v in kwargs.items() if k != "dropout_p"
            }  # fmt: skip
        given = tuple(_tensors((args, kwargs)))
        if is_mapped():
            self._trace.hide(given)
            return func(*args, **kwargs)
        self._trace.uncover(given)
        self._trace.note_strays(given)
        inputs = self._trace.nodes_of(given[:1] if name in LENDS else given)
        if not inputs:
            return func(*args, **kwargs)
        call = FunctionCall(
            kind=kind, name=name, args=args, kwargs=kwargs, tensors=given, inputs=inputs
        )
        likeness = self._rounds.likeness(call)
        known = self._rounds.known(likeness, call)
        if known is None:
            with torch.no_grad():
                if cut := rectified(name, args, kwargs):
                    call = self._as_rectifier(*cut)
                sizes = self._before(call, func)
        result = func(*args, **kwargs)
        # What is written into a tensor is in it from then on.
        outputs = list(_tensors(args[:1] if name == "setitem" else result))
        if known is not None:
            enter_again(self._trace, known, outputs)
        elif outputs:
            with torch.no_grad():
                node = enter(self._trace, call, outputs, sizes)
            self._rounds.entered(likeness, node)
        return result

    def _as_rectifier(self, name: str, given: Tensor) -> FunctionCall:
        one = (given,)
        return FunctionCall(
            kind="activation", name=name, args=one, kwargs={}, tensors=one,
            inputs=self._trace.nodes_of(one),
        )  # fmt: skip

    def _run_body(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a function of torch that is written in Python with its calls seen."""
        body = self._bodies.get(func)
        if body is None:
            names = dict(func.__globals__)
            names["has_torch_function"] = lambda _: False
            body = types.FunctionType(
                func.__code__, names, func.__name__, func.__defaults__
            )
            body.__kwdefaults__ = func.__kwdefaults__
            self._bodies[func] = body
        if len(args) > _DROPOUT_PLACE:
            args = (*args[:_DROPOUT_PLACE], 0.0, *args[_DROPOUT_PLACE + 1 :])
            kwargs = {k: v for k, v in kwargs.items() if k != "dropout_p"}
        trace = self._trace
        before, trace.tokens_first = trace.tokens_first, True
        try:
            with self:
                return body(*args, **kwargs)
        finally:
            trace.tokens_first = before

    def _run_cosine(
        self, x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
    ) -> Tensor:
        """Multiply vectors that are normalized, as they are in a cosine, and sum up."""
        axis = dim if dim < 0 else dim - max(x1.dim(), x2.dim())
        with self:
            first, second = (
                torch.nn.functional.normalize(x, dim=axis, eps=eps) for x in (x1, x2)
            )
            return (first * second).sum(dim=axis)

    def _run_chain(self, factors: list[Tensor]) -> Tensor:
        """Multiply matrices, from the first signal on, with every product seen."""
        at = next((n for n, t in enumerate(factors) if self._trace.is_signal(t)), 0)
        product = factors[at]
        with self:
            for factor in factors[at + 1 :]:
                product = product @ factor
            for factor in factors[:at][::-1]:
                product = factor @ product
        return product

    def _before(
        self, call: FunctionCall, func: Callable[..., Any]
    ) -> tuple[float, float] | None:
        """Measure what an in-place function would overwrite; return a sum's sizes."""
        if call.kind == "activation":
            self._before_activation(call, func)
        elif call.name == "exp" and isinstance(call.given, Tensor):
            bent_parameter(self._trace, call)
        elif call.kind == "cat":
            measure.side_by_side(self._trace, call.tensors)
        elif call.kind == "sum":
            found = [t for t in call.args if isinstance(t, Tensor)]
            signals = [t for t in found if self._trace.is_signal(t)]
            if len(signals) == 2 and signals[0] is not signals[1]:
                first, second = (measure.rms_of(self._trace, t) for t in signals)
                return first, second
            if len(found) == 2 and len(signals) == 1:
                other = next(t for t in found if t is not signals[0])
                self._added(signals[0], other)
        return None

    def _before_activation(self, call: FunctionCall, func: Callable[..., Any]) -> None:
        if not isinstance(call.given, Tensor):
            return
        owner = self._trace.owner(call.given)
        if owner is None:
            bent_parameter(self._trace, call)
            return
        if owner.activation:
            measure.entered_gate(self._trace, owner, call, func)
        else:
            measure.entered_activation(self._trace, owner, call, func)

    def _added(self, signal: Tensor, other: Tensor) -> None:
        """Record how large a parameter or a constant is beside what it is added to."""
        sources, owner = self._trace.sources(other), self._trace.owner(signal)
        if other.numel() < 2 or not signal.is_floating_point():
            return
        if owner is not None and self._trace.node_of(other) is None:
            measure.beside_constant(self._trace, owner, signal, _allowed_rms(other))
        if len(sources) != 1:
            return
        is_bias = owner is not None and other.numel() == owner.units
        if is_bias:
            return
        size, added = measure.rms_of(self._trace, signal), _allowed_rms(other)
        # Further up it may be the trunk, and the signal its quiet branch.
        may_drown = self._trace.is_fresh(signal) or added > _LOUD_TRUNK
        if size > 0 and may_drown:
            ratios, ratio = self._trace.records.added, added / size
            ratios[sources[0]] = max(ratios.get(sources[0], 0.0), ratio)


def _allowed_rms(added: Tensor) -> float:
    """Return the root mean square without entries that forbid, as a CRF's -10,000."""
    values = as_real(added.detach())
    return moments(values[values > _FORBIDS]).rms


def _without_dropout(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of `_VF.lstm` and its like with dropout 0."""
    if "cell" in name:
        return args
    return tuple(0.0 if isinstance(a, float) else a for a in args)


def _tensors(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, tuple | list):
        for value in tree:
            yield from _tensors(value)
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _tensors(value)
