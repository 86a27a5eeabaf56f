"""Checks of copies: units, rows of tables, whole tensors that start alike."""

import math
from collections.abc import Iterator, Set

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter, at_use, is_matrix, joined
from initlab.messages import SEVERITIES, FindingCause, Severity
from initlab.spec import ParameterReading, WeightUse

# Copies among units that are no accident: none of 72 models had any.
_FEW_COPIES = 0.02
# Of drawn entries most differ, in bfloat16 too; tables hold few numbers, many times.
_DRAWN = 0.34


def symmetric_units(model: Model) -> Iterator[Finding]:
    """WI02: constant tensors, copied units, cloned blocks; one finding per cause."""
    every = list(_symmetric_layers(model))
    for cause in dict.fromkeys(one.cause for one in every):
        group = [one for one in every if one.cause == cause]
        worst = max(group, key=lambda one: SEVERITIES.index(one.severity))
        yield joined(worst, tuple(one.parameter or "" for one in group))
    known = {one.parameter for one in every}
    known |= _readers_of_copies(model, known)
    twins = [
        p for p in model.facts.parameters
        if p.gradient_twins == 1 and p.name not in known and not p.frozen
    ]  # fmt: skip
    added = [p for p in twins if p.added_last]
    for are_constant in (True, False):
        alike = [p for p in twins if p.constant is are_constant]
        yield from _learn_alike([p for p in alike if p not in added], "error")
        yield from _learn_alike([p for p in alike if p in added], "info")
    yield from _equal_columns(model)
    yield from _units_by_hand(model, known | {p.name for p in twins})
    yield from _clones(model)


def _learn_alike(
    twins: list[ParameterReading], severity: Severity
) -> Iterator[Finding]:
    """Yield one finding for tensors of equal units; what is only added does no harm."""
    if not twins:
        return
    cause: FindingCause = "added_twins"
    if severity != "info":
        cause = "twins_for_ever" if twins[0].constant else "equal_rows_for_ever"
    yield at_parameter(
        twins[0], "WI02", severity, cause,
        measured=twins[0].mean, places=tuple(p.name for p in twins),
    )  # fmt: skip


def _equal_columns(model: Model) -> Iterator[Finding]:
    """Yield one finding for tables of equal columns, which learn the same."""
    found = [
        p for p in model.facts.parameters
        if p.twin_columns == 1 and p.role == "embedding" and not p.frozen
    ]  # fmt: skip
    if found:
        yield at_parameter(
            found[0], "WI02", "error", "equal_columns_for_ever",
            measured=1.0, expected=float(found[0].shape[1]),
            places=tuple(p.name for p in found),
        )  # fmt: skip


def _units_by_hand(model: Model, known: Set[str | None]) -> Iterator[Finding]:
    """Yield one finding for parameters of equal rows that no layer weighs."""
    found = [
        p for p in model.facts.parameters
        if p.alike_units and not p.frozen and p.name not in known
        and p.role not in ("gamma", "beta", "bias")  # alike by design
    ]  # fmt: skip
    if found and not model.facts.trained:
        yield at_parameter(
            found[0], "WI02", "warning", "alike_units", measured=1.0,
            expected=float(found[0].alike_units), places=tuple(p.name for p in found),
        )  # fmt: skip


def _readers_of_copies(model: Model, copied: Set[str | None]) -> set[str]:
    """Return weights whose columns learn alike for what they are given: one sum."""
    units = {use.index for use in model.uses if use.parameter in copied}
    return {
        use.parameter
        for use in model.uses
        if use.zero and use.previous and {*use.previous} <= units
    }


def _symmetric_layers(model: Model) -> Iterator[Finding]:
    for use in model.uses:
        units = model.of("units", use.index)
        constant = bool(model.of("constant_weight", use.index)) and not use.zero
        if constant and units > 1 and model.fan_in(use.index) > 1:
            if not _are_told_apart(model, use):
                yield at_use(
                    use, "WI02", "error", "constant_weight", measured=1.0,
                    expected=units,
                )  # fmt: skip
            continue
        if use.layer.kind == "embedding":
            yield from _equal_rows(model, use)
            continue
        if _look_one_way(model, use):
            yield at_use(
                use, "WI02", "error", "parallel_units", measured=1.0, expected=units
            )
            continue
        copies = units - model.of("distinct_units", use.index)
        if constant or not copies > 0 or _is_gathered(model, use):
            continue
        both = model.of("symmetric_units", use.index) > 0
        share = copies / units
        severity: Severity = "error" if both else "warning"
        if not both and share < _FEW_COPIES and model.fan_in(use.index) < 4:
            severity = "info"
        yield at_use(
            use, "WI02", severity, "symmetric_units" if both else "copied_units",
            measured=units - copies, expected=units,
        )  # fmt: skip


