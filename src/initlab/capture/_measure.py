"""What is measured where a function runs, and where its gradient comes back."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from initlab.capture._layer_call import LayerCall
from initlab.capture._moments import (
    as_real,
    cosines,
    is_zero,
    moments,
    row_norms,
    spread,
    token_cosine,
)
from initlab.capture._operations import ACTIVATION_OF
from initlab.capture._records import DeltaSums, UseRecord
from initlab.capture._slopes import flatness
from initlab.capture._trace import FunctionCall, Trace

# Standard deviations that no input is expected to pass.
_REACH = 4.0
_TWO_SIDED = frozenset({"tanh", "hardtanh"})
_GATES = frozenset({"sigmoid", "hardsigmoid", *_TWO_SIDED})
# What lies between a layer and the gates that are cut out of what it gives.
_BEFORE_GATES = frozenset({"view", "sum", "shift", "norm"})


def rms_of(trace: Trace, tensor: Tensor) -> float:
    """Return the root mean square of a tensor's entries."""
    return trace.once(moments, tensor).rms


def layer_output(
    trace: Trace, record: UseRecord, call: LayerCall, output: Tensor | None
) -> None:
    """Measure what a layer gave, and wait for the gradient by it.

    Args:
        trace: Whose passes the gradients belong to.
        record: Of the use.
        call: With the weight.
        output: None where the function hides it, as between the layers of an LSTM.
    """
    if output is None:
        return
    if record.calls == 1:
        found = record.values
        came_out(trace, record, output)
        found["output_positions"] = output.numel() / max(1, record.units)
        if call.given is not None and call.given.is_floating_point():
            given = trace.once(moments, call.given)
            signal = _examples_first(trace, call.given)
            size = math.prod((rms_of(trace, t) for t in call.beside), start=given.rms)
            found["given_mean"], found["given_rms"] = given.mean, size
            found["given_cosine"] = trace.once(cosines, signal)[1]
            found["given_std"] = given.std
            found["given_spread"] = trace.once(spread, call.given)
            found["token_cosine"] = trace.once(token_cosine, signal)
            found["biased_off"], found["biased_on"] = biased(record, size)
    if call.given is not None and is_zero(record.rows):
        record.entered += [call.given, *call.beside]
    watch_delta(trace, record, output)


def came_out(trace: Trace, record: UseRecord, output: Tensor) -> None:
    """Measure the numbers that a layer gave, its bias among them."""
    found, m = record.values, trace.once(moments, output)
    found["preactivation_mean"], found["preactivation_std"] = m.mean, m.std
    found["preactivation_rms"] = m.rms
    found["nonfinite_outputs"] = float(m.nonfinite)
    found["largest_output"] = _largest(output)
    found["cosine"], found["centred_cosine"] = trace.once(
        cosines, _examples_first(trace, output)
    )


def _largest(tensor: Tensor) -> float:
    if not tensor.numel():
        return math.nan
    low, high = as_real(tensor.detach()).aminmax()
    return float(torch.maximum(-low, high))


def _examples_first(trace: Trace, signal: Tensor) -> Tensor:
    """Return a signal with the axis of examples, and then of tokens, in front."""
    swapped = trace.tokens_first and signal.dim() == 3
    return signal.transpose(0, 1) if swapped else signal


def biased(record: UseRecord, input_rms: float) -> tuple[float, float]:
    """Return the shares of units that their bias keeps below zero, and above.

    Of inputs of this size, one in thirty thousand reaches as far.
    """
    bias, rows = record.bias_value, record.rows
    if bias is None or bias.numel() != len(rows):
        return 0.0, 0.0
    reach = _REACH * input_rms * row_norms(rows.float())
    values = bias.detach().float().flatten()
    if bool((values.abs() <= reach).all()):
        return 0.0, 0.0
    off = (values < -reach) & (values < 0)
    on = (values > reach) & (values > 0)
    return float(off.float().mean()), float(on.float().mean())


