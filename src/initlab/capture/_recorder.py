"""A model run once, and written down: one mechanism for modules and functions alike.

A `TorchFunctionMode` sees every function of torch that the model calls, in order, with
its tensors; hooks around all modules say in whose forward it was called. Which tensor
came out of which is kept by identity, so that registration plays no part.
"""

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary, WeakTensorKeyDictionary

from initlab.capture import _measure as measure
from initlab.capture._batch import tensors_in
from initlab.capture._graph import Graph, Node
from initlab.capture._layers import LayerCall, layer_calls, recurrent_calls
from initlab.capture._operations import ACTIVATION_OF, CONSTANTS, kind_of, name_of
from initlab.capture._patterns import (
    divides_by_own_size,
    follows_product,
    product_width,
    self_gated,
)
from initlab.capture._records import NormRecord, Records, UseRecord

# Of `dropout_p` among the arguments of `multi_head_attention_forward`.
_DROPOUT_PLACE = 10
# Views of a signal, in the sense that the layer whose output it was still owns it.
_KEEPS_OWNER = frozenset(
    {
        "view",
        "norm",
        "sum",
        "shift",
        "pool",
        "average",
        "reduction",
        "factor",
        "scale",
        "cat",
        "dropout",
    }
)


class Recorder(TorchFunctionMode):
    """Builds the graph and the records of what runs inside `with`.

    Attributes:
        graph: Nodes in order of execution.
        records: Layers, normalizations, attentions and what was measured.
        pass_name: Under which gradients that come back are summed; None: not at all.
        tokens_first: Whether signals are `(token, example, feature)` for now.
    """

    def __init__(self, model: nn.Module, inputs: list[Tensor]) -> None:
        super().__init__()
        self.graph = Graph()
        self.records = Records()
        self.pass_name: str | None = None
        self._paths = {id(m): name for name, m in model.named_modules()}
        self._modules = dict(model.named_modules())
        self._node_of: WeakIdKeyDictionary = WeakTensorKeyDictionary()
        self._uses: dict[tuple[Any, ...], UseRecord] = {}
        self._stack: list[str] = [""]
        self._bodies: dict[Any, Callable[..., Any]] = {}
        # Inside `multi_head_attention_forward`, tokens are the first axis.
        self.tokens_first = False
        for name, parameter in model.named_parameters():
            node = self.graph.add(kind="parameter", name=name)
            self._node_of[parameter] = node.number
        for number, tensor in enumerate(inputs):
            node = self.graph.add(kind="input", name=str(number))
            self._node_of[tensor] = node.number

    @property
    def where(self) -> str:
        """Path of the module that is running; after an exception, that failed."""
        return self._stack[-1]

    def node_of(self, tensor: Tensor) -> int | None:
        """Return the number of the node that a tensor came out of."""
        return self._node_of.get(tensor)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types_: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one function, and write down what it did."""
        kwargs = kwargs or {}
        name = name_of(func)
        if name == "attribute" or name in CONSTANTS:
            return func(*args, **kwargs)
        if "dropout" in name:
            return args[0] if args else kwargs["input"]
        if name == "multi_head_attention_forward":
            return self._run_body(func, args, kwargs | {"dropout_p": 0.0})
        if name == "hardtanh" and _rectifies(args, kwargs):
            name = "relu6"
        kind = kind_of(name)
        if kind == "recurrent":
            args = _without_dropout(name, args)
        elif kind == "attention":
            args, kwargs = args[:4] + (0.0,) * (len(args) > 4) + args[5:], {
                k: v for k, v in kwargs.items() if k != "dropout_p"
            }  # fmt: skip
        tensors = [t for t in _leaves((args, kwargs)) if isinstance(t, Tensor)]
        inputs = tuple(
            dict.fromkeys(n for t in tensors if (n := self.node_of(t)) is not None)
        )
        if not inputs:
            return func(*args, **kwargs)
        with torch.no_grad():
            flat = self._before(kind, name, func, args, kwargs)
        result = func(*args, **kwargs)
        # What is written into a tensor is in it from then on.
        changed = args[:1] if name == "setitem" else result
        outputs = [t for t in _leaves(changed) if isinstance(t, Tensor)]
        if outputs:
            with torch.no_grad():
                self._enter(kind, name, args, kwargs, inputs, outputs, flat)
        return result

    def _is_fresh(self, signal: Tensor) -> bool:
        """Whether a signal is what the first layer made of the inputs.

        Further up, a learned token may be the trunk, and the signal its quiet branch.
        """
        mask = self.graph.ancestors(self.node_of(signal) or 0)
        before = [n for n in self.graph.nodes if mask >> n.number & 1]
        layers = sum(node.kind == "layer" for node in before)
        kinds = {node.kind for node in before}
        return layers == 1 and not kinds & {"norm", "attention", "factor", "unary"}

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
        before, self.tokens_first = self.tokens_first, True
        try:
            with self:
                return body(*args, **kwargs)
        finally:
            self.tokens_first = before

    def _before(
        self,
        kind: str,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Measure what an in-place function would overwrite."""
        if kind == "activation":
            (given, *more) = args if args else (kwargs["input"],)
            if not isinstance(given, Tensor):
                return None
            owner = self._owner(given)
            if owner is None or owner.activation:
                return None
            extra = {k: v for k, v in kwargs.items() if k not in ("input", "inplace")}
            return measure.entered_activation(
                owner, ACTIVATION_OF[name], func, given, tuple(more), extra
            )
        if kind == "sum":
            found = [t for t in args if isinstance(t, Tensor)]
            signals = [t for t in found if self._is_signal(t)]
            if len(signals) == 2 and signals[0] is not signals[1]:
                return [measure.rms_of(t) for t in signals]
            if len(found) == 2 and len(signals) == 1:
                first, second = found
                self._added(signals[0], second if first is signals[0] else first)
        return None

    def _added(self, signal: Tensor, other: Tensor) -> None:
        """Write down how large a parameter is beside the signal it is added to."""
        sources = self._sources(other)
        if len(sources) != 1 or other.numel() < 2 or not signal.is_floating_point():
            return
        if not self._is_fresh(signal):
            return
        size = measure.rms_of(signal)
        if size > 0:
            ratios = self.records.added
            ratio = measure.rms_of(other) / size
            ratios[sources[0]] = max(ratios.get(sources[0], 0.0), ratio)

    def _enter(
        self,
        kind: str,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        inputs: tuple[int, ...],
        outputs: list[Tensor],
        before: Any,
    ) -> None:
        calls: list[LayerCall] = []
        complex_ = any(isinstance(a, Tensor) and a.is_complex() for a in args)
        if complex_:
            pass  # no law is known of what a Fourier transform weighs
        elif kind in ("layer", "product"):
            calls = layer_calls(name, args, kwargs, self._is_weight)
            if kind == "product" and not all(self._is_signal(c.given) for c in calls):
                calls = []  # parameters made into a weight: a parametrization
        elif kind == "recurrent":
            calls = recurrent_calls(name, args, kwargs, self._is_weight)
        if calls:
            self._enter_layers(name, calls, inputs, outputs[0])
            for more in outputs[1:]:
                self._node_of[more] = self._node_of[outputs[0]]
            return
        label = ACTIVATION_OF.get(name, name)
        if kind == "factor" and (gated := self_gated(self.graph, inputs)):
            kind, label, inputs = "activation", gated[0], (gated[1],)
        elif kind == "factor" and divides_by_own_size(self.graph, inputs):
            kind, label = "norm", "rms_norm"
        if kind in ("sum", "factor") and self._signals(inputs) < 2:
            kind = "shift" if kind == "sum" else "scale"
        if kind == "scale":
            self._scaled_norm(inputs, args)
        node = self.graph.add(
            kind=kind,
            name=label,
            inputs=inputs,
            module=self.where,
            parts=len(outputs),
            owner=self._owner_of(kind, inputs),
        )
        if kind == "product" and isinstance(args[0], Tensor):
            node.width = args[0].shape[-1]
        for output in outputs:
            self._node_of[output] = node.number
        self._measure_node(node, name, args, kwargs, outputs, before)

    def _measure_node(
        self,
        node: Node,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: list[Tensor],
        before: Any,
    ) -> None:
        records = self.records
        if node.kind == "activation":
            owner = records.uses[node.owner] if node.owner is not None else None
            if owner is not None and name != node.name and name in _PRODUCTS:
                owner.activation = ""  # what seemed to be one was only its gate
                owner.values.pop("saturated_share", None)
                owner.values.pop("inactive_units", None)
            if owner is not None and not owner.activation:
                node.slope = measure.left_activation(
                    owner, node.name, args, kwargs, outputs[0], before
                )
        elif node.kind == "sum" and before is not None:
            records.sums[node.number] = (*before, measure.rms_of(outputs[0]))
        elif node.kind == "norm" and self.graph.carries_signal(node.number):
            # Weights are standardized by the same functions.
            self._enter_norm(node, name, self._gamma(args, kwargs))
        elif node.kind == "attention":
            records.attentions.append(measure.fused_attention(node, args, kwargs))
        elif node.kind == "softmax" and follows_product(self.graph, node):
            given = args[0] if args else kwargs["input"]
            records.attentions.append(
                measure.plain_attention(node, given, product_width(self.graph, node))
            )
        elif node.kind == "scale":
            names = [
                self.graph.nodes[n].name
                for n in node.inputs
                if self.graph.nodes[n].kind == "parameter"
            ]
            if names:
                records.scaled_by[node.number] = names[0]

    def _enter_layers(
        self,
        name: str,
        calls: list[LayerCall],
        inputs: tuple[int, ...],
        output: Tensor,
    ) -> None:
        below = inputs
        for number, call in enumerate(calls):
            sources = self._sources(call.weight)
            # Slices of one parameter are weights of their own.
            slice_ = (call.weight.storage_offset(), tuple(call.weight.shape))
            key = (sources, self.where, name, call.role, slice_)
            record = self._uses.get(key)
            node = self.graph.add(
                kind="layer", name=name, inputs=below, module=self.where
            )
            if record is None:
                record = self._new_use(name, call, sources, node)
                self._uses[key] = record
            else:
                record.calls += 1
                record.nodes.append(node.number)
            node.use = node.owner = record.number
            last = number == len(calls) - 1
            if call.role and number == 0 and not last:
                record.values.setdefault("given_rms", measure.rms_of(call.given))
            measure.layer_output(self, record, call, output if last else None)
            below = (node.number,)
        self._node_of[output] = below[0]

    def _new_use(
        self, name: str, call: LayerCall, sources: tuple[str, ...], node: Node
    ) -> UseRecord:
        derived = self._is_derived(call.weight)
        bias = self._sources(call.bias) if call.bias is not None else ()
        record = UseRecord(
            number=len(self.records.uses),
            node=node.number,
            nodes=[node.number],
            module=self.where,
            sources=sources,
            bias=bias[0] if bias else None,
            operation=name,
            layer=call.layer,
            rows=call.rows,
            units=len(call.rows) if call.layer.kind != "embedding"
            else call.layer.shape[1],
            unit_axis=call.unit_axis,
            stored_transposed=call.stored_transposed,
            derived=derived,
            role=call.role,
            bias_value=call.bias,
        )  # fmt: skip
        self.records.uses.append(record)
        return record

    def _is_derived(self, weight: Tensor) -> bool:
        """Whether a weight is computed of parameters, and no view of one."""
        number = self.node_of(weight)
        if number is None:
            return False
        node = self.graph.nodes[number]
        while node.kind == "view":  # of its first input; others only lend a shape
            node = self.graph.nodes[node.inputs[0]]
        return node.kind != "parameter"

    def _enter_norm(self, node: Node, name: str, gamma: Tensor | None) -> None:
        sources = self._sources(gamma) if gamma is not None else ()
        record = NormRecord(
            node=node.number,
            module=self.where,
            kind=name if name in _NORMS else node.name,
            gamma=sources[0] if sources else None,
        )
        if gamma is not None and sources:
            record.gamma_rms = measure.rms_of(gamma)
            record.gamma_zero = float((gamma == 0).float().mean())
        self.records.norms.append(record)

    def _scaled_norm(self, inputs: tuple[int, ...], args: tuple[Any, ...]) -> None:
        """Take for a gamma what multiplies a signal that was normalized by hand."""
        signal = next((n for n in inputs if self.graph.carries_signal(n)), None)
        while signal is not None and self.graph.nodes[signal].kind == "view":
            signal = next(
                iter(self.graph.signal_inputs(self.graph.nodes[signal])), None
            )
        gammas = [a for a in args if isinstance(a, Tensor) and self._is_weight(a)]
        norm = next((n for n in self.records.norms if n.node == signal), None)
        if norm is None or norm.gamma is not None or len(gammas) != 1:
            return
        sources = self._sources(gammas[0])
        if len(sources) == 1:
            norm.gamma = sources[0]
            norm.gamma_rms = measure.rms_of(gammas[0])
            norm.gamma_zero = float((gammas[0] == 0).float().mean())

    def _gamma(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        given = kwargs.get("weight")
        if isinstance(given, Tensor):
            return given
        weights = [t for t in args if isinstance(t, Tensor) and self._is_weight(t)]
        return weights[0] if weights else None

    def _signals(self, inputs: tuple[int, ...]) -> int:
        return sum(map(self.graph.carries_signal, inputs))

    def _is_signal(self, tensor: Tensor) -> bool:
        number = self.node_of(tensor)
        return number is not None and self.graph.carries_signal(number)

    def _is_weight(self, tensor: Tensor) -> bool:
        number = self.node_of(tensor)
        return number is not None and not self.graph.is_signal(number)

    def _sources(self, tensor: Tensor) -> tuple[str, ...]:
        number = self.node_of(tensor)
        if number is None:
            return ()
        mask = self.graph.ancestors(number)
        return tuple(
            node.name
            for node in self.graph.nodes
            if node.kind == "parameter" and mask >> node.number & 1
        )

    def _owner(self, tensor: Tensor) -> UseRecord | None:
        number = self.node_of(tensor)
        owner = None if number is None else self.graph.nodes[number].owner
        return None if owner is None else self.records.uses[owner]

    def _owner_of(self, kind: str, inputs: tuple[int, ...]) -> int | None:
        owners = [o for n in inputs if (o := self.graph.nodes[n].owner) is not None]
        if kind == "activation":
            return owners[0] if owners else None
        return max(owners) if owners and kind in _KEEPS_OWNER else None

    @contextmanager
    def around_modules(self) -> Iterator[None]:
        """Follow which module runs, inside."""
        before = hooks.register_module_forward_pre_hook(self._module_starts)
        after = hooks.register_module_forward_hook(self._module_ends)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def _module_starts(self, module: nn.Module, _args: Any) -> None:
        path = self._paths.get(id(module))
        self._stack.append(self._stack[-1] if path is None else path)

    def _module_ends(self, module: nn.Module, args: Any, result: Any) -> None:
        """Bridge what torch's functions did not show, and see norms as one thing."""
        inputs = tuple(
            dict.fromkeys(
                n for t in tensors_in(args) if (n := self.node_of(t)) is not None
            )
        )
        outputs = tensors_in(result)
        if inputs and outputs:
            hidden = any(
                self.node_of(t) is None and _may_come_of(t, args) for t in outputs
            )
            norm = _is_norm(module) and not any(
                (n := self.node_of(t)) is not None
                and self.graph.nodes[n].kind == "norm"
                for t in outputs
            )
            if hidden or norm:
                self._bridge(module, "norm" if norm else "other", inputs, outputs)
        self._stack.pop()

    def _bridge(
        self,
        module: nn.Module,
        kind: str,
        inputs: tuple[int, ...],
        outputs: list[Tensor],
    ) -> None:
        node = self.graph.add(
            kind=kind,
            name="rms_norm" if kind == "norm" else type(module).__name__,
            inputs=inputs,
            module=self.where,
            owner=self._owner_of(kind, inputs),
        )
        for output in outputs:
            if kind == "norm" or self.node_of(output) is None:
                self._node_of[output] = node.number
        if kind == "norm":
            gamma = next((p for p in module.parameters() if p.dim() == 1), None)
            self._enter_norm(node, "rms_norm", gamma)
            # Where 1 is added to gamma, 0 is what 1 is elsewhere.
            if bool(outputs[0].detach().any()):
                self.records.norms[-1].gamma_zero = 0.0


_PRODUCTS = frozenset({"mul", "rmul", "imul", "multiply"})
_NORMS = frozenset(
    {"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"}
)


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


def _rectifies(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a hard tanh is cut off at 0: that is how PyTorch's ReLU6 is made."""
    low = args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)
    return isinstance(low, float | int) and low >= 0


def _without_dropout(name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of `_VF.lstm` and its like with dropout 0."""
    if "cell" in name:
        return args
    return tuple(0.0 if isinstance(a, float) else a for a in args)


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, tuple | list):
        for value in tree:
            yield from _leaves(value)
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _leaves(value)
