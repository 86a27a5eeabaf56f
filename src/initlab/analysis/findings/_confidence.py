"""WI14: outputs that are sure before anything is learned."""

import math
from collections.abc import Iterator
from typing import Any

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._heads import (
    OF_FULL_SIZE,
    OF_NO_SIZE,
    bias_that_makes,
    bias_that_spreads,
    biased,
    compares,
    drowning_below,
    head_of,
    power_of,
    what_makes_it_loud,
)
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter, is_matrix
from initlab.messages import Severity
from initlab.spec import OutputReading, ParameterReading, WeightUse

# Nats of the initial loss over the prior's entropy. A loud head costs slowly more: of
# the loss after 200 steps 2 nats 0 to 60 %, 3 nats 0 to 110 %, 10 nats up to 220 %
# (dense and convolutional, 10 and 100 classes, Adam and gradient descent). Heads of
# He's gain behind many layers reach 2.5.
_EXCESS_INFO, _EXCESS_WARNING, _EXCESS_ERROR = 0.5, 3.0, 20.0
# Of two classes, where a nat takes logits of 2.4 in the mean: He's gain behind up to 16
# layers, plain and residual, reaches 1.3 with two outputs and .8 with one.
_EXCESS_OF_TWO = 1.6
# Of a loss that we do not know, over that of outputs of size 1, in terms of that.
_TIMES_QUIET = 3.0
# Where no targets are known, outputs need not be logits.
_BLIND_ERROR = 40.0
_LOUD_INPUTS = 5.0
# Of a regression's outputs, over its targets; of outputs that are as large themselves.
_LOUD_OUTPUTS, _LOUD_BOTH = 10.0, 6.0
# Deviation of logits whose softmax is near the prior, as a repair makes them: an
# excess of .045 nat.
QUIET_LOGITS = 0.3
# Of a temperature's logarithm: those in use lie between 0 and the logarithm of 100.
_LARGEST_SCALE = math.log(101)
# Of 307 public models no normalization starts with a larger factor; of LeCun's weights
# it is fan_in times their variance.
_USUAL_FACTOR = 1.05
_FEW_PARTS, _FEWEST_CHOICES = 2, 3
# Of 307 public models none starts with biases over 0.4.
_LOUD_BIAS = 2.0
# Of factors of one product: by how much the loss changes with each, and their sizes.
_ALIKE, _TABLES_ALIKE = 0.1, 3.0


def over_confident(model: Model) -> Iterator[Finding]:
    """WI14: the first loss is far over that of knowing nothing."""
    output, head = model.facts.output, head_of(model)
    yield from _sure_parameters(model)
    if head is None or head.frozen or output.nonfinite:
        return
    if not _is_classification(output) and compares(output):
        yield from _loud_regression(model, head)
    elif (far := _far_beyond(model, head)) is not None:
        yield far
    elif _is_classification(output) or (
        _may_be_logits(output.shape) and not model.facts.trained
    ):
        if output.loss_kind == "given" and output.loss < output.loss_quiet:
            return  # it would rather have outputs as large as they are
        excess = _excess(output)
        unscaled = list(_unscaled_inputs(model, head, excess))
        yield from unscaled
        if not unscaled and excess > _EXCESS_INFO:
            yield from _sure_outputs(model, head, excess)


def _sure_parameters(model: Model) -> Iterator[Finding]:
    """Yield outputs that are parameters, and most of a loss far over the prior's.

    As transitions from class to class, that a loss adds to logits.
    """
    output = model.facts.output
    excess = output.loss - output.prior_loss
    asked = output.loss_kind == "given" and output.classes > 1
    if model.facts.trained or not (asked and excess > _EXCESS_WARNING):
        return
    for p in model.facts.parameters:
        loud = p.elasticity > OF_FULL_SIZE and p.std > 1
        if (
            p.added_last
            and p.role == "other"
            and is_matrix(p)
            and not p.frozen
            and loud
        ):
            yield at_parameter(
                p, "WI14", "error" if excess > _EXCESS_ERROR else "warning",
                "over_confident", measured=excess, expected=_EXCESS_INFO,
                evidence={
                    "std": p.std, "classes": output.classes, "known": True,
                    "ratio": QUIET_LOGITS / p.std,
                },
                places=(p.name,),
            )  # fmt: skip


def _is_binary(output: OutputReading) -> bool:
    return output.loss_kind == "binary" or output.loss_binary


def _is_classification(output: OutputReading) -> bool:
    """Whether it is known that outputs are logits, of which the loss is a mean."""
    several = output.classes > 1 and output.loss_kind == "cross_entropy"
    return _is_binary(output) or several


def _may_be_logits(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) and shape[-1] > 1


def _prior_loss(output: OutputReading) -> float:
    return math.log(2) if output.loss_binary else output.prior_loss


