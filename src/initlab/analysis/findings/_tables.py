"""Checks of tables: rows that are far louder or quieter than any scheme's."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import std
from initlab.analysis.findings._model import Model
from initlab.spec import WeightUse

# PyTorch's own tables have 1.
_LOUD_TABLE, _LOUD_BESIDE = 10.0, 3.0
# DeepCTR's tables, the quietest in public use, have 1e-4; most have .02 to 1. Bags of
# 3.5e-6 learned half as fast.
_QUIET_TABLE, _TABLE, _ADDS_LITTLE = 3e-5, 0.02, 10.0
# Of cells' biases, and of a table's std. With words of .001, whose signal was a 180th
# of the biases, a stranger's translator was as far behind as with words of 0.
_UNHEARD, _UNHEARD_TABLE = 100.0, 0.005
# Of rows drawn uniformly from 0 to 1 the mean is 1.7 deviations; a stranger's T5 and
# LSTM learned less than half as fast. Tables of a few numbers are codes.
_OFF_CENTRE, _LOUD_MEAN, _FEWEST_ROWS, _FEWEST_COLUMNS = 0.75, 0.1, 8, 8


def loud_tables(model: Model) -> Iterator[Finding]:
    """WI05: a table whose rows no scheme makes as large.

    Beside one that is others are named that are nearly as loud.
    """
    tables = [
        use for use in model.fresh()
        if use.layer.kind == "embedding" and not use.tied
        and std(model, use) > _LOUD_BESIDE
    ]  # fmt: skip
    loud = [use for use in tables if std(model, use) > _LOUD_TABLE]
    if loud:
        first = loud[0]
        found = [first, *(use for use in tables if use is not first)]
        yield Finding(
            id="WI05", severity="warning", cause="loud_table", module=first.module,
            parameter=first.parameter, measured=std(model, first), expected=1.0,
            evidence={"ratios": {u.parameter: 1 / std(model, u) for u in found}},
            places=tuple(dict.fromkeys(use.parameter for use in found)),
        )  # fmt: skip


def quiet_tables(model: Model) -> Iterator[Finding]:
    """WI05: a table of next to nothing, and nothing beside it that is louder.

    A normalization brings it back.
    """
    found = [use for use in model.fresh() if _is_quiet(model, use)]
    if found:
        first = found[0]
        yield Finding(
            id="WI05", severity="warning", cause="quiet_table", module=first.module,
            parameter=first.parameter, measured=std(model, first),
            expected=_TABLE,
            evidence={
                "ratios": {use.parameter: _TABLE / std(model, use) for use in found}
            },
            places=tuple(use.parameter for use in found),
        )  # fmt: skip


def _is_quiet(model: Model, use: WeightUse) -> bool:
    """Whether a table's rows are next to nothing, and nothing louder is meant."""
    if use.layer.kind != "embedding" or use.tied:
        return False
    if not 0 < std(model, use) < _QUIET_TABLE:
        return _is_unheard_by_cells(model, use)
    alone = not use.normed and _is_all_that_is_read(model, use)
    return alone or _is_lost_on_a_trunk(model, use)


def one_sided_tables(model: Model) -> Iterator[Finding]:
    """WI05: a table of one sign, whose rows differ by less than they share.

    A normalization that takes off the mean brings them back.
    """
    found = [use for use in model.fresh() if _is_one_sided(model, use)]
    if found:
        first = found[0]
        mean, deviation = (
            model.of(f"weight_{of}", first.index) for of in ("mean", "std")
        )
        yield Finding(
            id="WI05", severity="warning", cause="one_sided_table",
            module=first.module, parameter=first.parameter,
            measured=abs(mean) / deviation, expected=_OFF_CENTRE,
            evidence={"mean": mean, "std": deviation},
            places=tuple(dict.fromkeys(use.parameter for use in found)),
        )  # fmt: skip


def _is_one_sided(model: Model, use: WeightUse) -> bool:
    """Whether a table's rows are most of all the same, for what reads them.

    A deviation of 0 is a constant table, which is a finding of its own.
    """
    mean, deviation = (model.of(f"weight_{of}", use.index) for of in ("mean", "std"))
    centred = any(
        norm.kind != "rms_norm" and use.index in norm.before
        for norm in model.facts.norms
    )
    rows, columns = use.layer.shape[0], math.prod(use.layer.shape[1:])
    return (
        use.layer.kind == "embedding"
        and not (centred or use.head or use.given_out)
        and rows >= _FEWEST_ROWS
        and columns >= _FEWEST_COLUMNS
        and abs(mean) > max(_LOUD_MEAN, _OFF_CENTRE * deviation)
        and deviation > 0
    )


def _is_unheard_by_cells(model: Model, table: WeightUse) -> bool:
    """Whether cells read a table alone, next to nothing beside their own biases."""
    readers = [one for one in model.uses if table.index in one.previous]
    signals = [
        model.of("given_rms", one.index) * math.sqrt(model.weight_factor(one.index))
        for one in readers
    ]
    return bool(readers) and all(
        one.role == "input"
        and 0 < _UNHEARD * signal < model.of("bias_rms", one.index)
        and model.of("given_rms", one.index) < 2 * std(model, table) < _UNHEARD_TABLE
        for one, signal in zip(readers, signals, strict=True)
    )


def _is_lost_on_a_trunk(model: Model, table: WeightUse) -> bool:
    """Whether a trunk starts with what a table gives, and ends far louder."""
    size, blocks = model.of("preactivation_rms", table.index), model.facts.blocks
    starts = bool(blocks) and 0.5 < blocks[0].skip_rms / size < 2
    return starts and blocks[-1].sum_rms > _ADDS_LITTLE * size


def _is_all_that_is_read(model: Model, table: WeightUse) -> bool:
    readers = [one.index for one in model.uses if table.index in one.previous]
    size = model.of("preactivation_rms", table.index)
    return bool(readers) and all(
        0 < model.of("given_rms", reader) < _ADDS_LITTLE * size for reader in readers
    )
