"""WI03: zeros that stop a signal or never move, beside those that are a design."""

import math
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import (
    at_parameter,
    at_use,
    is_matrix,
    joined,
)
from initlab.analysis.findings._stuck import factor_of_zero_at, never_moves
from initlab.analysis.findings._ways import (
    THE_SAME,
    ends_in_linear_layers,
    leads_around,
)
from initlab.messages import FindingCause, Severity
from initlab.spec import Block, ParameterReading, WeightUse

_RECTIFIED = frozenset({"relu", "relu6"})
# Spread of vectors that differ.
_DIFFER = 0.01
# Sizes of a weight norm, by torch's two ways.
_SIZES = ("weight_g", "weight.original0")
# LayerScale starts deep branches at 1e-5 or 1e-6 (Touvron et al., 2021).
_NEXT_TO_ZERO = 1e-4
# What these say of a factor says why weights are zeros, too.
_OF_FACTORS: tuple[FindingCause, ...] = ("factor_of_zero", "multiplies_by_zero")


def dead_zeros(model: Model) -> Iterator[Finding]:
    """WI03: zeros that stop the signal or never move; designed zeros are silent."""
    asks = [use for use in model.fresh() if _asks_nothing(model, use)]
    if asks:
        yield at_use(
            asks[0], "WI03", "error", "zero_queries",
            measured=model.of("silent_units", asks[0].index), expected=0.0,
            places=tuple(dict.fromkeys(use.parameter for use in asks)),
        )  # fmt: skip
    dead: list[Finding] = []
    for use in model.uses:
        if use in asks:
            continue
        columns = model.of("zero_inputs", use.index)
        if use.zero and not (use.frozen and use.adapter):
            dead += [
                _at_its_source(model, use, one) for one in _dead_weight(model, use)
            ]
        elif columns > 0 and _holds_up_a_cell(model, use):
            yield at_use(
                use, "WI03", "warning", "zero_inputs", measured=columns, expected=0.0,
                evidence={"inputs": model.fan_in(use.index)},
            )  # fmt: skip
        else:
            yield from _zero_units(model, use)
    copies = [d for d in dead if d.cause == "constant_weight"]
    if copies:
        yield joined(copies[0], tuple(d.parameter for d in copies if d.parameter))
        dead = [d for d in dead if d not in copies]
    if dead:
        first = next((d for d in dead if d.severity == "error"), dead[0])
        for cause in _OF_FACTORS:
            of_factors = [one for one in dead if one.cause == cause]
            if of_factors:
                dead, first = of_factors, of_factors[0]
        names = tuple(dict.fromkeys(d.parameter for d in dead if d.parameter))
        found = joined(first, names)
        drawn = _without_ends(model, names)
        yield replace(found, evidence={**found.evidence, "drawn": drawn})
        return
    if copies:
        return
    yield from never_moves(model)


def _zero_units(model: Model, use: WeightUse) -> Iterator[Finding]:
    """Yield that some units of a rectified layer have no weight at all."""
    if use.layer.kind == "embedding" or use.activation not in _RECTIFIED:
        return
    zero, units = (model.of(f"{of}units", use.index) for of in ("zero_", ""))
    if zero > 0 and not use.normed:
        yield at_use(
            use, "WI03", "error" if zero > units / 4 else "warning", "zero_units",
            measured=zero, expected=0.0, evidence={"units": units},
        )  # fmt: skip


def _without_ends(model: Model, names: Sequence[str]) -> tuple[str, ...]:
    """Return which of these zeros to draw: not those behind others that are a design.

    So are the ends of branches, and what has a way around it, as the last layer of a
    coupling; a head beside such.
    """
    zeros = {use.index for use in model.uses if use.parameter in names}
    drawn: set[int] = set()
    around: set[int] = set()
    for use in model.uses:
        if use.index not in zeros:
            continue
        behind = bool(drawn & {*use.previous})
        if behind and (use.branch_end or use.adapter or (use.head and around)):
            continue
        if behind and not use.head and _only_adds(model, use, zeros, around):
            around.add(use.index)
        else:
            drawn.add(use.index)
    return tuple(
        dict.fromkeys(model.uses[number].parameter for number in sorted(drawn))
    )


def _only_adds(model: Model, use: WeightUse, zeros: Set[int], around: Set[int]) -> bool:
    """Whether a zero may stay: nothing hangs on it alone, nor on it and these."""
    if ends_in_linear_layers(model, use):
        return True
    readers = [one for one in model.uses if use.index in one.previous]
    others = all(one.stem or not zeros >= {*one.previous} for one in readers)
    return others and leads_around(model, {use.index, *around})


def _asks_nothing(model: Model, use: WeightUse) -> bool:
    """Whether queries and keys of a packed projection are zeros, and stay so.

    The gradient of each is a product with the other; a bias gets them off. Across two
    sequences the queries are a part of their own.
    """
    parts = [one for one in model.uses if one.attends and one.sources == use.sources]
    units, silent = (
        sum(model.of(f"{of}units", one.index) for one in parts)
        for of in ("", "silent_")
    )
    packed = any(one.attends == "packed" for one in parts)
    return packed and units % 3 == 0 and silent >= 2 * units / 3 > 0


