"""How many members settle the order of a study's inits."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from initlab.analysis._selection import selected
from initlab.analysis._statements import TRAINING_LOSS, compared
from initlab.analysis.statistics import POWER, Order, order, pair
from initlab.errors import InvalidValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOrder:
    """The order of two inits at one point of a study's grid.

    Attributes:
        at: The point; empty without a grid.
        order: Whether it is settled, and how many members it needs.
    """

    at: Mapping[str, Any]
    order: Order


def orders(results: xr.Dataset, *, power: float = POWER) -> tuple[CellOrder, ...]:
    """Return how settled the order of each pair of inits is, by final training loss.

    An order is settled where `statements` states it: by the sign test of each pair,
    corrected for all comparisons of the study, those at best learning rates included.

    Args:
        results: What `initlab.run` returned, or a store.
        power: How often a study with the number of members given settles the order.

    Raises:
        InvalidValueError: If there is one init or one member, or no such power.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(members=20, steps=100))
        >>> [each.order.settled for each in orders(results)]
        [True, True, True]
    """
    if not (isinstance(power, Real) and 0 < power < 1):
        raise InvalidValueError(
            f"a number between 0 and 1, got {power!r}", argument="power"
        )
    results = selected(results)
    for name in ("init", "member"):
        if results.sizes[name] < 2:
            raise InvalidValueError(
                "an order needs at least 2, these results have 1", argument=f"{name}s"
            )
    found = compared(results)
    return tuple(
        CellOrder(
            at=cell.at,
            order=order(
                pair(
                    each.first,
                    each.second,
                    TRAINING_LOSS,
                    (cell.final_loss[each.first], cell.final_loss[each.second]),
                    worst=np.inf,
                ),
                power=power,
                adjusted=each.adjusted,
                comparisons=len(found),
            ),
        )
        for cell, at_best_rate, each in found
        if not at_best_rate
    )
