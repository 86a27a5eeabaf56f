"""Checks of single tensors: finite, not dead, with updates of more than one rank."""

import math
from collections.abc import Iterator, Sequence

from initlab.analysis.findings._finding import Finding, Severity
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_name, at_parameter, at_use, joined
from initlab.spec import Block, ParameterReading, WeightUse

# Largest numbers of the types, and the share of them that is as good as infinite.
_LARGEST = {"float16": 65504.0, "bfloat16": 3.39e38, "float32": 3.4e38}
_NEAR_LARGEST = 0.1
# Of fan_in times the second moment of entries; schemes in use stay under 30.
_BEYOND_ANY_LAW = 60.0
_RANK_ONE = 0.9999
# The square of it is what _RANK_ONE leaves to other directions.
_ONE_DIRECTION = 0.01
# Of float32 sums; numbers that depend on the inputs differ by far more.
_THE_SAME = 1e-6
_FLAT = 0.99
_FEWEST_CLASSES = 3
_FEWEST_ROWS = 3


def not_finite(model: Model) -> Iterator[Finding]:
    """WI01: a parameter, an activation or a gradient is nan, infinite, or nearly."""
    bad = [p for p in model.facts.parameters if p.nonfinite]
    for parameter in bad:
        yield at_parameter(
            parameter, "WI01", "error", "nonfinite_parameter",
            measured=float(parameter.nonfinite), expected=0.0,
        )  # fmt: skip
    lost = model.facts.lost_buffers
    if lost:
        yield at_name(lost[0], "WI01", "error", "lost_buffer", measured=math.nan,
                     places=lost)  # fmt: skip
    if bad or lost:
        return
    overflowed = next((p for p in model.facts.parameters if p.overflows_in), None)
    if overflowed is not None and _arrives_lost(model):
        yield at_parameter(
            overflowed, "WI01", "error", "overflows", measured=overflowed.mean,
            expected=0.0, evidence={"function": overflowed.overflows_in},
            places=(overflowed.name,),
        )  # fmt: skip
        return
    for use in model.uses:
        count = model.of("nonfinite_outputs", use.index)
        kind = model.parameter(use.parameter)
        limit = _LARGEST.get(kind.dtype if kind else "float32", 3.4e38) * _NEAR_LARGEST
        largest = model.of("largest_output", use.index)
        if count > 0 and use.stem and model.facts.output.input_nan:
            yield Finding(
                id="WI01", severity="error", cause="nan_inputs", module="",
                measured=float(model.facts.output.input_nan), expected=0.0,
                evidence={"after": use.parameter},
            )  # fmt: skip
            return
        if count > 0 or largest > limit:
            grown = _grown_before(model, use)
            first = grown[0] if grown else use
            beyond = "nonfinite_output" if count > 0 else "nearly_infinite"
            yield Finding(
                id="WI01", severity="error", module=first.module,
                cause="grows_beyond" if grown else beyond,
                parameter=first.parameter, measured=count if count > 0 else largest,
                expected=0.0 if count > 0 else limit,
                evidence={
                    "factor": model.weight_factor(first.index), "after": use.parameter,
                },
                places=tuple(one.parameter for one in grown),
            )  # fmt: skip
            return
    output = model.facts.output
    lost_loss = bool(output.loss_kind) and not math.isfinite(output.loss)
    if lost_loss and output.target_nonfinite and not output.nonfinite:
        yield Finding(
            id="WI01", severity="error", cause="nonfinite_targets", module="",
            measured=float(output.target_nonfinite), expected=0.0,
            evidence={"loss": output.loss},
        )  # fmt: skip
        return
    if output.nonfinite or lost_loss:
        yield Finding(
            id="WI01", severity="error", cause="nonfinite_loss", module="",
            measured=output.loss, expected=output.prior_loss,
        )  # fmt: skip
        return
    for parameter in model.facts.parameters:
        if parameter.gradient_nonfinite:
            yield at_parameter(
                parameter, "WI01", "error", "nonfinite_gradient",
                measured=float(parameter.gradient_nonfinite), expected=0.0,
            )  # fmt: skip
            return


def _arrives_lost(model: Model) -> bool:
    """Whether anything that a layer gives, an output or the loss is nan or infinite."""
    output = model.facts.output
    lost_loss = bool(output.loss_kind) and not math.isfinite(output.loss)
    return bool(output.nonfinite) or lost_loss or any(
        model.of("nonfinite_outputs", use.index) > 0 for use in model.uses
    )  # fmt: skip


