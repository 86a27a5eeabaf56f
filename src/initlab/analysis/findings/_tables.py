"""Checks of tables: rows that are far louder or quieter than any scheme's."""

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
    found = [
        use for use in model.fresh()
        if use.layer.kind == "embedding" and not use.tied
        and 0 < std(model, use) < _QUIET_TABLE
        and (_is_lost_on_a_trunk(model, use)
             or (not use.normed and _is_all_that_is_read(model, use)))
    ]  # fmt: skip
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
