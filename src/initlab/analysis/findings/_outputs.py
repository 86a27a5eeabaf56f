"""Checks of what comes out: over-confident, saturated, tied and loud."""

import math
from collections.abc import Iterator
from typing import Literal

from initlab.analysis.findings._finding import Finding, Severity
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.spec import OutputReading, ParameterReading, WeightUse

# Nats of the initial loss over the prior's entropy. A loud head costs slowly more: of
# the loss after 200 steps 2 nats 0 to 60 %, 3 nats 0 to 110 %, 10 nats up to 220 %
# (dense and convolutional, 10 and 100 classes, Adam and gradient descent). Heads of
# He's gain behind many layers reach 2.5.
_EXCESS_INFO, _EXCESS_WARNING, _EXCESS_ERROR = 0.5, 3.0, 20.0
# Where no targets are known, outputs need not be logits.
_BLIND_ERROR = 40.0
_LOUD_INPUTS = 5.0
# By how much of itself a loss changes with a parameter: of 154 sound models at most 1.6
# times as much; with an exponent stored where its logarithm is meant 8 to 14 times.
_STEEP, _LARGE_LOSS, _HUGE_LOSS = 5.0, 10.0, 100.0
# The same of a weight that is divided by its size, and of a factor of the outputs.
_OF_NO_SIZE, _OF_FULL_SIZE = 0.1, 0.5
# Of 307 public models no normalization starts with a larger factor; of LeCun's weights
# it is fan_in times their variance.
_USUAL_FACTOR = 1.05
_FEW_PARTS = 2
# Share of an output's mean.
_MADE_BY_BIAS = 0.5
# A loss that compares outputs with targets as they are is about 0 at the targets.
_AT_TARGETS = 1e-3
# Deviation of logits whose softmax is near the prior, as a repair makes them.
_QUIET = 0.3
# Of a temperature's logarithm: those in use lie between 0 and the logarithm of 100.
_VANISHED, _LARGEST_SCALE = -6.0, math.log(101)
# Share of its slope that a saturated loss has left.
_SATURATED, _GONE = 1e-3, 1e-6
_TIED_LOUD, _TIED_QUIET, _TIED_ERROR = 3.0, 1e-3, 6.0


def over_confident(model: Model) -> Iterator[Finding]:
    """WI14: the first loss is far over that of knowing nothing."""
    output = model.facts.output
    head = head_of(model)
    if head is None or head.frozen or output.nonfinite:
        return
    binary = output.loss_kind == "binary" or output.loss_binary
    known = binary or (output.classes > 1 and output.loss_kind == "cross_entropy")
    prior_loss = math.log(2) if output.loss_binary else output.prior_loss
    excess = output.loss - prior_loss if known else output.random_excess
    # Few examples make the loss noisy; random labels on the same outputs do not. Where
    # a label is masked, only the loss says so.
    steady = output.classes > 2 and math.isfinite(output.random_excess)
    if known and steady and not output.masked:
        excess = min(excess, output.random_excess)
    over = output.loss - output.prior_loss
    if output.loss_kind == "given" and output.classes > 1 and over < _EXCESS_WARNING:
        excess = min(excess, over)  # a loss that is small knows better what outputs are
    error = _EXCESS_ERROR if known else _BLIND_ERROR
    if not known and compares(output):
        # Zeros, as of a discriminator's loss or of a residual, say of no size.
        size = max(output.target_std, abs(output.target_mean)) or math.inf
        large = output.rms / size
        loud = _what_makes_it_loud(model, head)
        if large > 10 and loud is not None:
            module, parameter = loud
            yield Finding(
                id="WI14", severity="warning", cause="loud_regression",
                module=module, parameter=parameter, measured=output.rms,
                expected=output.target_std, evidence={"ratio": 1 / large},
            )  # fmt: skip
        return
    if not known and (not _may_be_logits(output.shape) or model.facts.trained):
        return
    stem = next((use for use in model.uses if use.stem), head)
    size = model.of("given_rms", stem.index)
    if excess > _EXCESS_WARNING and size > _LOUD_INPUTS and output.std < 3 * size:
        yield Finding(
            id="WI14", severity="warning", cause="unscaled_inputs", module=stem.module,
            parameter=stem.parameter, measured=size, expected=1.0,
            evidence={"excess": excess},
        )  # fmt: skip
        return
    if not excess > _EXCESS_INFO:
        return
    severity: Severity = (
        "error" if excess > error else
        "warning" if excess > _EXCESS_WARNING else "info"
    )  # fmt: skip
    of_one_sign = binary and abs(output.mean) > output.std
    if of_one_sign and is_made_by_bias(model, head, output.mean):
        if any(prior.link == "logit" for prior in output.priors):
            return  # the loss was asked where they should be
        yield biased(
            model, head, check="WI14", severity=severity, mean=output.mean,
            losses=(output.loss, prior_loss),
        )  # fmt: skip
        return
    # One logit is sure by its size, several by how far they are apart.
    size = output.rms if binary else output.std
    evidence = {
        "std": output.std,
        "classes": 2 if binary else output.classes or output.shape[-1],
        "known": known, "ratio": min(1.0, _QUIET / max(size, 1e-12)),
    }  # fmt: skip
    loud = _what_makes_it_loud(model, head)
    if loud is None:
        return
    module, parameter = loud
    blamed = model.parameter(parameter)
    if blamed is not None and head.derived and abs(blamed.elasticity) < _OF_NO_SIZE:
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
    )  # fmt: skip