def _grown_before(model: Model, arrived: WeightUse) -> list[WeightUse]:
    """Return the weights beyond any law on the way to where numbers overflow."""
    below = {arrived.index}
    for use in reversed(model.uses[: arrived.index + 1]):
        if use.index in below:
            below |= {number for number in use.previous if number < use.index}
    return [
        use for use in model.fresh()
        if use.index in below and use.layer.kind in ("linear", "conv")
        and model.weight_factor(use.index) > _BEYOND_ANY_LAW
    ]  # fmt: skip


def dead_zeros(model: Model) -> Iterator[Finding]:
    """WI03: zeros that stop the signal or never move; designed zeros are silent."""
    dead: list[Finding] = []
    for use in model.uses:
        columns = model.of("zero_inputs", use.index)
        if use.zero and not (use.frozen and use.adapter):
            dead += _dead_weight(model, use)
        elif columns > 0 and _holds_up_a_cell(model, use):
            yield at_use(
                use, "WI03", "warning", "zero_inputs", measured=columns, expected=0.0,
                evidence={"inputs": model.fan_in(use.index)},
            )  # fmt: skip
        elif use.layer.kind != "embedding" and use.activation in _RECTIFIED:
            zero = model.of("zero_units", use.index)
            units = model.of("units", use.index)
            if zero > 0 and not use.normed:
                severity: Severity = "error" if zero > units / 4 else "warning"
                yield at_use(
                    use, "WI03", severity, "zero_units", measured=zero, expected=0.0,
                    evidence={"units": units},
                )  # fmt: skip
    if dead:
        first = next((d for d in dead if d.severity == "error"), dead[0])
        names = tuple(d.parameter for d in dead if d.parameter)
        yield joined(first, names)
        return
    yield from _never_moves(model)


_RECTIFIED = frozenset({"relu", "relu6"})


def _dead_weight(model: Model, use: WeightUse) -> list[Finding]:
    facts = model.parameter(use.parameter)
    later = facts.later_gradient_zero if facts is not None else None
    if later:
        held = _frozen_zeros_behind(model, use)
        return [
            at_use(one, "WI03", "error", "dead_zero_weight", measured=0.0,
                    expected=math.nan)
            for one in (held or [use])
        ]  # fmt: skip
    designed = (
        use.head or use.branch_end or use.adapter or use.gate or use.role
        or use.layer.kind == "embedding" or use.block is not None
        or _ends_in_linear_layers(model, use)
    )  # fmt: skip
    if designed and not _in_empty_cell(model, use):
        # Some learn from there, if late.
        late = _holds_up_a_cell(model, use)
        return [_zero_on_trunk(use, "warning")] if late else []
    if _leads_around(model, {one.index for one in model.uses if one.zero}):
        return []
    return [_zero_on_trunk(use)]


def _frozen_zeros_behind(model: Model, use: WeightUse) -> list[WeightUse]:
    """Return the heads that are zeros and stay so, if no other is behind a weight."""
    heads = [one for one in model.uses if one.head and one.index > use.index]
    stuck = [one for one in heads if one.zero and one.frozen]
    return stuck if stuck == heads else []


def _zero_on_trunk(use: WeightUse, severity: Severity = "error") -> Finding:
    return at_use(use, "WI03", severity, "zero_weight_on_trunk", measured=0.0,
                  expected=math.nan)  # fmt: skip


def _holds_up_a_cell(model: Model, use: WeightUse) -> bool:
    """Whether a zero weight of a cell leaves nothing of the inputs to any head.

    Zeros of a gate or of one of a cell's weights may be a design where inputs have
    another way: then what heads are given differs from example to example.
    """
    spreads = {one: model.of("given_spread", one.index) for one in model.uses}
    heads = [spread for one, spread in spreads.items() if one.head]
    differ = any(spread > _ONE_DIRECTION for spread in spreads.values())
    within = use.gate or use.role != "" or use.calls > 1
    within = within and not (use.branch_end or use.head)
    return within and differ and max(heads, default=math.nan) < _THE_SAME


def _ends_in_linear_layers(model: Model, use: WeightUse) -> bool:
    """Whether a layer's outputs only pass linear layers, as scores that are enlarged.

    Zeros there are those of a head, as FCN's (Long et al., 2015) are.
    """
    above = [one for one in model.uses if use.index in one.previous]
    linear = use.activation == "identity" and not use.normed
    return linear and all(
        one.index > use.index and not one.attends
        and (one.head or _ends_in_linear_layers(model, one))
        for one in above
    )  # fmt: skip


