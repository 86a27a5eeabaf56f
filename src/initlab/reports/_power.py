"""How many members settle which order, as a table."""

import xarray as xr
from rich import box
from rich.table import Table
from rich.text import Text

from initlab import analysis
from initlab.analysis.statistics import Order

MANY = "over a million"


def power_table(results: xr.Dataset, *, power: float) -> Table:
    """Return, for every two inits, what was seen and how many members settle it.

    Args:
        results: What `initlab.run` returned, or a store.
        power: How often so many members settle the order, in (0, 1).

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(members=20, steps=100))
        >>> power_table(results, power=0.9).row_count
        3
    """
    found = analysis.orders(results, power=power)
    grid = analysis.grid_of(results)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in (*grid, "first", "second"):
        table.add_column(name, overflow="fold")
    for name in ("below", "share, 95 %", "settled", "members needed"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        cells = [*map(str, each.at.values()), *_cells(each.order)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _cells(order: Order) -> list[str]:
    pair = order.pair
    names = [pair.first, pair.second]
    if pair.interval is None:
        return [*names, f"all {pair.members} alike", "none", "no", "none"]
    decided = pair.members - pair.ties
    seen = f"{pair.below} of {decided}" + (f" ({pair.ties} ties)" if pair.ties else "")
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
    return f"{likely} ({least:,} to {MANY if most is None else format(most, ',')})"
