"""Checks of weights' scales: gains and fans, layer against layer and against laws."""

import math
from collections.abc import Iterator, Mapping, Sequence

from initlab.activations import ACTIVATIONS
from initlab.analysis.findings._fans import (
    is_default,
    whole_law,
    wrong_fan,
)
from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import (
    FANS,
    LawFit,
    are_quiet,
    expected_std,
    laws,
    noise,
    std,
    wanted_gain,
    weights_with_a_law,
)
from initlab.analysis.findings._model import Model
from initlab.messages import SEVERITIES, Severity
from initlab.spec import WeightUse

# A layer whose std is off by more is no variant of its siblings' law.
_OUTLIER, _FAR_OUTLIER = math.log(3.0), math.log(30.0)
# Variances of entries times fan_in beyond which no scheme in use lies.
_HIGHEST, _HIGHEST_SQUASHED = 30.0, 60.0
# Behind a batch norm, dense layers of 3e-5 learned nothing in 60 steps of SGD.
_LOWEST, _BESIDE = 4e-5, 10.0
# Of a normalization's factor, what an epsilon far over a variance leaves.
_UNDER_EPSILON = 0.05
# What a first layer makes of inputs, at most, to be next to nothing.
_LOST = 0.01
# DDPG's from pixels (Lillicrap et al., 2016) has 9e-6 behind 300 units.
_TINY_HEAD = 3e-6
# Of factors: ten times Kaiming's std is one of 200, of PyTorch's own start one of 33.
_NEARLY = 9.0


def off_scale(model: Model) -> Iterator[Finding]:
    """WI05, WI06: a layer's scale is off, against its siblings or any law."""
    every = weights_with_a_law(model)
    inner = [
        use for use in every
        if not (use.head or use.branch_end or _reads_inputs(use))
    ]  # fmt: skip
    ends = [use for use in every if use.branch_end and not use.head]
    found: dict[int, Finding] = {}
    groups = [
        [use for use in group if use.layer.kind == kind]
        for group in (inner, ends)
        for kind in ("linear", "conv")
    ]
    for group in groups:
        # What no scheme makes is no law that others could be off.
        beyond = {use.index: _against_all(model, use) for use in group}
        fits = laws(model, [use for use in group if beyond[use.index] is None])
        for use in group:
            odd = beyond[use.index] or _against_siblings(model, use, fits)
            odd = odd or _next_to_nothing(model, use)
            if odd is not None:
                found[use.index] = odd
        found |= _nearly_beyond(model, group, found)
    for use in every:
        odd = _head(model, use) if use.head else None
        if _reads_inputs(use) and not use.head:
            odd = _against_all(model, use) or _next_to_nothing(model, use)
        if odd is not None:
            found[use.index] = odd
    yield from _by_cause(list(found.values()))
    yield from whole_law(model, inner, set(found))


def _nearly_beyond(
    model: Model, group: Sequence[WeightUse], found: Mapping[int, Finding]
) -> dict[int, Finding]:
    """Return findings of layers nearly as loud as others that no scheme makes.

    One cause made both, and to mend some of them would leave the others.
    """
    loud = [
        model.weight_factor(use.index)
        for use in group
        if use.index in found and found[use.index].cause == "beyond_any_law"
    ]
    if not loud:
        return {}
    return {
        use.index: _finding(model, use, math.log(factor / wanted_gain(use) ** 2) / 2,
                            None, reference=None)
        for use in group
        if use.index not in found
        and (factor := model.weight_factor(use.index)) > min(loud) / _NEARLY
        and factor > _NEARLY * wanted_gain(use) ** 2
    }  # fmt: skip


def _reads_inputs(use: WeightUse) -> bool:
    """Whether a layer is given the inputs, and not only layers mixed along edges."""
    return use.stem and not (use.mixed and use.previous)


def _against_siblings(
    model: Model, use: WeightUse, fits: Sequence[LawFit]
) -> Finding | None:
    """Return a finding where a layer is off under every law that the others follow."""
    if not fits:
        return None
    nearest = min(fits, key=lambda fit: abs(fit.away[use.index]))
    away = nearest.away[use.index]
    limit = _OUTLIER + noise(use)
    if use.normed and is_default(model, use):
        return None
    if away > 0 and model.weight_factor(use.index) < 1.1 * wanted_gain(use) ** 2:
        return None  # loud beside quiet siblings, but not by itself
    # Of an output as well, as a log-variance in a model's middle, little is a choice.
    chosen = use.given_out or _scales_attention(model, use)
    if abs(away) <= limit or (away < 0 and chosen):
        return None
    if away < 0 and _only_feeds_zeros(model, use):
        return None
    return _finding(model, use, away, nearest, reference=nearest.gain)


def _only_feeds_zeros(model: Model, use: WeightUse) -> bool:
    """Whether all that a layer gives meets zeros by design, as DiT's conditions do."""
    fed = [one for one in model.uses if use.index in one.previous]
    return bool(fed) and all(one.zero for one in fed)


def _scales_attention(model: Model, use: WeightUse) -> bool:
    """Whether a query or key does what its attention does not: T5's are like that."""
    return any(
        use.index in each.uses and not each.scaled for each in model.facts.attentions
    )


