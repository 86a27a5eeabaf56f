"""WI01: what is not finite, or nearly so, and where that began."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_name, at_parameter
from initlab.messages import FindingCause
from initlab.spec import OutputReading, WeightUse

# Largest numbers of the types, and the share of them that is as good as infinite.
_LARGEST = {"float16": 65504.0, "bfloat16": 3.39e38, "float32": 3.4e38}
_NEAR_LARGEST = 0.1
# Of fan_in times the second moment of entries; schemes in use stay under 30.
_BEYOND_ANY_LAW = 60.0


def not_finite(model: Model) -> Iterator[Finding]:
    """WI01: a parameter, an activation or a gradient is nan, infinite, or nearly."""
    held = list(_held(model))
    if held:
        yield from held
        return
    # What comes first in the order of execution has the cause in it.
    for where in (_in_a_function, _of_a_layer, _of_the_loss, _on_the_way_back):
        found = where(model)
        if found is not None:
            yield found
            return


def _held(model: Model) -> Iterator[Finding]:
    """Yield the parameters and buffers that hold such numbers already."""
    for parameter in model.facts.parameters:
        if parameter.nonfinite:
            yield at_parameter(
                parameter, "WI01", "error", "nonfinite_parameter",
                measured=float(parameter.nonfinite), expected=0.0,
            )  # fmt: skip
    lost = model.facts.lost_buffers
    if lost:
        yield at_name(lost[0], "WI01", "error", "lost_buffer", measured=math.nan,
                     places=lost)  # fmt: skip


def _in_a_function(model: Model) -> Finding | None:
    """Return the parameter that a function of its own makes infinite, as exp does."""
    overflowed = next((p for p in model.facts.parameters if p.overflows_in), None)
    if overflowed is None:
        return None
    if not (_arrives_lost(model) or overflowed.gradient_nonfinite > 0):
        return None
    return at_parameter(
        overflowed, "WI01", "error", "overflows", measured=overflowed.mean,
        expected=0.0, evidence={"function": overflowed.overflows_in},
        places=(overflowed.name,),
    )  # fmt: skip


def _of_a_layer(model: Model) -> Finding | None:
    """Return the first layer that gives such numbers, and what made them grow."""
    for use in model.uses:
        count = model.of("nonfinite_outputs", use.index)
        weight = model.parameter(use.parameter)
        dtype = weight.dtype if weight else "float32"
        limit = _LARGEST.get(dtype, _LARGEST["float32"]) * _NEAR_LARGEST
        largest = model.of("largest_output", use.index)
        if count > 0 and use.stem and model.facts.output.input_nan:
            return Finding(
                id="WI01", severity="error", cause="nan_inputs", module="",
                measured=float(model.facts.output.input_nan), expected=0.0,
                evidence={"after": use.parameter},
            )  # fmt: skip
        if count > 0 or largest > limit:
            grown = _grown_before(model, use)
            first = grown[0] if grown else use
            beyond: FindingCause = (
                "nonfinite_output" if count > 0 else "nearly_infinite"
            )
            return Finding(
                id="WI01", severity="error", module=first.module,
                cause="grows_beyond" if grown else beyond,
                parameter=first.parameter, measured=count if count > 0 else largest,
                expected=0.0 if count > 0 else limit,
                evidence={
                    "factor": model.weight_factor(first.index), "after": use.parameter,
                },
                places=tuple(one.parameter for one in grown),
            )  # fmt: skip
    return None


def _of_the_loss(model: Model) -> Finding | None:
    """Return why the outputs or the loss are lost, where all layers are finite."""
    output = model.facts.output
    lost_loss = _is_lost(output)
    if not (output.nonfinite or lost_loss):
        return None
    if lost_loss and output.target_nonfinite and not output.nonfinite:
        return Finding(
            id="WI01", severity="error", cause="nonfinite_targets", module="",
            measured=float(output.target_nonfinite), expected=0.0,
            evidence={"loss": output.loss},
        )  # fmt: skip
    grown = _grown_before(model, model.uses[-1]) if model.uses else []
    if grown:
        return Finding(
            id="WI01", severity="error", module=grown[0].module,
            cause="grows_beyond", parameter=grown[0].parameter,
            measured=output.loss, expected=output.prior_loss,
            evidence={
                "factor": model.weight_factor(grown[0].index), "after": "the loss",
            },
            places=tuple(use.parameter for use in grown),
        )  # fmt: skip
    return Finding(
        id="WI01", severity="error", cause="nonfinite_loss", module="",
        measured=output.loss, expected=output.prior_loss,
    )  # fmt: skip


def _on_the_way_back(model: Model) -> Finding | None:
    """Return the first parameter whose gradient alone is lost."""
    for parameter in model.facts.parameters:
        if parameter.gradient_nonfinite:
            return at_parameter(
                parameter, "WI01", "error", "nonfinite_gradient",
                measured=float(parameter.gradient_nonfinite), expected=0.0,
            )  # fmt: skip
    return None


def _is_lost(output: OutputReading) -> bool:
    """Whether there is a loss, and it is nan or infinite."""
    return bool(output.loss_kind) and not math.isfinite(output.loss)


def _arrives_lost(model: Model) -> bool:
    """Whether anything that a layer gives, an output or the loss is nan or infinite."""
    output = model.facts.output
    return bool(output.nonfinite) or _is_lost(output) or any(
        model.of("nonfinite_outputs", use.index) > 0 for use in model.uses
    )  # fmt: skip


def _grown_before(model: Model, arrived: WeightUse) -> list[WeightUse]:
    """Return the weights beyond any law on the way to where numbers overflow."""
    below = {arrived.index}
    for use in reversed(model.uses[: arrived.index + 1]):
        if use.index in below:
            below |= {number for number in use.previous if number < use.index}
    return [
        use for use in model.fresh()
        if use.index in below and use.layer.kind in ("linear", "conv")
        and model.weight_factor(use.index) > _BEYOND_ANY_LAW
    ]  # fmt: skip