def _excess(output: OutputReading) -> float:
    """Return by how many nats a first loss is over that of knowing nothing."""
    known = _is_classification(output)
    excess = output.loss - _prior_loss(output) if known else output.random_excess
    # Few examples make the loss noisy; random labels on the same outputs do not. Where
    # a label is masked, only the loss says so.
    steady = output.classes > 2 and math.isfinite(output.random_excess)
    if known and steady and not output.masked:
        excess = min(excess, output.random_excess)
    over = output.loss - output.prior_loss
    if output.loss_kind == "given" and output.classes > 1 and over < _EXCESS_WARNING:
        excess = min(excess, over)  # a loss that is small knows better what outputs are
    return excess


def _far_beyond(model: Model, head: WeightUse) -> Finding | None:
    """Return that a bias makes outputs that a loss would rather have near 0, or None.

    Of a loss that we do not know, as of ordinal targets: its own values tell. A bias at
    a prior makes it smaller.
    """
    output = model.facts.output
    asked = output.loss_kind == "given" and not output.priors
    excess = output.loss - output.loss_quiet
    large = excess > max(_EXCESS_WARNING, _TIMES_QUIET * abs(output.loss_quiet))
    if not (asked and large and abs(output.mean) > 2 * output.std):
        return None
    bias = bias_that_makes(model, head, output.mean)
    if bias is None:
        return None
    severity: Severity = "error" if excess > _EXCESS_ERROR else "warning"
    return at_parameter(
        bias, "WI14", severity, "biased_outputs", measured=output.loss,
        expected=output.loss_quiet,
        evidence={"mean": output.mean, "bias_mean": bias.mean}, places=(bias.name,),
    )  # fmt: skip


def _loud_regression(model: Model, head: WeightUse) -> Iterator[Finding]:
    output = model.facts.output
    # Zeros, as of a discriminator's loss or of a residual, say of no size.
    size = max(output.target_std, abs(output.target_mean)) or math.inf
    ratio = output.rms / size
    loud = what_makes_it_loud(model, head)
    far = ratio > _LOUD_OUTPUTS or min(ratio, output.rms) > _LOUD_BOTH
    if far and loud is not None:
        module, parameter = loud
        smaller = _smaller(model, parameter, 1 / ratio, squares=2)
        yield Finding(
            id="WI14", severity="warning", cause="loud_regression", module=module,
            parameter=parameter, measured=output.rms, expected=output.target_std,
            evidence=smaller, places=tuple(smaller.get("ratios", ())),
        )  # fmt: skip


def _smaller(model: Model, name: str, ratio: float, squares: int = 1) -> dict[str, Any]:
    """Return by how much to multiply what makes outputs loud, by all that is alike.

    Of tables that are multiplied with each other, each has its part.
    """
    known = model.parameter(name)
    ratio **= 1 / power_of(model, name, squares)
    if known is None or known.role != "embedding" or not known.elasticity > 0:
        return {"ratio": ratio}
    alike = [
        p.name for p in model.facts.parameters
        if p.role == "embedding" and not p.frozen and len(p.shape) > 1
        and p.shape[1:] == known.shape[1:]
        and abs(p.elasticity / known.elasticity - 1) < _ALIKE
        and known.std / _TABLES_ALIKE < p.std < known.std * _TABLES_ALIKE
    ]  # fmt: skip
    ratio **= 1 / max(1, len(alike))
    return {"ratio": ratio, "ratios": dict.fromkeys(alike or [name], ratio)}


def _unscaled_inputs(model: Model, head: WeightUse, excess: float) -> Iterator[Finding]:
    """Yield that inputs are loud, where outputs are no louder."""
    stem = next((use for use in model.uses if use.stem), head)
    size = model.of("given_rms", stem.index)
    handed_on = model.facts.output.std < 3 * size
    if excess > _EXCESS_WARNING and size > _LOUD_INPUTS and handed_on:
        yield Finding(
            id="WI14", severity="warning", cause="unscaled_inputs", module=stem.module,
            parameter=stem.parameter, measured=size, expected=1.0,
            evidence={"excess": excess},
        )  # fmt: skip


