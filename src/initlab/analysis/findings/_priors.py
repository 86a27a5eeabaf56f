"""Checks of what outputs know before they learn: the targets' means and shares."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._heads import (
    bias_that_makes,
    biased,
    compares,
    drowning_below,
    head_of,
)
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.spec import OutputReading, PriorReading, WeightUse

_PRIOR_GAIN, _ROWS_PER_CLASS = 0.5, 2
_FAR_FROM_MEAN = 3.0
# With as many more, the deviation that is expected is twice that of the targets.
_FEW_TARGETS = 4.0
# Targets from 0 to 1, and rewards of 1 and the model's own outputs, are scaled, however
# little they spread.
_NEAR = 1.5
# Segmentations with a tenth of foreground are usual, and know it within few steps.
_RARE = 0.95
# Of a loss that we do not know: what a prior explains, of all that can be. Of a binary
# cross-entropy it is a half with 11 % of positives; of squares .9 at three spreads.
_EXPLAINED_BY_SHARE, _EXPLAINED = 0.5, 0.8
# Of what the share of a class tells, in nats, what a first loss may lack.
_MOST_OF_IT = 0.6
# Of targets' size, a bias of one output, and with it all outputs.
_FAR_BIAS, _TOO_LARGE = 5.0, 1.5
# By how much of itself a loss changes with a head that makes it.
_ELASTIC = 0.5
# Of a deviation's logarithm; of outputs that are a parameter.
_FAR_OFF, _AS_IT_IS = 4.0, 0.01
# With targets 100 times as spread as that, gradient descent at .01 diverged in three of
# four plain networks, and Adam at 1e-3 left 94 % of the loss of the smallest.
_UNSCALED_TARGETS = 100.0


def prior_ignored(model: Model) -> Iterator[Finding]:
    """WI15: the output's bias does not know what is common among the targets."""
    output, head = model.facts.output, head_of(model)
    if head is None:
        return
    place = _asked(model, head)
    if _beyond_reach(model, head):
        yield Finding(
            id="WI15", severity="warning", cause="targets_unscaled",
            module=head.module, parameter=head.parameter, measured=output.std,
            expected=output.target_std,
            evidence={
                "target_mean": output.target_mean, "bias": place != head.parameter,
            },
        )  # fmt: skip
        return
    if output.priors:
        yield from _asked_for(model)
        return
    if place is None or _constant(output):
        return
    if output.loss_kind == "given" and not compares(output):
        return  # it was asked
    if output.classes > 1 and output.loss_rows >= _ROWS_PER_CLASS * output.classes:
        yield from _shares_ignored(output, head, place)
    else:
        yield from _mean_ignored(model, head, place)


def _shares_ignored(
    output: OutputReading, head: WeightUse, place: str
) -> Iterator[Finding]:
    """Yield that a class is common, and the first loss does not know."""
    # Labels drawn uniformly seem uneven by about so much.
    by_chance = (output.classes - 1) / (2 * output.loss_rows)
    gain = math.log(output.classes) - output.class_entropy - by_chance
    excess = output.loss - output.class_entropy
    telling = gain > _PRIOR_GAIN or (output.classes == 2 and output.class_share > _RARE)
    # Weights of the classes may make up for it.
    minds = not output.loss_shifted > output.loss - 0.5 * gain
    common = output.class_share > _common(output.classes)
    if telling and minds and common and excess > _MOST_OF_IT * gain:
        yield Finding(
            id="WI15", severity="warning", cause="imbalance_ignored",
            module=head.module, parameter=place,
            measured=output.loss, expected=output.class_entropy,
            evidence={
                "share": output.class_share, "bias": place != head.parameter,
                **_logit(output.target_mean),
            },
        )  # fmt: skip


