"""How many members settle which order, as a table."""

import xarray as xr
from rich import box
from rich.table import Table
from rich.text import Text

from initlab import analysis
from initlab.analysis.statistics import Order

MANY = "over 1e6"


def power_tables(results: xr.Dataset, *, power: float) -> list[Table]:
    """Return how each pair of inits compared, and how many members settle its order.

    Args:
        results: What `initlab.run` returned, or a store.
        power: The probability that so many members settle the order, in (0, 1).

    Returns:
        One table per point of the grid, headed by it.

    Raises:
        InvalidValueError: If there is one init or one member, or no such power.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(members=20, steps=100))
        >>> [table.row_count for table in power_tables(results, power=0.9)]
        [3]
    """
    tables: dict[str, Table] = {}
    for each in analysis.orders(analysis.in_grid_order(results), power=power):
        point = ", ".join(f"{name} {value}" for name, value in each.at.items())
        if point not in tables:
            tables[point] = _empty_table(point)
        tables[point].add_row(*(Text(cell) for cell in _cells(each.order)))
    return list(tables.values())


def _empty_table(point: str) -> Table:
    table = Table(
        title=Text(point) if point else None, title_justify="left",
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name in ("first", "second"):
        table.add_column(name, min_width=8)
    for name in ("below", "share, 95 %", "settled", "members needed"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(order: Order) -> list[str]:
    pair = order.pair
    names = [pair.first, pair.second]
    if pair.interval is None:
        return [*names, f"all {pair.members} alike", "none", "no", "none"]
    decided = pair.members - pair.ties
    seen = f"{pair.below} of {decided}" + (f"\n({pair.ties} ties)" if pair.ties else "")
    low, high = pair.interval
    return [
        *names,
        seen,
        f"[{low:.2f}, {high:.2f}]",
        "yes" if order.settled else "no",
        _needed(order),
    ]


def _needed(order: Order) -> str:
    least, most = order.needed_range
    likely = MANY if order.needed is None else f"{order.needed:,}"
    if least is None:
        return likely
    return f"{likely}\n({least:,} to {MANY if most is None else format(most, ',')})"