def _is_chosen(
    model: Model, head: WeightUse, blamed: ParameterReading | None, excess: float
) -> bool:
    """Whether outputs are as loud as an author may have meant them."""
    little = excess < _EXCESS_ERROR
    if little and _is_a_sum_of_usual_parts(model, head):
        return True
    if blamed is None:
        return False
    if math.prod(blamed.shape) == 1:
        # A temperature, as of contrastive losses.
        scales = blamed.name == model.facts.output.scaled_by
        return little or (scales and blamed.mean < _LARGEST_SCALE)
    # Of a usual factor, what comes after it, as squared distances, makes it much.
    usual = math.hypot(blamed.mean, blamed.std) < _USUAL_FACTOR
    return blamed.role == "gamma" and usual and not _heads_matter(model)


def _heads_matter(model: Model) -> bool:
    """Whether the loss changes with the size of a head, as far as is known."""
    heads = [model.parameter(use.parameter) for use in model.uses if use.head]
    return not all(p is not None and abs(p.elasticity) < _OF_NO_SIZE for p in heads)


def _is_a_sum_of_usual_parts(model: Model, head: WeightUse) -> bool:
    """Whether several heads are added, of usual weights: none of them is to blame.

    As readouts of sums over a graph, one after each layer.
    """
    parts = [use for use in model.uses if use.head and use.added]
    usual = all(model.weight_factor(use.index) < _USUAL_FACTOR for use in parts)
    return head in parts and len(parts) > _FEW_PARTS and usual


def _what_makes_it_loud(model: Model, head: WeightUse) -> tuple[str, str] | None:
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
    if own is None or (own.largest > 0 and not own.elasticity < _OF_NO_SIZE):
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


def explosive_parameter(model: Model) -> Iterator[Finding]:
    """WI14: a loss that hangs on a head or a number of its own as on an exponential.

    Targets that are not scaled make a loss large, but none of its terms as steep. What
    runs in a loop or lies deep in a network is steep by how often signals meet it.
    """
    loss = model.facts.output.loss
    heads = {use.parameter for use in model.uses if use.head and use.calls == 1}
    steep = [
        p for p in model.facts.parameters
        if p.elasticity > _STEEP and (len(p.shape) < 2 or p.name in heads)
    ]  # fmt: skip
    if model.facts.trained or not loss > _LARGE_LOSS or not steep:
        return
    worst = max(steep, key=lambda p: p.elasticity)
    yield Finding(
        id="WI14", severity="error" if loss > _HUGE_LOSS else "warning",
        cause="explosive_parameter", module=worst.name.rpartition(".")[0],
        parameter=worst.name, measured=worst.elasticity, expected=_STEEP,
        evidence={"loss": loss}, places=(worst.name,),
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
    module, parameter = own if by_bias else _what_makes_it_loud(model, head) or own
    yield Finding(
        id="WI13", severity="error" if output.loss_slope < _GONE else "warning",
        cause="saturated_loss", module=module, parameter=parameter,
        measured=output.loss_slope, expected=_SATURATED,
        evidence={"rms": output.rms, "ratio": 1 / output.rms},
        places=(parameter,),
    )  # fmt: skip


def compares(output: OutputReading) -> bool:
    """Whether the loss compares outputs with targets as they are."""
    if output.loss_kind != "given":
        return output.loss_kind == "mse"
    return abs(output.loss_at_targets) < _AT_TARGETS * output.loss


def tied_embedding(model: Model) -> Iterator[Finding]:
    """WI18: an embedding that is also the head makes logits too large, or none."""
    for use in model.uses:
        if not (use.head and use.tied and use.layer.kind != "embedding"):
            continue
        size = model.of("preactivation_std", use.index)
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


def head_of(model: Model) -> WeightUse | None:
    """Return the head of the first output; the last one where that is not known."""
    if model.facts.output.head >= 0:
        return model.uses[model.facts.output.head]
    heads = [use for use in model.uses if use.head]
    return heads[-1] if heads else None


def _may_be_logits(shape: tuple[int, ...]) -> bool:
    return len(shape) in (2, 3) and shape[-1] > 1