def _mean_ignored(model: Model, head: WeightUse, place: str) -> Iterator[Finding]:
    """Yield that a regression's targets lie far from all outputs."""
    output = model.facts.output
    away = abs(output.target_mean - output.mean)
    if not compares(output) or not math.isfinite(away):
        return
    # Of a few targets, the deviation says little.
    few = 1 + _FEW_TARGETS / max(output.loss_rows - 1, 1e-12)
    spread = max(few * output.target_std, 1e-12)
    # Beside their own deviation: a far mean must not make room for itself.
    if away > max(_FAR_FROM_MEAN * max(spread, output.std), _NEAR):
        loud = _loud_instead(model, head, output.mean, (output.target_mean, spread))
        if loud is not None:
            yield loud
            return
        yield Finding(
            id="WI15", severity="warning", cause="mean_ignored", module=head.module,
            parameter=place, measured=output.mean,
            expected=output.target_mean,
            evidence={"target_std": output.target_std, "bias": place != head.parameter},
        )  # fmt: skip


def _loud_instead(
    model: Model, head: WeightUse, mean: float, targets: tuple[float, float]
) -> Finding | None:
    """Return what makes outputs far larger than targets, if that is no bias of theirs.

    Their mean is then not what they ignore: a bias below the head makes most of it,
    with which the loss changes as with the head, or the head is loud.

    Args:
        model: Of which.
        head: That makes the outputs.
        mean: Of the outputs.
        targets: Their mean and deviation.
    """
    size = math.hypot(*targets)
    if not abs(mean) > _FAR_FROM_MEAN * size:
        return None
    if bias_that_makes(model, head, mean) is not None:
        return None
    own = model.parameter(head.parameter)
    if own is None or own.frozen or not own.elasticity > _ELASTIC:
        return None
    hidden = drowning_below(model, head)
    if hidden is not None:
        return hidden
    ratio = (size or 1.0) / abs(mean)
    return Finding(
        id="WI14", severity="warning", cause="loud_regression", module=head.module,
        parameter=head.parameter, measured=abs(mean), expected=targets[1],
        evidence={"ratio": ratio, "ratios": {head.parameter: ratio}},
        places=(head.parameter,),
    )  # fmt: skip


def far_biases(model: Model) -> Iterator[Finding]:
    """WI15: single outputs of a regression that their biases start far off."""
    output, head = model.facts.output, head_of(model)
    bias = model.parameter(head.bias) if head is not None and head.bias else None
    if bias is None or bias.frozen or model.facts.trained or not compares(output):
        return
    # A bias at its own target's mean makes outputs no larger than targets are.
    size = math.hypot(output.target_mean, output.target_std)
    few = abs(bias.mean) < bias.std
    if few and bias.largest > _FAR_BIAS * size and output.rms > _TOO_LARGE * size > 0:
        yield at_parameter(
            bias, "WI15", "warning", "far_biases", measured=bias.largest,
            expected=size, places=(bias.name,),
        )  # fmt: skip


def _beyond_reach(model: Model, head: WeightUse) -> bool:
    """Whether targets spread so far that no step gets there."""
    output = model.facts.output
    if head.frozen or output.classes > 1 or not compares(output):
        return False
    # A head of zeros makes as large outputs, after some steps, as what it is given.
    within_reach = max(output.std, model.of("given_rms", head.index), 1.0)
    return output.target_std > _UNSCALED_TARGETS * within_reach