def _look_one_way(model: Model, use: WeightUse) -> bool:
    """Whether all units are multiples of one, and so lose all that is across it.

    Copies and constant weights are judged as such; a head's may be a sum's.
    """
    parallel = model.of("parallel_units", use.index) > 0
    fresh = not (use.frozen or use.head or model.facts.trained)
    return parallel and fresh and model.of("distinct_units", use.index) > 1


def _equal_rows(model: Model, use: WeightUse) -> Iterator[Finding]:
    """Yield a finding where whatever is looked up in a table is the same.

    Columns that learn the same, too, are twins, which is worse.
    """
    rows, table = use.layer.shape[0], model.parameter(use.parameter)
    twins = table is not None and table.gradient_twins == 1
    alike = rows > 1 and model.of("distinct_rows", use.index) == 1
    # A factor that starts at 1, whatever the class, as a normalization's does.
    unit = model.of("indicates", use.index) > 0
    if unit and model.of("multiplies", use.index) > 0:
        return
    if alike and not twins and not use.frozen:
        yield at_use(
            use, "WI02", "warning", "equal_rows", measured=1.0, expected=float(rows),
            evidence={"rows_std": table.std if table is not None else 0.0},
        )  # fmt: skip


def _are_told_apart(model: Model, use: WeightUse) -> bool:
    """Whether the units of a constant weight learn differently all the same.

    Each has an input of its own, as in a blur of every channel, or targets of its own:
    those of a linear model that starts as means of its inputs are given in training.
    """
    if not model.of("rivals", use.index) > 1:
        return True
    if model.is_divided_by_its_size(use):
        return False  # of equal numbers that leaves a sign
    facts, output = model.parameter(use.parameter), model.facts.output
    means = facts is not None and math.isclose(
        facts.mean * model.fan_in(use.index), 1.0, rel_tol=1e-3
    )
    known = use.head and (output.loss_kind != "" or means)
    return known and facts is not None and not facts.gradient_twins > 0


def _is_gathered(model: Model, use: WeightUse) -> bool:
    """Whether a weight has rows of a parameter several times: positions by distance."""
    sizes = [
        math.prod(parameter.shape)
        for name in use.sources
        if (parameter := model.parameter(name)) is not None
    ]
    entries = model.of("units", use.index) * model.fan_in(use.index)
    return use.layer.kind == "linear" and bool(sizes) and entries > sum(sizes)


def _clones(model: Model) -> Iterator[Finding]:
    """Yield one finding for all parameters that start as copies of others."""
    groups: dict[str, list[ParameterReading]] = {}
    for parameter in model.facts.parameters:
        # What no layer multiplies by may be a table: of decays, of positions.
        drawn = is_matrix(parameter) and not parameter.constant
        drawn &= parameter.role in ("weight", "embedding")
        drawn &= parameter.distinct_share > _DRAWN
        # Identities and their like are the same wherever they are used, by design.
        drawn &= parameter.std > 0 and parameter.zero_share < 0.5
        if drawn and not parameter.frozen:
            groups.setdefault(parameter.fingerprint, []).append(parameter)
    alike = [group for group in groups.values() if len(group) > 1]
    if alike and not model.facts.trained:
        first = alike[0]
        # torch.nn.TransformerEncoder copies its layer. They part at the first step,
        # since their inputs differ, and most models are trained like that.
        by_design = all(p.copied for group in alike for p in group)
        yield at_parameter(
            first[0], "WI02", "info" if by_design else "warning", "cloned_parameters",
            measured=float(len({p.name for g in alike for p in g})),
            expected=0.0,
            places=tuple(p.name for group in alike for p in group),
            evidence={"twin": first[1].name},
        )  # fmt: skip
