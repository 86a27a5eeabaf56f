"""The comparison of a study's inits: one row per init, one line per pair."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from initlab.analysis._cause import Cause
from initlab.analysis._causes import causes
from initlab.analysis._cells import as_run, grid_of
from initlab.analysis._finished import final_losses
from initlab.analysis._selection import selected
from initlab.analysis.statistics import Pair, Summary, pair, summarize
from initlab.errors import InvalidValueError

FINAL_LOSS = "final training loss"
SCORES = {"accuracy": "accuracy", "r2": "R²"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One init over its members.

    Attributes:
        init: Label.
        first_loss, final_loss, train_score, test_score: Over members.
        diverged: Members that diverged.
        causes: One per member, in their order.
        members: The members' own numbers; a selection need not begin with 0.
    """

    init: str
    first_loss: Summary
    final_loss: Summary
    train_score: Summary
    test_score: Summary
    diverged: int
    causes: tuple[Cause, ...]
    members: tuple[int, ...]

    @property
    def cause_counts(self) -> list[tuple[Cause, int]]:
        """The causes, most frequent first, each with its first member's evidence."""
        counts = Counter(cause.id for cause in self.causes)
        example = {cause.id: cause for cause in reversed(self.causes)}
        return [(example[name], count) for name, count in counts.most_common()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a study says of its inits.

    Attributes:
        rows: One per init, in the study's order.
        pairs: One per two inits, where there is more than one member.
        score: `"accuracy"` or `"r2"`.
        members: Networks per init.
    """

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    score: str
    members: int


def compare(results: Any) -> Comparison:
    """Return medians, spreads, intervals and causes of every init.

    Args:
        results: What `initlab.run` returned, or a selection of it.

    Raises:
        InvalidValueError: If networks of the study have not run yet, it has a grid of
            which more than one cell is left, or the results are something else.
    """
    results = selected(as_run(selected(results)))
    _refuse_other_kinds(results)
    final = final_losses(results).values
    score = "accuracy" if "train_accuracy" in results else "r2"
    found = causes(results)
    rows = tuple(
        Row(
            init=str(label),
            first_loss=summarize(results["loss"].values[i, :, 0], worst=np.inf),
            final_loss=summarize(final[i], worst=np.inf),
            train_score=_score(results[f"train_{score}"].values[i, :, -1]),
            test_score=_score(results[f"test_{score}"].values[i, :, -1]),
            diverged=int((results["diverged_step"].values[i] >= 0).sum()),
            causes=tuple(found[i]),
            members=tuple(map(int, results["member"].values)),
        )
        for i, label in enumerate(results["init"].values)
    )
    members = results.sizes["member"]
    compared = [(FINAL_LOSS, final, np.inf)]
    tested = results[f"test_{score}"].isel(step=-1).values
    if results.attrs["test_examples"]:
        compared.append((f"test {SCORES[score]}", tested, -np.inf))
    pairs = tuple(
        pair(rows[i].init, rows[j].init, quantity, (values[i], values[j]), worst=worst)
        for i, j in combinations(range(len(rows)), 2)
        for quantity, values, worst in compared
        if members > 1
    )
    return Comparison(rows=rows, pairs=pairs, score=score, members=members)


def _refuse_other_kinds(results: xr.Dataset) -> None:
    kind = results.attrs.get("kind", "run")
    if kind == "grid":
        raise InvalidValueError(
            f"of a grid ({', '.join(grid_of(results))}), and a comparison is "
            "of one network: select one cell, as in results.isel("
            f"{grid_of(results)[0]}=0); results.il.table() has a row per init and cell",
            argument="results",
        )
    if kind != "run":
        raise InvalidValueError(
            f"of a trained study, got those of initlab.{kind}, which trains nothing",
            argument="results",
        )


def _score(values: np.ndarray) -> Summary:
    if np.isnan(values).all():  # no test examples, or every member diverged
        nan = float("nan")
        return Summary(median=nan, spread=(nan, nan), interval=None)
    return summarize(values, worst=-np.inf)