def watch_delta(
    trace: Trace, record: UseRecord, output: Tensor, calls: int = 1
) -> None:
    """Sum up the gradients by a layer's output when a pass brings them.

    Args:
        trace: Whose passes they belong to.
        record: Of the layer's use.
        output: Of one call.
        calls: For how many it stands.
    """
    if not output.requires_grad:
        return
    deltas = trace.records.deltas

    def arrived(delta: Tensor | None) -> None:
        # An LSTM of which only the last state is read has none for its outputs.
        if trace.pass_name is None or delta is None:
            return
        sums = deltas.setdefault((trace.pass_name, record.number), DeltaSums())
        m, count = moments(delta), calls * delta.numel()
        sums.count += count
        if math.isfinite(m.rms):
            sums.total += m.mean * count
            sums.squares += m.rms**2 * count
        if delta.dtype in (torch.float16, torch.bfloat16):
            sizes, smallest = delta.detach().abs(), torch.finfo(delta.dtype).tiny
            sums.zeros += calls * int((sizes == 0).sum())
            sums.subnormal += calls * int(((sizes > 0) & (sizes < smallest)).sum())

    output.register_hook(arrived)  # type: ignore[no-untyped-call]


def entered_activation(
    trace: Trace, owner: UseRecord, call: FunctionCall, func: Callable[..., Any]
) -> None:
    """Measure the slopes of an activation, before it may overwrite what it is given."""
    given = call.given
    axis = _unit_axis(owner, given)
    if axis is None or not given.is_floating_point():
        return
    if call.name == "glu":
        axis = call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else -1)
        _entered_glu(owner, given.chunk(2, dim=axis)[1], axis)
    elif call.name != "prelu" or _is_of_slope_zero(call):
        share, inactive, units = (
            flatness("relu", torch.relu, given, axis) if call.name == "prelu"
            else _flatness(call, func, axis)
        )  # fmt: skip
        owner.values["saturated_share"] = share
        owner.values["inactive_units"] = float(inactive)
        owner.values["activation_units"] = float(units)
        owner.values["into_tanh"] = float(ACTIVATION_OF[call.name] in _TWO_SIDED)
        entering = trace.once(moments, given)
        owner.values["entering_rms"] = entering.rms
        owner.values["entering_mean"] = entering.mean


def _is_of_slope_zero(call: FunctionCall) -> bool:
    """Whether a PReLU starts as a ReLU."""
    slope = call.args[1] if len(call.args) > 1 else call.kwargs.get("weight")
    return isinstance(slope, Tensor) and not bool(slope.detach().any())


def _entered_glu(owner: UseRecord, gate: Tensor, axis: int) -> None:
    """Measure the half of a gated linear unit that lets the other half pass."""
    share, _, units = flatness("sigmoid", torch.sigmoid, gate, axis)
    entering = moments(gate)
    owner.values["saturated_share"] = share
    owner.values["activation_units"] = float(units)
    owner.values["entering_rms"] = entering.rms
    owner.values["entering_mean"] = entering.mean


def entered_gate(
    trace: Trace, owner: UseRecord, call: FunctionCall, func: Callable[..., Any]
) -> None:
    """Measure a further gate of a layer, and keep it if it is the most saturated one.

    Which gate runs first is a matter of taste. Of a loop's later steps nothing is kept.
    """
    given, name = call.given, ACTIVATION_OF[call.name]
    if owner.calls > 1 or not {name, owner.activation} <= _GATES:
        return
    axis = _unit_axis(owner, given)
    if axis is None or not given.shape[axis] < owner.units:
        return
    if not _is_cut_out(trace, given):
        return
    share, _, _ = _flatness(call, func, axis)
    entering, found = trace.once(moments, given), owner.values
    # Of gates that are flat throughout, the one that is furthest out.
    known = found.get("saturated_share", math.inf), found.get("entering_rms", math.inf)
    if (share, entering.rms) > known:
        found["into_tanh"] = float(name in _TWO_SIDED)
        found["saturated_share"] = share
        found["entering_rms"] = entering.rms
        found["entering_mean"] = entering.mean