def _in_empty_cell(model: Model, use: WeightUse) -> bool:
    """Whether a recurrent weight is zero, and all that reads the cell's inputs too.

    Of a zero among the two, the other makes a way; and either may be a design.
    """
    for cell in model.uses:
        radii = ("spectral_radius", "gated_radius")
        if any(model.of(name, cell.index) == 0 for name in radii):
            inputs = [model.uses[n] for n in cell.previous]
            within = {one.index for one in (cell, *inputs) if one.zero}
            if use.index in within and len(within) > len(inputs) > 0:
                return True
    return False


def _leads_around(model: Model, blocked: set[int]) -> bool:
    """Whether a way from the inputs to some head passes none of these uses."""
    arrived: set[int] = set()
    for use in model.uses:
        passing = set(use.previous) - blocked
        starts = use.index not in blocked and (use.stem or not use.previous)
        if starts or passing & arrived:
            arrived.add(use.index)
    return any(use.head and use.index in arrived for use in model.uses)


def _never_moves(model: Model) -> Iterator[Finding]:
    """Yield one finding for weights that get no gradient now nor after a step."""
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
        beside = "has_no_effect" if gate is None else "gate_is_off"
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
    if heads <= blocked or not _leads_around(model, blocked):
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
    if block.branch_rms > 0 and block.skip_rms > 0:
        return False
    norms = [model.facts.norms[number] for number in block.norms]
    factors = [model.parameter(name) for name in block.scales]
    return not (
        any(model.uses[number].zero for number in block.uses)
        or any(norm.gamma_zero for norm in norms)
        or any(factor is not None and factor.largest == 0 for factor in factors)
    )


def symmetric_update(model: Model) -> Iterator[Finding]:
    """WI04: the units of a layer all learn the same."""
    output = model.facts.output
    if output.classes < 3 or min(output.examples, output.loss_rows) < 3:
        return
    # Of one class and few others, all rows ask the units for about the same.
    if output.classes_met < _FEWEST_CLASSES:
        return
    for use in model.fresh():
        facts = model.parameter(use.parameter)
        small = min(use.layer.shape[0], model.fan_in(use.index)) < 3
        if facts is None or use.head or small or use.role:
            continue
        if _is_narrow(model, use) or _is_averaged(model, use):
            continue
        # Given one vector, as a class token is in all examples, rank 1 is algebra.
        if model.of("given_spread", use.index) < _ONE_DIRECTION:
            continue
        if model.facts.attentions and not has_targets_of_its_own(model, use):
            continue
        if facts.gradient_rank_one > _RANK_ONE:
            yield at_use(
                use, "WI04", "warning", "rank_one_update",
                measured=facts.gradient_rank_one, expected=_RANK_ONE,
            )  # fmt: skip
            return


def _is_narrow(model: Model, use: WeightUse) -> bool:
    """Whether no update can have rank 2: of few rows, of one logit, of a mean of units.

    A head with one unit gives logits where each position is a class; a layer that only
    feeds one unit, as the energies of an attention, learns along that unit's weights
    where its activation is about linear.
    """
    head = model.facts.output.head
    pointing = head >= 0 and model.of("units", head) == 1
    rows = model.of("output_positions", use.index)
    fed = [model.of("units", u.index) for u in model.uses if use.index in u.previous]
    to_one_unit = bool(fed) and max(fed) == 1
    averaged = model.of("averaged_units", use.index) > 0
    return pointing or to_one_unit or averaged or rows < _FEWEST_ROWS


def _is_averaged(model: Model, use: WeightUse) -> bool:
    """Whether gradients are means over neighbours, which layer after layer are alike.

    In sound graph networks of 32 layers all updates have rank 1.
    """
    return any(later.mixed and use.index in later.previous for later in model.uses)


def has_targets_of_its_own(model: Model, use: WeightUse) -> bool:
    """Whether a layer beside attentions works on tokens that each have a target.

    A token of the model's own is the same in all examples, and what an attention gives
    is a mean over positions that may differ little: in sound vision transformers and in
    Whisper's encoder updates have rank 1. Those of the layers between the attentions of
    a language model have not.
    """
    output = model.facts.output
    per_token = len(output.shape) > 2 and output.loss_rows >= 2 * output.examples
    heads = [one for one in model.uses if one.head]
    if not per_token or not heads or use.layer.kind == "embedding":
        return False
    positions = [model.of("output_positions", u.index) for u in (use, heads[-1])]
    mixes = use.attends or any(model.uses[b].attends for b in use.previous)
    return positions[0] == positions[1] and not mixes
