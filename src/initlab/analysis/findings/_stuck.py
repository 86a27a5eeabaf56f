"""WI03: weights that no gradient ever reaches, and what keeps it from them."""

import math
from collections.abc import Iterator, Sequence

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.analysis.findings._ways import leads_around
from initlab.messages import FindingCause
from initlab.spec import Block, ParameterReading, WeightUse

_FLAT = 0.99


def factor_of_zero_at(zeros: ParameterReading, after: str) -> Finding:
    """Return that a factor of zeros stops what comes after a weight."""
    return at_parameter(
        zeros, "WI03", "error", "factor_of_zero", measured=0.0, expected=1.0,
        evidence={"after": after}, places=(zeros.name,),
    )  # fmt: skip


def never_moves(model: Model) -> Iterator[Finding]:
    """Yield one finding for weights that get no gradient now nor after a step.

    A loss of 0, as where all examples keep a margin, has none for anything.
    """
    if model.facts.output.loss == 0:
        return
    # Behind zeros that move first, float16 rounds the first gradients to 0.
    # A factor, as of ReZero, has them by one number; a bias holds up nothing.
    zeros = any(
        p.largest == 0 and not p.frozen and not _is_added(p)
        for p in model.facts.parameters
    )
    stuck = [
        p for p in model.facts.parameters
        if p.later_gradient_zero and p.gradient_zero
        and len(p.shape) > 1 and math.prod(p.shape)
        and p.role in ("weight", "embedding")
        and not (zeros and p.dtype == "float16")
    ]  # fmt: skip
    if stuck:
        designed, gate = _are_designed(model, stuck), _gate_that_is_off(model, stuck)
        squashing = None if designed else _squashing(model, stuck)
        factor = None if designed else _factor_of_zero(model, stuck)
        if factor is not None:
            yield factor_of_zero_at(*factor)
            return
        if squashing is not None:
            name, after = squashing
            known = model.parameter(name)
            assert known is not None
            yield at_parameter(
                known, "WI03", "error", "squashed",
                measured=math.hypot(known.mean, known.std), expected=0.0,
                evidence={"after": after},
                places=(name,),
            )  # fmt: skip
            return
        beside: FindingCause = "has_no_effect" if gate is None else "gate_is_off"
        yield at_parameter(
            stuck[0], "WI03", "info" if designed else "error",
            beside if designed else "never_moves", measured=0.0, expected=math.nan,
            evidence={"gate": gate.module} if gate is not None else {},
            places=tuple(p.name for p in stuck),
        )  # fmt: skip


def _squashing(
    model: Model, stuck: Sequence[ParameterReading]
) -> tuple[str, str] | None:
    """Return what made zeros of what a weight is given, by no layer; and the weight."""
    names = {p.name for p in stuck}
    for use in model.uses:
        by = model.parameter(use.silenced_by) if use.silenced_by else None
        if by is not None and not by.frozen and names & set(use.sources):
            return by.name, use.parameter
    return None


def _factor_of_zero(
    model: Model, stuck: Sequence[ParameterReading]
) -> tuple[ParameterReading, str] | None:
    """Return zeros that no layer has, by which what a layer gives is multiplied.

    They are all that an activation is given of it, and get no gradient either.
    """
    names = {p.name for p in stuck}
    owned = {name for use in model.uses for name in (*use.sources, use.bias)}
    for use in model.uses:
        lost = model.of("entering_rms", use.index) == 0
        if not lost or not model.of("preactivation_rms", use.index) > 0:
            continue
        for p in model.facts.parameters:
            fits = math.prod(p.shape) in (1, model.of("units", use.index))
            still = p.largest == 0 and p.later_gradient_zero and p.name not in owned
            if still and fits and not p.frozen and names & {*use.sources}:
                return p, use.parameter
    return None


def _gate_that_is_off(
    model: Model, stuck: Sequence[ParameterReading]
) -> WeightUse | None:
    """Return the first gate of these weights whose units are all off."""
    names = {p.name for p in stuck}
    gates = [u for u in model.uses if u.gate and names & set(u.sources)]
    return next((use for use in gates if _is_flat(model, use)), None)


def _are_designed(model: Model, stuck: Sequence[ParameterReading]) -> bool:
    """Whether weights without a gradient are beside the way, and nothing is 0 there.

    So it is with queries and keys where a softmax has one key, with what makes tokens
    that the head does not read, and with a gate that this batch turns off. Of a layer
    that reads backwards, the last position has taken one step, from a state of zeros.
    """
    if any(p.dtype in ("float16", "bfloat16") for p in stuck):
        return False  # rounded to 0
    names = {p.name for p in stuck}
    blocked = {
        use.index for use in model.uses
        if names & set(use.sources)
        and not (use.role == "recurrent" and use.parameter.endswith("_reverse"))
    }  # fmt: skip
    heads = {use.index for use in model.uses if use.head}
    if heads <= blocked or not leads_around(model, blocked):
        return False
    zeros = any(
        p.largest == 0 and (p.frozen or p.later_gradient_zero) and not _is_added(p)
        for p in model.facts.parameters
    )
    # What reads the positions of one token is given zeros that are the model's own.
    fed = [use for use in model.uses if not use.gate and (use.stem or use.previous)]
    flat = any(_is_flat(model, use) for use in fed)
    return not (zeros or flat or any(_is_off(model, b) for b in model.facts.blocks))


def _is_added(parameter: ParameterReading) -> bool:
    """Whether zeros of it stop nothing; beside the way only its name says so."""
    unknown = parameter.role == "other" and parameter.name.endswith("bias")
    return unknown or parameter.role in ("bias", "beta", "shift")


def _is_flat(model: Model, use: WeightUse) -> bool:
    """Whether a layer is given zeros, or all that it makes is where slopes are 0."""
    units = model.of("activation_units", use.index)
    return (
        model.of("given_rms", use.index) == 0
        or model.of("saturated_share", use.index) > _FLAT
        or model.of("inactive_units", use.index) >= units > 0
    )


def _is_off(model: Model, block: Block) -> bool:
    """Whether a factor that is no parameter makes one side of a block 0."""
    if block.branch_rms != 0 and block.skip_rms != 0:  # nan where no example came by
        return False
    norms = [model.facts.norms[number] for number in block.norms]
    factors = [model.parameter(name) for name in block.scales]
    return not (
        any(model.uses[number].zero for number in block.uses)
        or any(norm.gamma_zero for norm in norms)
        or any(factor is not None and factor.largest == 0 for factor in factors)
    )