def _against_all(model: Model, use: WeightUse) -> Finding | None:
    """Return a finding where a layer is larger than any scheme makes it."""
    # What it does counts: at borders and strides a unit may see a part of its fan.
    given, made = (
        model.of(name, use.index) for name in ("given_rms", "preactivation_rms")
    )
    factor = (made / given) ** 2 if given > 0 else 0.0
    factor = min(factor, model.weight_factor(use.index))
    known = ACTIVATIONS.get(use.activation)
    squashed = known is not None and known.saturates
    limit = _HIGHEST_SQUASHED if squashed else _HIGHEST
    # Where fans differ, other fans than the own one are in use.
    own = FANS["fan_in"](use.layer)
    others = [FANS[name](use.layer) for name in ("fan_out", "fan_avg")]
    limit *= max(1.0, *(own / other for other in others))
    if use.layer.transposed:
        limit *= max(1.0, own / FANS["torch's fan_in"](use.layer))
    if not factor > limit:
        return None
    away = math.log(factor / limit) / 2 + math.log(3)
    return _finding(model, use, away, None, reference=None)


def _next_to_nothing(model: Model, use: WeightUse) -> Finding | None:
    """Return a finding where a layer that all must pass hands on next to nothing.

    In branches, before a normalization or as a scale it may be meant to. Where most
    are quiet, that is a finding of all.
    """
    passed = use.activation not in ("identity", "unknown") and use.block is None
    # Numbers that are large, as years, are made small.
    passed &= not use.stem or model.of("preactivation_rms", use.index) < _LOST
    lost = _is_under_epsilon(model, use)
    designed = (use.normed and not lost) or use.added or use.given_out or use.joined
    factor = model.weight_factor(use.index)
    if not passed or designed or not 0 < factor < _LOWEST:
        return None
    others = [
        one for one in weights_with_a_law(model) if not (one.head or one is use)
    ]  # fmt: skip
    if (are_quiet(model, others) and not lost) or _is_beside(model, use):
        return None
    away = math.log(factor / wanted_gain(use) ** 2) / 2
    return _finding(model, use, away, None, reference=None)


def _is_under_epsilon(model: Model, use: WeightUse) -> bool:
    """Whether a normalization leaves a layer's output quiet, for its epsilon."""
    norm = None if use.norm_after is None else model.facts.norms[use.norm_after]
    left = model.of("activation_rms", use.index)
    return norm is not None and left < _UNDER_EPSILON * norm.gamma_rms


def _is_beside(model: Model, use: WeightUse) -> bool:
    """Whether what reads a layer is given much more by others, or added to others."""
    readers = [one for one in model.uses if use.index in one.previous]
    made = model.of("activation_rms", use.index)
    return not readers or any(
        one.added or model.of("given_rms", one.index) > _BESIDE * made
        for one in readers
    )


def _head(model: Model, use: WeightUse) -> Finding | None:
    factor = model.weight_factor(use.index)
    if factor > _HIGHEST:
        return _against_all(model, use)
    if not 0 < factor < _TINY_HEAD:
        return None
    # Behind a normalization one step of Adam takes it as far as from 0, which is a
    # design; BEiT starts like that. So do wide parts beside deep ones.
    designed = use.norm_before or (use.added and _is_beside_another(model, use))
    return Finding(
        id="WI05", severity="info" if designed else "warning",
        cause="tiny_head", module=use.module,
        parameter=use.parameter, measured=factor, expected=1.0,
    )  # fmt: skip


def _is_beside_another(model: Model, use: WeightUse) -> bool:
    """Whether a head that is not next to zero is added to what another one makes."""
    return any(
        other.added and other is not use
        and not model.weight_factor(other.index) < _TINY_HEAD
        for other in model.uses
    )  # fmt: skip


def _finding(
    model: Model,
    use: WeightUse,
    away: float,
    law: LawFit | None,
    reference: float | None,
) -> Finding:
    own = FANS["fan_in"](use.layer)
    gain = reference if law is not None and law.fan == "fan_in" else None
    expected = expected_std(use, law)
    wrong = None
    if not model.is_read_both_ways(use):
        wrong = wrong_fan(use, std(model, use), (gain,) if gain else ())
    severity: Severity = "error" if abs(away) > _FAR_OUTLIER else "warning"
    evidence = {
        "factor": math.exp(abs(away)),
        "direction": "larger" if away > 0 else "smaller",
        "fan_in": own,
        "std": std(model, use),
        "expected_std": expected,
        "ratios": {use.parameter: expected / std(model, use)},
        "law": law.fan if law is not None else "",
        "formula_that_fits": wrong or "",
        "normed": use.normed,
    }
    return Finding(
        id="WI06" if wrong else "WI05",
        severity=severity,
        cause="wrong_fan" if wrong else (
            "off_its_siblings" if law is not None
            else "beyond_any_law" if away > 0 else "next_to_nothing"
        ),
        module=use.module,
        parameter=use.parameter,
        measured=model.weight_factor(use.index),
        expected=own * expected**2,
        evidence=evidence,
        places=(use.parameter,),
    )  # fmt: skip


def _by_cause(found: Sequence[Finding]) -> Iterator[Finding]:
    """Join layers that are off in the same way into one finding."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for one in found:
        key = (
            one.cause,
            str(one.evidence.get("direction", "")),
            str(one.evidence.get("formula_that_fits", "")),
        )
        groups.setdefault(key, []).append(one)
    for group in groups.values():
        worst = max(group, key=lambda f: float(f.evidence.get("factor", 0.0)))
        places = tuple(f.parameter for f in group if f.parameter)
        first = worst if len(group) < 3 else group[0]
        severity = max((f.severity for f in group), key=SEVERITIES.index)
        ratios = {name: ratio for f in group
                  for name, ratio in f.evidence.get("ratios", {}).items()}  # fmt: skip
        yield Finding(
            id=first.id, severity=severity, cause=first.cause,
            module=first.module, parameter=first.parameter, measured=first.measured,
            expected=first.expected, evidence={**first.evidence, "ratios": ratios},
            places=places,
        )  # fmt: skip