def _sure_outputs(model: Model, head: WeightUse, excess: float) -> Iterator[Finding]:
    """Yield what makes logits large: a bias, a factor, a weight, a number."""
    output, known = model.facts.output, _is_classification(model.facts.output)
    binary = _is_binary(output)
    of_two = known and (binary or output.classes == 2)
    severity: Severity = (
        "error" if excess > (_EXCESS_ERROR if known else _BLIND_ERROR) else
        "warning" if excess > (_EXCESS_OF_TWO if of_two else _EXCESS_WARNING) else
        "info"
    )  # fmt: skip
    of_one_sign = binary and abs(output.mean) > output.std
    bias = bias_that_makes(model, head, output.mean) if of_one_sign else None
    if bias is not None:
        if not any(prior.link == "logit" for prior in output.priors):
            yield biased(
                bias, check="WI14", severity=severity, mean=output.mean,
                losses=(output.loss, _prior_loss(output)),
            )  # fmt: skip
        return  # else the loss was asked where they should be
    spread = None if binary else bias_that_spreads(model, head, output.std)
    if spread is not None:
        # Cuts between ordered classes are as far apart, and are a loss of their own.
        # Without targets such a bias may be theirs, as of a temperature and a pressure.
        if not (known or output.loss_kind):
            severity = "info" if output.shape[-1] < _FEWEST_CHOICES else "warning"
        if known or excess > _EXCESS_WARNING:
            yield at_parameter(
                spread, "WI14", severity, "biased_choice",
                measured=excess, expected=_EXCESS_INFO,
                evidence={"std": output.std, "bias_std": spread.std, "known": known},
                places=(spread.name,),
            )  # fmt: skip
        return
    # One logit is sure by its size, several by how far they are apart.
    size = output.rms if binary else output.std
    evidence: dict[str, Any] = {
        "std": output.std,
        "classes": 2 if binary else output.classes or output.shape[-1],
        "known": known, "ratio": min(1.0, QUIET_LOGITS / max(size, 1e-12)),
    }  # fmt: skip
    below = drowning_below(model, head, severity) if severity != "info" else None
    if below is not None:
        yield below
        return
    loud = what_makes_it_loud(model, head)
    if loud is None:
        return
    module, parameter = loud
    blamed = model.parameter(parameter)
    evidence |= _smaller(model, parameter, evidence["ratio"])
    evidence["biases"] = _loud_biases_below(model)
    if blamed is not None and head.derived and abs(blamed.elasticity) < OF_NO_SIZE:
        # No size of its own: what enlarges it is a number of the author's choice.
        yield Finding(
            id="WI14", severity="warning" if excess > _EXCESS_ERROR else "info",
            cause="enlarged_cosines", module=head.module,
            measured=excess, expected=_EXCESS_INFO, evidence=evidence,
        )  # fmt: skip
        return
    if _is_chosen(model, head, blamed, excess):
        severity = "info"
    yield Finding(
        id="WI14", severity=severity, cause="over_confident", module=module,
        parameter=parameter, measured=excess, expected=_EXCESS_INFO, evidence=evidence,
        places=tuple(evidence.get("ratios", ())),
    )  # fmt: skip


def _loud_biases_below(model: Model) -> tuple[str, ...]:
    """Return biases and betas that make most of what is given to a head, if far off.

    Without them logits may be quiet, and a head that is sound stays what it is.
    """
    found = [
        use.bias for use in model.fresh()
        if use.bias and not (use.head or use.gate or use.role or use.given_out)
        and model.of("bias_rms", use.index)
        > max(_LOUD_BIAS, model.of("preactivation_rms", use.index) / 2)
    ]  # fmt: skip
    found += [
        norm.beta for norm in model.facts.norms
        if norm.beta and norm.beta_rms > _LOUD_BIAS * max(1.0, norm.gamma_rms)
    ]  # fmt: skip
    known = [(name, model.parameter(name)) for name in dict.fromkeys(found)]
    return tuple(name for name, facts in known if facts and not facts.frozen)


def _is_chosen(
    model: Model, head: WeightUse, blamed: ParameterReading | None, excess: float
) -> bool:
    """Whether outputs are as loud as an author may have meant them."""
    little = excess < _EXCESS_ERROR
    if little and _is_a_sum_of_usual_parts(model, head):
        return True
    if blamed is None:
        return False
    if math.prod(blamed.shape) == 1 and not blamed.added_last:
        # A temperature, as of contrastive losses.
        scales = blamed.name == model.facts.output.scaled_by
        return little or (scales and blamed.mean < _LARGEST_SCALE)
    # With a usual factor, what enlarges outputs comes after it: squared distances, say.
    usual = math.hypot(blamed.mean, blamed.std) < _USUAL_FACTOR
    return blamed.role == "gamma" and usual and not _heads_matter(model)


def _heads_matter(model: Model) -> bool:
    """Whether the loss changes with the size of a head, as far as is known."""
    heads = [model.parameter(use.parameter) for use in model.uses if use.head]
    return not all(p is not None and abs(p.elasticity) < OF_NO_SIZE for p in heads)


def _is_a_sum_of_usual_parts(model: Model, head: WeightUse) -> bool:
    """Whether several heads are added, of usual weights: none of them is to blame.

    As readouts of sums over a graph, one after each layer.
    """
    parts = [use for use in model.uses if use.head and use.added]
    usual = all(model.weight_factor(use.index) < _USUAL_FACTOR for use in parts)
    return head in parts and len(parts) > _FEW_PARTS and usual
