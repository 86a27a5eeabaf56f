"""Checks of residual trunks: growth, and normalizations that are switched off."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.messages import FindingCause
from initlab.spec import Block, NormUse, ParameterReading

# Of the trunk's size over all its blocks; a sum of 100 equal branches grows by 10.
_GROWTH_WARNING, _GROWTH_ERROR = math.log(30.0), math.log(1e3)
# Growth per block that does not level off: each branch as large as its trunk. Where
# branches normalize what they read, growth levels off by itself, and ends late in a
# short trunk that starts quiet, where copies of one layer add up in step.
_PER_BLOCK, _PER_NORMED_BLOCK = 1.15, 1.32
# Of fewer factors the signs may be chance.
_FEWEST_FACTORS, _QUIET_FACTOR = 8, 0.5
# No branch starts with a factor over 1.
_LOUD_SCALE = 2.0
# Of 600 healthy models none has a smaller one but at the end of a branch.
_TINY_FACTOR = 0.02


def residual_growth(model: Model) -> Iterator[Finding]:
    """WI16: a trunk that grows block by block, faster than a sum of equals would."""
    for trunk in _trunks(model):
        ratios = [b.sum_rms / b.skip_rms for b in trunk if b.skip_rms > 0]
        if len(ratios) < 2 or not np.isfinite(ratios).all():
            continue
        if not (trunk[0].skip_rms > 0 and trunk[-1].sum_rms > 0):
            continue
        late = float(np.median(ratios[len(ratios) // 2 :]))
        growth = math.log(trunk[-1].sum_rms / trunk[0].skip_rms)
        per_block = math.exp(growth / len(ratios))
        normed = any(block.norms for block in trunk)
        limit = _PER_NORMED_BLOCK if normed else _PER_BLOCK
        if not (growth > _GROWTH_WARNING and late > limit):
            continue
        worst = trunk[int(np.argmax(ratios))]
        place = model.uses[worst.ends[-1]] if worst.ends else None
        factor = _last_factor(model, worst)
        ends = [model.uses[end].parameter for block in trunk for end in block.ends]
        factors = [scale for block in trunk for scale in _factors(model, block)]
        loud = factor is not None and _is_loud(model, factor)
        if loud:
            ends = []  # they are as they would be without it
        yield Finding(
            id="WI16",
            severity="error" if growth > _GROWTH_ERROR else "warning",
            cause="residual_growth",
            module=place.module if place else worst.module,
            parameter=factor or (place.parameter if place else None),
            measured=per_block,
            expected=math.sqrt(1 + 1 / len(ratios)),
            evidence={
                "blocks": len(ratios), "growth": math.exp(growth), "factor": loud,
            },
            places=tuple(dict.fromkeys([*ends, *factors])),
        )  # fmt: skip


def _is_loud(model: Model, factor: str) -> bool:
    """Whether a factor makes a branch far louder than its layers do."""
    known = model.parameter(factor)
    return known is not None and math.hypot(known.mean, known.std) > _LOUD_SCALE


def _last_factor(model: Model, block: Block) -> str | None:
    """Return the last factor that makes a branch loud, or that it has at all."""
    return next(iter(_factors(model, block)[::-1]), None)


def _factors(model: Model, block: Block) -> list[str]:
    """Return what multiplies a branch: its scales, and loud factors at its end."""
    ends = [model.facts.norms[number] for number in block.norms]
    loud = model.loud_factor(norm for norm in ends if norm.branch_end)
    return [*block.scales, *([loud] if loud else [])]


def _trunks(model: Model) -> Iterator[Sequence[Block]]:
    """Yield runs of blocks on a trunk that nothing normalizes in between."""
    run: list[Block] = []
    for block in model.facts.blocks:
        if block.outer is not None:
            continue
        # A skip that is not what the last sum was begins another trunk.
        if run and not 0.2 < block.skip_rms / max(run[-1].sum_rms, 1e-30) < 5:
            yield run
            run = []
        run.append(block)
        if block.post_norm:
            yield run
            run = []
    if run:
        yield run


def gamma_zero(model: Model) -> Iterator[Finding]:
    """WI17: a factor of 0 where no other way leads on, or that a branch starts with."""
    found, stops = [], False
    for norm in model.facts.norms:
        if norm.gamma_zero < 1 or norm.parameter is None:
            continue
        facts = model.parameter(norm.parameter)
        if facts is None or facts.frozen:
            continue
        on_trunk = norm.block is None and not _beside_a_skip(model, norm.before)
        halts = on_trunk or bool(facts.later_gradient_zero)
        stops |= halts
        if halts or _starts_a_branch(model, norm):
            found.append(norm)
    # Behind one on the way that is left, zeros at the ends of branches only wait; so do
    # they behind other zeros of their own branch.
    found = [norm for norm in found if norm.block is None] or found
    found = [norm for norm in found if not _waits(model, norm, found)]
    if found:
        first = found[0]
        yield Finding(
            id="WI17", severity="error" if stops else "warning",
            cause="gamma_zero", module=first.module,
            parameter=first.parameter, measured=0.0, expected=1.0,
            places=tuple(n.parameter for n in found if n.parameter),
        )  # fmt: skip


def _starts_a_branch(model: Model, norm: NormUse) -> bool:
    """Whether a normalization is the first of a branch: given what the trunk has.

    At the end of one, also before a gate, a factor of 0 is a design.
    """
    if norm.block is None or norm.branch_end:
        return False
    return not {*norm.before} & {*model.facts.blocks[norm.block].uses}


def _waits(model: Model, norm: NormUse, found: Sequence[NormUse]) -> bool:
    """Whether the factor at a branch's end is 0 by design, and other zeros are not."""
    if norm.block is None or not norm.branch_end:
        return False
    first = any(one.block == norm.block and not one.branch_end for one in found)
    facts = [model.parameter(u.parameter) for u in model.uses
             if u.zero and u.block == norm.block]  # fmt: skip
    return first or any(p is not None and p.later_gradient_zero for p in facts)


