"""The head that makes the outputs, and what else makes them as loud as they are."""

import math
from collections.abc import Iterator
from typing import Literal

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.messages import Severity
from initlab.spec import OutputReading, ParameterReading, WeightUse

# How much of itself a loss changes with a weight that is divided by its size, and with
# a factor of the outputs.
OF_NO_SIZE, OF_FULL_SIZE = 0.1, 0.5
# By how much of itself a loss changes with a head that makes it; and a bias's size.
_ELASTIC, _LOUD_BIAS = 0.5, 2.0
# Share of an output's mean, and of how far outputs of one example lie apart.
_MADE_BY_BIAS, _MOST_OF_SPREAD = 0.5, 0.8
# A loss that compares outputs with targets as they are is about 0 at the targets.
_AT_TARGETS = 1e-3


def head_of(model: Model) -> WeightUse | None:
    """Return the head of the first output; the last one where that is not known."""
    if model.facts.output.head >= 0:
        return model.uses[model.facts.output.head]
    heads = [use for use in model.uses if use.head]
    return heads[-1] if heads else None


def compares(output: OutputReading) -> bool:
    """Whether the loss compares outputs with targets as they are."""
    if output.loss_kind != "given":
        return output.loss_kind == "mse"
    return abs(output.loss_at_targets) < _AT_TARGETS * output.loss


def what_makes_it_loud(model: Model, head: WeightUse) -> tuple[str, str] | None:
    """Return module and parameter whose size is that of the outputs: the head's.

    Where it is normalized, as for cosines, it is a factor that the loss hangs on; and
    one of a normalization before the head, where that is loud. Of a sum of heads and of
    products of tables, it is the one that the loss hangs on. Zeros make nothing loud;
    None where there is nothing else but what is frozen.
    """
    before = [norm for norm in model.facts.norms if head.index in norm.after]
    if (factor := model.loud_factor(before)) is not None:
        return factor.rpartition(".")[0], factor
    own = model.parameter(head.parameter)
    if own is None or (own.largest > 0 and not own.elasticity < OF_NO_SIZE):
        return head.module, head.parameter
    # What other layers weigh and add makes other outputs.
    makes = {
        use.parameter for use in model.uses
        if use.index == head.index
        or (model.facts.output.alone and (use.head or use.layer.kind == "embedding"))
    }  # fmt: skip
    named = {name for use in model.uses for name in (*use.sources, use.bias)}
    named -= {*makes, head.bias}
    rest = [p for p in model.facts.parameters if p.name not in named and not p.frozen]
    factors = [p for p in rest if p.elasticity > OF_FULL_SIZE]
    if not factors:
        # Of many fields, no table alone is half of the sum of their products.
        tables = [p for p in rest if p.role == "embedding" and p.name in makes]
        if sum(p.elasticity for p in tables) > OF_FULL_SIZE:
            factors = tables
    # Of equals, what no layer has is a factor of all that layers give.
    worst = max(
        factors,
        key=lambda p: (round(p.elasticity, 1), p.name not in makes),
        default=None,
    )
    if worst is not None:
        return worst.name.rpartition(".")[0], worst.name
    if own.largest > 0:
        return head.module, head.parameter
    others = [u for u in model.uses if u.head and not (u.zero or u.frozen)]
    if not others:
        return None
    loudest = max(others, key=lambda use: model.of("preactivation_rms", use.index))
    return loudest.module, loudest.parameter


def power_of(model: Model, name: str, squares: int = 1) -> float:
    """Return the power of a parameter to which outputs are proportional, at least 1.

    The loss tells: a squared error is proportional to twice that power.
    """
    known = model.parameter(name)
    power = known.elasticity / squares if known else 1.0
    return power if power > 1 else 1.0


def bias_that_makes(
    model: Model, head: WeightUse, mean: float
) -> ParameterReading | None:
    """Return the bias that can be changed and makes most of an output's mean, or None.

    The head's own, or one that is added to all outputs outside of any layer.
    """
    return max(
        (p for p in _added_to(model, head) if p.mean / mean > _MADE_BY_BIAS),
        key=lambda p: p.mean / mean,
        default=None,
    )


def bias_that_spreads(
    model: Model, head: WeightUse, spread: float
) -> ParameterReading | None:
    """Return the bias that can be changed and sets outputs apart, most of it, or None.

    By how far its entries lie apart, as outputs of one example do.
    """
    return max(
        (p for p in _added_to(model, head) if p.std > _MOST_OF_SPREAD * spread),
        key=lambda p: p.std,
        default=None,
    )


def _added_to(model: Model, head: WeightUse) -> Iterator[ParameterReading]:
    """Yield what is added to all outputs, and is not frozen."""
    sizes = {1, head.layer.shape[0], *model.facts.output.shape[-1:]}
    for parameter in model.facts.parameters:
        beside = parameter.added_last and model.facts.output.alone
        fits = math.prod(parameter.shape) in sizes and len(parameter.shape) < 2
        added = parameter.name == head.bias or (beside and fits)
        if added and not parameter.frozen:
            yield parameter


def drowning_below(
    model: Model, head: WeightUse, severity: Severity = "warning"
) -> Finding | None:
    """Return the biases below a head that make most of what it is given, or None.

    The loss hangs on them as on the head.
    """
    own = model.parameter(head.parameter)
    if own is None or own.frozen or not own.elasticity > _ELASTIC:
        return None
    hidden = [
        p for p in model.facts.parameters
        if p.role in ("bias", "beta") and not p.frozen and not p.added_last
        and p.elasticity > _MADE_BY_BIAS * own.elasticity and size_of(p) > _LOUD_BIAS
    ]  # fmt: skip
    if not hidden:
        return None
    hidden.sort(key=size_of, reverse=True)
    return at_parameter(
        hidden[0], "WI07", severity, "bias_drowns", measured=size_of(hidden[0]),
        expected=1.0, places=tuple(p.name for p in hidden),
    )  # fmt: skip


def size_of(parameter: ParameterReading) -> float:
    """Return the root mean square of a parameter's entries."""
    return math.hypot(parameter.mean, parameter.std)


def biased(
    bias: ParameterReading, *,
    check: Literal["WI14", "WI15"], severity: Severity, mean: float,
    losses: tuple[float, float],
) -> Finding:  # fmt: skip
    """Return that a bias makes logits sure; of the losses, here and at the shares."""
    return at_parameter(
        bias, check, severity, "biased_logits",
        measured=losses[0], expected=losses[1],
        evidence={"mean": mean, "bias_mean": bias.mean}, places=(bias.name,),
    )  # fmt: skip