def _asked_for(model: Model) -> Iterator[Finding]:
    """Yield what a loss that we do not know said of each output, each place once."""
    told = set()
    for prior in model.facts.output.priors:
        if prior.parameter:
            yield from _far_off(model, prior)
            continue
        heads = [use for use in model.uses if use.head]
        if prior.head < 0 and len(heads) != 1:
            continue
        head = model.uses[prior.head] if prior.head >= 0 else heads[0]
        place = _asked(model, head)
        if place is None or place in told:
            continue
        least = {"logit": _EXPLAINED_BY_SHARE, "classes": _MOST_OF_IT * prior.gain}
        shares = prior.link in least
        if not prior.explained > least.get(prior.link, _EXPLAINED):
            continue
        if prior.link == "classes" and not prior.share > _common(prior.classes):
            continue
        if prior.link == "identity" and abs(prior.wanted - prior.mean) <= _NEAR:
            continue
        told.add(place)
        if prior.link == "identity":
            targets = prior.wanted, prior.spread
            loud = _loud_instead(model, head, prior.mean, targets)
            if loud is not None:
                yield loud
                continue
        evidence = {"bias": place != head.parameter}
        if prior.link == "logit" and prior.share <= _RARE:
            bias = bias_that_makes(model, head, prior.mean)
            if bias is not None:
                yield biased(
                    bias, check="WI15", severity="warning", mean=prior.mean,
                    losses=(prior.loss, prior.shifted),
                )  # fmt: skip
            continue
        if shares and _is_known_in_part(model.facts.output, prior):
            continue
        if shares:
            yield Finding(
                id="WI15", severity="warning", cause="imbalance_ignored",
                module=head.module, parameter=place, measured=prior.loss,
                expected=prior.shifted,
                evidence={
                    **evidence, "share": prior.share,
                    **({"logit": prior.wanted} if prior.link == "logit" else {}),
                },
            )  # fmt: skip
            continue
        yield Finding(
            id="WI15", severity="warning",
            cause="mean_ignored" if prior.link == "identity" else "log_mean_ignored",
            module=head.module, parameter=place, measured=prior.mean,
            expected=prior.wanted, evidence=evidence | {"target_std": prior.spread},
        )  # fmt: skip


def _is_known_in_part(output: OutputReading, prior: PriorReading) -> bool:
    """Whether a cross-entropy has most of what the share of ones tells already."""
    share = prior.share
    if not (output.loss_binary and prior.link == "logit" and 0 < share < 1):
        return False
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    return prior.loss - prior.shifted < _MOST_OF_IT * (math.log(2) - entropy)


def _far_off(model: Model, prior: PriorReading) -> Iterator[Finding]:
    """Yield that an output which is a parameter, as a log deviation, starts far up.

    One that starts far down makes a loss explode.
    """
    known = model.parameter(prior.parameter)
    if known is None or known.frozen or model.facts.trained:
        return
    as_it_is = math.isclose(known.mean, prior.mean, rel_tol=_AS_IT_IS)
    far = prior.mean > max(_FAR_OFF, 2 * abs(prior.wanted))
    if as_it_is and far and prior.explained > _EXPLAINED:
        yield at_parameter(
            known, "WI14", "warning", "far_off", measured=prior.mean,
            expected=prior.wanted,
            evidence={"loss": prior.loss, "shifted": prior.shifted},
            places=(known.name,),
        )  # fmt: skip


def _logit(share: float) -> dict[str, float]:
    """Return where one logit would start, of so many ones; of labels, nothing."""
    return {"logit": math.log(share / (1 - share))} if 0 < share < 1 else {}


def _common(classes: int) -> float:
    """Return the share from which on a class is common, of so many."""
    return min(max(3.0 / classes, 0.5), 0.8)


def _constant(output: OutputReading) -> bool:
    """Whether all targets are one: how a loss is built, as a generator's; no prior."""
    if output.class_share >= 1 or output.class_entropy == 0:
        return True
    return output.target_std <= 1e-6 * abs(output.target_mean)


def _asked(model: Model, head: WeightUse) -> str | None:
    """Return the parameter that may learn a prior: the bias, or else the weight.

    Of a table it is the one number, if any, that is added to what is looked up.
    """
    own: tuple[str | None, ...] = (head.bias, head.parameter)
    if head.layer.kind == "embedding":
        own = tuple(
            p.name for p in model.facts.parameters
            if math.prod(p.shape) == 1 and p.added_last
        )  # fmt: skip
    for name in own:
        parameter = model.parameter(name) if name else None
        if name and not (parameter.frozen if parameter else head.frozen):
            return name
    return None
