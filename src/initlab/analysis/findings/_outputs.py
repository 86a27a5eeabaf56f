"""Checks of what comes out: where the loss is steep or flat, and tied heads."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._heads import (
    bias_that_spreads,
    compares,
    head_of,
    what_makes_it_loud,
)
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.spec import OutputReading

# By how much of itself a loss changes with a parameter: of 154 sound models at most 1.6
# times as much; with an exponent stored where its logarithm is meant 8 to 14 times.
_STEEP, _LARGE_LOSS, _HUGE_LOSS = 5.0, 10.0, 100.0
# Of the logarithm of a factor of all outputs: those in use are 0 and more; from -4 on a
# stranger's towers learn nothing in 120 steps.
_VANISHED = -3.5
# Share of its slope that a saturated loss has left.
_SATURATED, _GONE = 1e-3, 1e-6
_TIED_LOUD, _TIED_QUIET, _TIED_ERROR = 3.0, 1e-3, 6.0


def explosive_parameter(model: Model) -> Iterator[Finding]:
    """WI14: a loss that hangs on a head or a number of its own as on an exponential.

    Targets that are not scaled make a loss large, but none of its terms as steep. What
    runs in a loop or lies deep in a network is steep by how often signals meet it, and
    the factor of a normalization by what the layers behind it make of it.
    """
    output = model.facts.output
    heads = {use.parameter for use in model.uses if use.head and use.calls == 1}
    head = head_of(model)
    # What makes outputs as large as far targets are is steep by design.
    spared = {norm.parameter for norm in model.facts.norms}
    if head is not None and _is_at_targets(output):
        spared |= {head.parameter, head.bias}
    steep = [
        p for p in model.facts.parameters
        if p.elasticity > _STEEP and (len(p.shape) < 2 or p.name in heads)
        and p.name not in spared
    ]  # fmt: skip
    if model.facts.trained or not output.loss > _LARGE_LOSS or not steep:
        return
    worst = max(steep, key=lambda p: p.elasticity)
    yield Finding(
        id="WI14", severity="error" if output.loss > _HUGE_LOSS else "warning",
        cause="explosive_parameter", module=worst.name.rpartition(".")[0],
        parameter=worst.name, measured=worst.elasticity, expected=_STEEP,
        evidence={"loss": output.loss}, places=(worst.name,),
    )  # fmt: skip


def _is_at_targets(output: OutputReading) -> bool:
    """Whether outputs start within the targets.

    Or each within its own, so that a squared error is below that of any constant.
    """
    if output.loss < output.prior_loss and output.loss_kind == "mse":
        return True
    away = abs(output.mean - output.target_mean)
    return compares(output) and away < output.target_std


def squashed_twice(model: Model) -> Iterator[Finding]:
    """WI13: a softmax's shares, which a cross-entropy takes for logits."""
    output, head = model.facts.output, head_of(model)
    if output.squashed_twice:
        # With shares of 0 and 1 for logits, no more can be told.
        least = math.log1p((output.classes - 1) / math.e)
        yield Finding(
            id="WI13", severity="warning", cause="squashed_twice",
            module="" if head is None else head.module, measured=output.loss,
            expected=0.0, evidence={"least": least},
        )  # fmt: skip


def vanishing_scale(model: Model) -> Iterator[Finding]:
    """WI13: an exponential so small that it takes the logits and their slope."""
    output = model.facts.output
    known = model.parameter(output.scaled_by) if output.scaled_by else None
    if known is None or known.frozen or model.facts.trained:
        return
    # A regression's outputs may be as small as its targets.
    if output.loss_kind in ("", "mse"):
        return
    if known.mean < _VANISHED and output.std < math.exp(_VANISHED / 2):
        yield at_parameter(
            known, "WI13", "warning", "vanishing_scale", measured=known.mean,
            expected=_VANISHED, evidence={"factor": math.exp(known.mean)},
            places=(known.name,),
        )  # fmt: skip


def saturated_loss(model: Model) -> Iterator[Finding]:
    """WI13: outputs where the loss is flat, as behind a sigmoid of the loss's own."""
    output, head = model.facts.output, head_of(model)
    # A sound prior makes a loss smaller and its slope too, but leaves some of it.
    worse = output.loss >= 0.9 * output.loss_quiet
    gone = output.loss_slope < _GONE and output.loss > 0.1 * output.loss_quiet
    if head is None or not ((output.loss_slope < _SATURATED and worse) or gone):
        return
    # A loud weight gives outputs of one sign, too, where what it is given has one.
    size = model.of("bias_rms", head.index)
    by_bias = head.bias is not None and 2 * size > abs(output.mean) > 2 * output.std
    own = head.module, head.bias if by_bias and head.bias else head.parameter
    module, parameter = own if by_bias else what_makes_it_loud(model, head) or own
    yield Finding(
        id="WI13", severity="error" if output.loss_slope < _GONE else "warning",
        cause="saturated_loss", module=module, parameter=parameter,
        measured=output.loss_slope, expected=_SATURATED,
        evidence={"rms": output.rms, "ratio": 1 / output.rms},
        places=(parameter,),
    )  # fmt: skip


def tied_embedding(model: Model) -> Iterator[Finding]:
    """WI18: an embedding that is also the head makes logits too large, or none."""
    for use in model.uses:
        if not (use.head and use.tied and use.layer.kind != "embedding"):
            continue
        size = model.of("preactivation_std", use.index)
        if bias_that_spreads(model, use, size) is not None:
            continue  # what is added to the logits makes them, and no table
        before = [norm for norm in model.facts.norms if use.index in norm.after]
        if model.loud_factor(before) is not None:
            continue  # which is to blame, and no table
        if size > _TIED_LOUD or size < _TIED_QUIET:
            parameter = model.parameter(use.parameter)
            yield Finding(
                id="WI18", severity="error" if size > _TIED_ERROR else "warning",
                cause="tied_embedding", module=use.tied[0], parameter=use.parameter,
                measured=size, expected=_TIED_LOUD,
                evidence={
                    "std": parameter.std if parameter else math.nan,
                    "wanted": 1 / math.sqrt(use.layer.shape[-1]), "head": use.module,
                },
                places=(use.parameter, use.module),
            )  # fmt: skip
