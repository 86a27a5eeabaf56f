"""The head that makes the outputs, and what else makes them as loud as they are."""

import math
from typing import Literal

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.messages import Severity
from initlab.spec import OutputReading, WeightUse

# How much of itself a loss changes with a weight that is divided by its size, and with
# a factor of the outputs.
OF_NO_SIZE, _OF_FULL_SIZE = 0.1, 0.5
# Share of an output's mean.
_MADE_BY_BIAS = 0.5
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
    factors = [p for p in rest if p.elasticity > _OF_FULL_SIZE]
    if not factors:
        # Of many fields, no table alone is half of the sum of their products.
        tables = [p for p in rest if p.role == "embedding" and p.name in makes]
        if sum(p.elasticity for p in tables) > _OF_FULL_SIZE:
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


def is_made_by_bias(model: Model, head: WeightUse, mean: float) -> bool:
    """Whether a bias that can be changed makes most of an output's mean."""
    bias = model.parameter(head.bias) if head.bias else None
    return bias is not None and not bias.frozen and bias.mean / mean > _MADE_BY_BIAS


def biased(
    model: Model, head: WeightUse, *,
    check: Literal["WI14", "WI15"], severity: Severity, mean: float,
    losses: tuple[float, float],
) -> Finding:  # fmt: skip
    """Return that a bias makes logits sure; of the losses, here and at the shares."""
    bias = model.parameter(head.bias) if head.bias else None
    return Finding(
        id=check, severity=severity, cause="biased_logits", module=head.module,
        parameter=head.bias, measured=losses[0], expected=losses[1],
        evidence={"mean": mean, "bias_mean": bias.mean if bias else math.nan},
    )  # fmt: skip