def _dead_weight(model: Model, use: WeightUse) -> list[Finding]:
    facts = model.parameter(use.parameter)
    later = facts.later_gradient_zero if facts is not None else None
    if later and use.bias and _multiplies_all(model, use):
        found = at_use(use, "WI03", "error", "multiplies_by_zero", measured=0.0,
                       expected=1.0, evidence={"weight": use.parameter})  # fmt: skip
        return [replace(found, parameter=use.bias)]
    if later:
        factor = _zero_factor_behind(model, use)
        if factor is not None:
            return [factor_of_zero_at(factor, use.parameter)]
        held = _frozen_zeros_behind(model, use)
        return [
            at_use(one, "WI03", "error", "dead_zero_weight", measured=0.0,
                    expected=math.nan)
            for one in (held or [use])
        ]  # fmt: skip
    if _has_no_direction(model, use):
        return [
            at_use(use, "WI03", "error", "zero_length", measured=0.0, expected=math.nan)
        ]
    designed = (
        use.head or use.branch_end or use.adapter or use.gate or use.role
        or use.layer.kind == "embedding" or use.block is not None
        or ends_in_linear_layers(model, use)
    )  # fmt: skip
    if designed and not _in_empty_cell(model, use):
        # Some learn from there, if late.
        late = _holds_up_a_cell(model, use) or _hides_tokens(model, use)
        return [_zero_on_trunk(use, "warning")] if late else []
    if leads_around(model, {one.index for one in model.uses if one.zero}):
        return []
    return [_zero_on_trunk(use)]


def _at_its_source(model: Model, use: WeightUse, found: Finding) -> Finding:
    """Return a finding of a weight of zeros at what makes it zeros, if it is computed.

    That is a factor of zeros, as a gain; or equal numbers less their mean. Of a weight
    norm it is known what the sizes should be, by the weight.
    """
    if not use.derived or found.parameter != use.parameter:
        return found
    if any(name.endswith(_SIZES) for name in use.sources):
        return found
    sources = [p for name in use.sources if (p := model.parameter(name)) is not None]
    zeros = [p for p in sources if p.largest == 0 and not p.frozen]
    others = [p for p in sources if p.largest > 0]
    if zeros and others:
        return factor_of_zero_at(zeros[0], others[0].name)
    alike = [p for p in others if p.constant and not p.frozen and is_matrix(p)]
    if alike and not zeros:
        return at_parameter(
            alike[0], "WI02", "error", "constant_weight", measured=1.0,
            expected=model.of("units", use.index),
        )  # fmt: skip
    return found


def _zero_factor_behind(model: Model, use: WeightUse) -> ParameterReading | None:
    """Return a factor of zeros by which a branch that ends in zeros is multiplied.

    Either may be a design, and the other is not. Where other branches start with zeros
    of the factor alone, these are.
    """
    if use.block is None or not use.branch_end:
        return None
    for name in model.facts.blocks[use.block].scales:
        known = model.parameter(name)
        stuck = known is not None and known.largest == 0 and known.later_gradient_zero
        if known is not None and stuck and not known.frozen:
            alone = any(_is_zero_alone(model, block) for block in model.facts.blocks)
            return None if alone else known
    return None


def _is_zero_alone(model: Model, block: Block) -> bool:
    """Whether a factor of zeros, or next to it, is what keeps a branch quiet alone."""
    factors = [model.parameter(name) for name in block.scales]
    zeros = any(p is not None and p.largest < _NEXT_TO_ZERO for p in factors)
    return zeros and not any(model.uses[end].zero for end in block.ends)


def _has_no_direction(model: Model, use: WeightUse) -> bool:
    """Whether zeros, and nothing beside them, are divided by their length."""
    silent = model.of("preactivation_rms", use.index) == 0
    return silent and any(
        norm.kind == "normalize" and norm.before == (use.index,)
        for norm in model.facts.norms
    )


def _multiplies_all(model: Model, use: WeightUse) -> bool:
    """Whether zeros of a layer and of its bias make zeros of what another layer gives.

    A sum with them would not: it is a product, as by a condition whose "1 +" is
    missing.
    """
    if model.of("bias_rms", use.index) > 0:
        return False
    readers = [one for one in model.uses if use.index in one.previous]
    return bool(readers) and all(
        model.of("given_rms", one.index) == 0
        and any(
            other != use.index and model.of("preactivation_rms", other) > 0
            for other in one.previous
        )
        for one in readers
    )


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
    differ = any(spread > _DIFFER for spread in spreads.values())
    within = use.gate or use.role != "" or use.calls > 1
    within = within and not (use.branch_end or use.head)
    return within and differ and max(heads, default=math.nan) < THE_SAME


def _hides_tokens(model: Model, use: WeightUse) -> bool:
    """Whether a table leaves nothing of the tokens, or only where they are.

    What is added to its zeros, as positions, is the same in all examples.
    """
    if use.layer.kind != "embedding" or not use.stem:
        return False
    readers = [one for one in model.uses if use.index in one.previous]
    if all(model.of("given_rms", one.index) == 0 for one in readers):
        zeros = {one.index for one in model.uses if one.zero}
        # What is around a cell, as the words so far, is another sequence.
        cells = all(one.role == "input" for one in readers)
        return bool(readers) and (cells or not leads_around(model, zeros))
    return all(
        model.of("given_rms", one.index) > 0
        and model.of("given_cosine", one.index) > 1 - THE_SAME
        for one in readers
    )


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
