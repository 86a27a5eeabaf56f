"""Checks of units that are dead, by chance or by what shuts them."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from initlab import theory
from initlab.analysis.findings._finding import Finding, rank
from initlab.analysis.findings._laws import is_narrow
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import joined
from initlab.messages import FindingCause, Severity
from initlab.spec import RECTIFIERS, ParameterReading, WeightUse

# Not quite flat below 0, but as good as that far below.
_SMOOTH = frozenset({"gelu", "silu", "elu", "mish", "hardswish", "softplus", "selu"})
_MOSTLY, _NEARLY_ALL, _ALL = 0.5, 0.95, 0.999
_BEYOND_THEORY = 0.35
_BIASED = 0.05
# Weights whose mean is further below 0, in deviations, are of one sign.
_OFF_CENTRE = 0.75
# Standard deviations by which a beta keeps most units off.
_FAR_BELOW = 1.5
# Standard deviations of a fair coin.
_BY_CHANCE = 2.8
# The same where units are judged by a single example: 1 in 30,000 layers.
_FEW_COINS = 4.0


class _Blame(NamedTuple):
    """What shuts units: the parameters, the first to be named, and their module."""

    cause: FindingCause
    module: str
    places: tuple[str, ...]
    evidence: dict[str, Any]


def dead_units(model: Model) -> Iterator[Finding]:
    """WI12: units that are off for every example; one finding for all biases."""
    found = list(_dead_units(model))
    biased = [one for one in found if one.cause == "biased_off"]
    yield from (one for one in found if one.cause != "biased_off")
    if biased:
        places = dict.fromkeys(place for one in biased for place in one.places)
        yield joined(max(biased, key=rank), tuple(places))


def _dead_units(model: Model) -> Iterator[Finding]:
    """Yield layers with more units off than chance explains."""
    dead = False
    for use in model.uses:
        if not _may_be_off(use) or (use.gate and not _silences_all(model, use)):
            continue
        if use.zero and not use.joined:
            continue  # what is added to zeros, as to an adapter's, may shut units
        biased = [one for one in model.added_up(use) if _is_biased_off(model, one)]
        betas = _shutting_betas(model, use)
        off, flat = _shares_off(model, use, biased=bool(biased))
        # One pixel in a thousand is on: of many, some example has one.
        silent, off = off > _ALL, max(off, flat if betas and flat > _NEARLY_ALL else 0)
        proven = bool(biased) and off > _BIASED
        if not (proven or off > _MOSTLY):
            continue
        expected, most = _by_chance(model, use)
        if model.facts.output.examples == 1:
            silent &= off > most
        if not (proven or off > most or silent):
            continue
        if dead and not (proven or betas):
            continue  # behind a layer that says nothing, nobody has anything to say
        dead |= off > _ALL
        largest = max((model.of("biased_off", one.index) for one in biased), default=0)
        severity: Severity = "error" if off > _ALL or largest > 0.25 else "warning"
        if not (proven or silent) and is_narrow(model, use):
            severity = "info"  # a matter of the seed
        blame = _of_betas(betas) if betas else _of_weights(
            model, use, biased if proven else []
        )  # fmt: skip
        yield Finding(
            id="WI12", severity=severity, cause=blame.cause, module=blame.module,
            parameter=blame.places[0], measured=off, expected=expected,
            places=blame.places,
            evidence={
                "units": model.of("activation_units", use.index),
                "examples": model.facts.output.examples or "unknown size",
                **blame.evidence,
            },
        )  # fmt: skip


def _shares_off(model: Model, use: WeightUse, *, biased: bool) -> tuple[float, float]:
    """Return the share of units that are off for every example, and of flat slopes.

    The slope of a GELU that a bias keeps low is next to nothing long before it is none.
    A softplus makes steps, which start small by design.
    """
    off = model.of("inactive_units", use.index) / model.of(
        "activation_units", use.index
    )
    flat = model.of("saturated_share", use.index)
    if biased and use.activation in _SMOOTH - {"softplus"} and flat > _MOSTLY:
        off = max(off, flat)
    return off, flat


def _by_chance(model: Model, use: WeightUse) -> tuple[float, float]:
    """Return the share of units that chance turns off, and the most that is chance."""
    units = model.of("activation_units", use.index)
    examples = model.facts.output.examples
    expected = _off_by_chance(model.of("cosine", use.index), examples)
    beyond = _BEYOND_THEORY
    if 0 < expected < 1:  # what is nearly alike turns a unit off or on as one
        beyond = max(beyond, _FEW_COINS * math.sqrt(expected * (1 - expected) / units))
    if examples == 1:  # each unit is a coin, and a few coins may all fall alike
        beyond = max(beyond, _FEW_COINS * math.sqrt(0.25 / units))
    if math.isnan(expected):  # of whole layers
        return 0.0, math.inf
    return expected, expected + beyond


def _of_betas(betas: Sequence[ParameterReading]) -> _Blame:
    first, names = betas[0], tuple(beta.name for beta in betas)
    module = first.name.rpartition(".")[0]
    return _Blame("biased_off", module, names, {"bias_mean": first.mean})


def _of_weights(model: Model, use: WeightUse, biased: Sequence[WeightUse]) -> _Blame:
    """Blame the biases that are proven to shut units, or else the weights."""
    blamed = biased or _below_zero(model, use) or [use]
    place = use if use in blamed else blamed[0]
    names = [one.bias if biased else one.parameter for one in (place, *blamed)]
    return _Blame(
        "biased_off" if biased else "inactive_units",
        place.module,
        tuple(dict.fromkeys(name for name in names if name)),
        {
            "bias_mean": model.of("bias_mean", place.index),
            "bias": place.bias if _is_below_by_bias(model, place) else "",
        },
    )


def _may_be_off(use: WeightUse) -> bool:
    """Whether an activation is flat below 0: a leaky one that starts without slope."""
    as_relu = use.activation == "leaky_relu" and use.negative_slope == 0
    return as_relu or use.activation in RECTIFIERS | _SMOOTH


def _silences_all(model: Model, gate: WeightUse) -> bool:
    """Whether nothing is left of what a gate lets pass, as of experts that are off."""
    heads = [use for use in model.uses if use.head and gate.index in use.previous]
    known = model.parameter(gate.parameter)
    stuck = known is not None and bool(known.later_gradient_zero)
    return stuck and any(model.of("given_rms", one.index) == 0 for one in heads)


def _is_biased_off(model: Model, use: WeightUse) -> bool:
    """Whether a bias keeps units below 0, and not as many above.

    Biases that drown a signal without a preference are another fault.
    """
    off, on = (model.of(f"biased_{way}", use.index) for way in ("off", "on"))
    chance = _BY_CHANCE * math.sqrt((off + on) / model.of("units", use.index))
    lopsided = off - on > chance or (on == 0 and off > _MOSTLY)
    return lopsided and not use.normed and off > _BIASED


def _is_below_by_bias(model: Model, use: WeightUse) -> bool:
    """Whether a bias below 0 is most of what units are given, if no proof for each."""
    mean = model.of("bias_mean", use.index)
    return mean < -_MOSTLY * model.of("preactivation_rms", use.index) < 0


def _below_zero(model: Model, use: WeightUse) -> list[WeightUse]:
    """Return what of a sum has weights below 0, mostly."""
    return [
        one
        for one in model.added_up(use)
        if model.of("weight_mean", one.index)
        < -_OFF_CENTRE * model.of("weight_std", one.index)
    ]


def _off_by_chance(cosine: float, examples: int) -> float:
    """Return the share of units that chance turns off; nan where it is not known."""
    if math.isfinite(cosine):
        # Outputs may be summed over a batch that the layers see one by one.
        correlation = min(max(cosine, 0.0), 1.0)
        return theory.orthant_probability(correlation, max(2, examples))
    return 0.5 if examples == 1 else math.nan


def _shutting_betas(model: Model, use: WeightUse) -> list[ParameterReading]:
    """Return betas that keep what was normalized below 0: of a layer, or of a sum."""
    every = model.facts.norms
    norms = [every[use.norm_after]] if use.norm_after is not None else []
    if not norms:
        parts = {part.index for part in model.added_up(use) if part.normed}
        norms = [norm for norm in every if parts & {*norm.before}]
    shut = []
    for norm in norms:
        beta = model.parameter(norm.beta) if norm.beta else None
        if beta is not None and beta.mean < -_FAR_BELOW * norm.gamma_rms < 0:
            shut.append(beta)
    return shut
