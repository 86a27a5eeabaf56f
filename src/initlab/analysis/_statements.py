"""What a study's intervals allow one to say about its inits, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from initlab.analysis._cells import Cell, cells, grid_of
from initlab.analysis.statistics import (
    Difference,
    best_rates,
    differences,
    holm,
)
from initlab.messages import StatementId

TRAINING_LOSS = "training loss"
RATE = "learning_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that may be said of two inits.

    Attributes:
        id: `"ends_below"` (the order is settled, all comparisons considered),
            `"no_order"` (it is not) or `"all_alike"` (all members are ties).
        quantity: What is compared.
        at: The point of the grid, the learning rate always among it; for each init
            its own where `best_rate`.
        best_rate: Whether each init had the rate that suits it best.
        first, second: Labels.
        difference: The numbers behind it, corrected for all comparisons made.
    """

    id: StatementId
    quantity: str
    at: Mapping[str, Any]
    best_rate: bool
    first: str
    second: str
    difference: Difference

    @property
    def evidence(self) -> dict[str, Any]:
        """The numbers that `initlab.messages` words, the interval's ends among them."""
        found = {
            "quantity": self.quantity, "first": self.first, "second": self.second,
        }  # fmt: skip
        below = self.difference.below
        if below is None:
            return found
        low, high = below.interval
        return found | {
            "share": below.value,
            "low": low,
            "high": high,
            "members": below.members,
            "ties": self.difference.ties,
        }


def statements(results: xr.Dataset, *, learning_rate: float) -> tuple[Statement, ...]:
    """Return what may be said about each pair of inits, at every point of the grid.

    Where learning rates are a dimension, the inits are compared at each common one,
    and once more each at its own best. An order is stated only if it holds up among
    all comparisons made here (Holm's correction of the sign tests).

    Args:
        results: What `initlab.run` returned.
        learning_rate: The study's, where it is no dimension of the grid.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(members=20, steps=100))
        >>> [each.id for each in statements(results, learning_rate=0.01)]
        ['ends_below', 'ends_below', 'ends_below']
    """
    if results.sizes["member"] == 1 or results.sizes["init"] == 1:
        return ()
    return tuple(
        _statement(cell, best, difference, learning_rate)
        for cell, best, difference in compared(results)
    )


def compared(results: xr.Dataset) -> list[tuple[Cell, bool, Difference]]:
    """Return every comparison that the study allows, corrected for their number.

    Each with its point of the grid, and whether the inits are at their own best
    learning rates there.
    """
    found = [
        (cell, False, difference)
        for cell in cells(results)
        for difference in differences(cell.final_loss, worst=np.inf)
    ]
    if RATE in grid_of(results) and results.sizes[RATE] > 1:
        found += [
            (cell, True, difference)
            for cell in _at_best_rates(results)
            for difference in differences(cell.final_loss, worst=np.inf)
        ]
    adjusted = holm([difference.p_value for *_, difference in found])
    return [
        (cell, best, replace(difference, adjusted=p))
        for (cell, best, difference), p in zip(found, adjusted, strict=True)
    ]


def _at_best_rates(results: xr.Dataset) -> list[Cell]:
    """Return the grid without learning rates, each init at its own best."""
    rates = results[RATE].values
    by_point: dict[tuple[Any, ...], tuple[dict[str, Any], list[Cell]]] = {}
    for cell in cells(results):
        rest = {name: value for name, value in cell.at.items() if name != RATE}
        by_point.setdefault(tuple(map(str, rest.values())), (rest, []))[1].append(cell)
    found = []
    for rest, at_rates in by_point.values():
        chosen = {
            init: best_rates(
                np.stack([each.final_loss[init] for each in at_rates]), rates
            )
            for init in at_rates[0].final_loss
        }
        found.append(
            Cell(
                at=rest | {RATE: {init: each.rates for init, each in chosen.items()}},
                final_loss={init: each.values for init, each in chosen.items()},
            )
        )
    return found


def _statement(
    cell: Cell, best: bool, difference: Difference, rate: float
) -> Statement:
    order: StatementId = "ends_below" if difference.settled else "no_order"
    return Statement(
        id="all_alike" if difference.below is None else order,
        quantity=TRAINING_LOSS,
        at=cell.at if RATE in cell.at else {**cell.at, RATE: rate},
        best_rate=best,
        first=difference.first,
        second=difference.second,
        difference=difference,
    )
