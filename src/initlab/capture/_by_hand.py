"""Parameters that a model adds, or bends, by hand: biases, betas, decays."""

import math

import torch
from torch import Tensor

from initlab.capture import _measure as measure
from initlab.capture._graph import Node
from initlab.capture._operations import ACTIVATION_OF
from initlab.capture._records import NormRecord, UseRecord
from initlab.capture._trace import FunctionCall, Trace

_ADDS = frozenset({"add", "radd", "iadd"})
_DIVISIONS = frozenset({"div", "idiv", "divide", "true_divide", "truediv", "itruediv"})
# Beside masks, what may be nan or infinite of finite parameters.
_MAY_OVERFLOW = frozenset(
    {
        *("exp", "exp2", "expm1", "pow", "rpow", "square", "cosh", "sinh", "sqrt"),
        *("log", "log10", "log1p", "log2", "reciprocal", "rsqrt"),
        *("div", "truediv", "rtruediv", "divide"),
    }
)
# Beyond this share of a type's largest number, a product with it soon overflows.
_NEARLY = 0.1
# Below and above these numbers a parameter is out of reach. Decays of .9999 are in use,
# and so are steps of a thousandth.
_FLAT = {
    "sigmoid": (-7.5, 10.0),
    "tanh": (-4.0, 4.0),
    "softplus": (-9.0, math.inf),
    "exp": (-11.0, math.inf),
}


def enter_shift(trace: Trace, node: Node, call: FunctionCall, output: Tensor) -> None:
    """Take what is added to a layer's whole output, one number per unit, for its bias.

    What is added behind a normalization is taken for its beta.
    """
    tensors = [t for t in call.args if isinstance(t, Tensor)]
    weights = [t for t in tensors if trace.is_weight(t)]
    if call.name not in _ADDS or len(weights) != 1 or len(tensors) != 2:
        return
    (added,) = weights
    sources = trace.sources(added)
    below = trace.graph.signal_inputs(node)
    if len(sources) != 1 or len(below) != 1 or trace.is_derived(added):
        return
    source = trace.graph.nodes[below[0]]
    while source.kind == "view" and len(source.inputs) == 1:
        source = trace.graph.nodes[source.inputs[0]]
    if source.use is not None:
        record = trace.records.uses[source.use]
        if _enter_bias(record, sources[0], added):
            measure.came_out(trace, record, output)
    elif source.kind in ("sum", "shift") and source.owner is not None:
        _enter_bias(trace.records.uses[source.owner], sources[0], added)
    norm = _normalization(trace, source)
    if norm is not None and norm.beta is None:
        norm.beta, norm.beta_rms = sources[0], measure.rms_of(trace, added)


def _enter_bias(record: UseRecord, name: str, added: Tensor) -> bool:
    """Record a bias; return whether it is one."""
    if record.bias is not None or record.calls > 1 or record.role:
        return False
    if added.numel() != record.units or record.layer.kind == "embedding":
        return False
    record.bias, record.bias_value = name, added
    given = record.values.get("given_rms", math.nan)
    record.values["biased_off"], record.values["biased_on"] = measure.biased(
        record, given
    )
    return True


def _normalization(trace: Trace, node: Node) -> NormRecord | None:
    """Return the normalization that a node is, apart from its factor."""
    while node.kind in ("scale", "view"):
        below = trace.graph.signal_inputs(node)
        if len(below) != 1:
            return None
        node = trace.graph.nodes[below[0]]
    return next((n for n in trace.records.norms if n.node == node.number), None)


def bent_parameter(trace: Trace, call: FunctionCall) -> None:
    """Record a parameter whose entries all lie where a squashing function is flat.

    Examples are a decay that is a sigmoid of -10, and a step that is a softplus of -20.
    """
    name = ACTIVATION_OF.get(call.name, call.name)
    if name not in _FLAT or not trace.is_weight(call.given):
        return
    sources = trace.sources(call.given)
    if len(sources) != 1:
        return
    if call.given.is_complex() or not call.given.numel():
        return
    low, high = _FLAT[name]
    least, most = (float(end) for end in call.given.detach().aminmax())
    if most < low or least > high:
        trace.records.flat[sources[0]] = name


def _divided_by_zero(trace: Trace, call: FunctionCall) -> None:
    """Record the parameter that stands for itself in a division, and has zeros."""
    by = call.args[1] if len(call.args) > 1 else call.kwargs.get("other")
    if not isinstance(by, torch.Tensor) or not trace.is_weight(by):
        return
    sources = trace.sources(by)
    if len(sources) == 1 and not bool(by.detach().all()):
        trace.records.overflows.setdefault(sources[0], "reciprocal")


def overflowing_parameter(trace: Trace, call: FunctionCall, output: Tensor) -> None:
    """Record finite parameters whose function overflows, or nearly does."""
    if call.name in _DIVISIONS:
        _divided_by_zero(trace, call)
    if call.name not in _MAY_OVERFLOW or not trace.is_weight(output):
        return
    sources = trace.sources(output)
    values = [trace.parameters[name] for name in sources]
    if not output.is_floating_point() or not output.numel():
        return
    limit = _NEARLY * torch.finfo(output.dtype).max
    beyond = not bool((output.abs() <= limit).all())
    if beyond and all(bool(torch.isfinite(one).all()) for one in values):
        for name in sources:
            trace.records.overflows.setdefault(name, call.name)