def quiet_gammas(model: Model) -> Iterator[Finding]:
    """WI17: factors of normalizations drawn around 0, as weights are, or next to it."""
    if model.facts.trained:
        return
    factors = {norm: _own_factor(model, norm) for norm in model.facts.norms}
    drawn = {
        norm: factor is not None and _is_about_zero(factor)
        for norm, factor in factors.items()
    }
    of_causes: dict[FindingCause, list[NormUse]] = {
        "gamma_about_zero": [norm for norm in factors if drawn[norm]],
        "gamma_tiny": [
            norm for norm, factor in factors.items()
            if factor is not None and not drawn[norm] and not norm.branch_end
            and 0 < norm.gamma_rms < _TINY_FACTOR
        ],
    }  # fmt: skip
    for cause, found in of_causes.items():
        if found:
            yield Finding(
                id="WI17", severity="warning", cause=cause, module=found[0].module,
                parameter=found[0].parameter, measured=found[0].gamma_rms, expected=1.0,
                places=tuple(n.parameter for n in found if n.parameter),
            )  # fmt: skip


def _own_factor(model: Model, norm: NormUse) -> ParameterReading | None:
    """Return the parameter that a normalization multiplies by, where it may learn.

    What is a factor of 1 + gamma is not seen as its parameter.
    """
    facts = model.parameter(norm.parameter) if norm.parameter else None
    if facts is None or facts.frozen:
        return None
    own = math.hypot(facts.mean, facts.std)
    return facts if own > 0 and 0.5 < norm.gamma_rms / own < 2 else None


def _is_about_zero(factor: ParameterReading) -> bool:
    """Whether a factor's signs are chance; RepVGG's have a deviation of their mean.

    The mean of few numbers is off by itself: 3.5 of its standard errors are luck.
    """
    count = math.prod(factor.shape)
    if count < _FEWEST_FACTORS:
        return False
    size = math.hypot(factor.mean, factor.std)
    near = factor.std * max(0.5, 3.5 / math.sqrt(count))
    return abs(factor.mean) < near and size < _QUIET_FACTOR


def _beside_a_skip(model: Model, before: Sequence[int]) -> bool:
    """Whether a normalization is that of a projection, whose branch goes on."""
    skips = {use for block in model.facts.blocks for use in block.skip_uses}
    return bool(before) and set(before) <= skips