def side_by_side(trace: Trace, tensors: Iterable[Tensor]) -> None:
    """Measure how loud each part is beside what it is concatenated with."""
    parts = [part for part in tensors if part.is_floating_point() and part.numel()]
    sizes = [rms_of(trace, part) for part in parts]
    for place, part in enumerate(parts):
        owner, rest = trace.owner(part), sizes[:place] + sizes[place + 1 :]
        if not max(rest, default=0.0) > 0:
            continue
        ratio = sizes[place] / max(rest)
        if owner is None:
            if trace.is_weight(part) and any(map(trace.is_signal, parts)):
                trace.records.beside |= dict.fromkeys(trace.sources(part), ratio)
            continue
        found = owner.values
        if ratio > found.get("beside_ratio", 0.0):
            found["beside_ratio"], found["beside_rms"] = ratio, sizes[place]


def beside_constant(
    trace: Trace, owner: UseRecord, signal: Tensor, added: float
) -> None:
    """Measure how quiet what a first layer gives is beside a constant, as positions."""
    size = rms_of(trace, signal)
    if size > 0 and trace.is_fresh(signal):
        known = owner.values.get("beside_constant", 0.0)
        owner.values["beside_constant"] = max(known, added / size)


def _is_cut_out(trace: Trace, given: Tensor) -> bool:
    """Whether a part of what a layer gives is in a tensor, past no gate.

    Of a state, as of an LSTM's, all parts have passed one.
    """
    node = trace.node_of(given)
    assert node is not None
    ways = trace.graph.back(node, lambda one: one.kind == "layer")
    return any(kinds <= _BEFORE_GATES for _, kinds in ways)


def _flatness(
    call: FunctionCall, func: Callable[..., Any], axis: int
) -> tuple[float, float, int]:
    more = {k: v for k, v in call.kwargs.items() if k not in ("input", "inplace")}
    return flatness(
        ACTIVATION_OF[call.name],
        lambda z: func(z, *call.args[1:], **more),
        call.given,
        axis,
    )


def left_activation(
    trace: Trace, owner: UseRecord, name: str, call: FunctionCall, output: Tensor
) -> float:
    """Measure what an activation gave; return the slope of a leaky ReLU."""
    slope = 0.0
    if name == "leaky_relu":
        args, kwargs = call.args, call.kwargs
        named = kwargs.get("negative_slope", kwargs.get("weight", 0.01))
        given = args[1] if len(args) > 1 else named
        if isinstance(given, Tensor):  # PReLU's, one for all or one per channel
            slope = trace.once(moments, given).rms
        else:
            slope = float(given) if isinstance(given, float | int) else 0.01
    owner.activation, owner.negative_slope = name, slope
    m = trace.once(moments, output)
    found = owner.values
    found["activation_mean"], found["activation_std"] = m.mean, m.std
    found["activation_rms"] = m.rms
    found["cosine"], found["centred_cosine"] = trace.once(cosines, output)
    found["nonfinite_outputs"] = found.get("nonfinite_outputs", 0.0) + m.nonfinite
    return slope


def _is_a_part(owner: UseRecord, given: Tensor) -> bool:
    """Whether a tensor has some of a layer's units, and all that these gave.

    Another of its axes may be as long as there are units.
    """
    axis, units = owner.unit_axis, owner.units
    if not -given.dim() <= axis < given.dim() or not 0 < given.shape[axis] < units:
        return False
    parts, rest = divmod(units, given.shape[axis])
    every = owner.values.get("output_positions", 0.0) * units
    return not rest and given.numel() * parts == every


def _unit_axis(owner: UseRecord, given: Tensor) -> int | None:
    """Return the axis of a tensor that holds a layer's units, or None."""
    units = owner.units
    if _is_a_part(owner, given):
        return owner.unit_axis
    for axis in (owner.unit_axis, -1, 1, -2, -3):
        if -given.dim() <= axis < given.dim() and given.shape[axis] == units:
            return axis
    return owner.unit_axis if -given.dim() <= owner.unit_axis else None
