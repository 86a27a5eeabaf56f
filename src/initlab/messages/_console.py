"""Tables on a terminal, of which nothing is cut off."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

# Text in fewer columns is no text any more.
_NARROWEST = 10


def print_whole(console: "Console", table: "Table") -> None:
    """Print a table of which every number is whole, however narrow the terminal is.

    Text is folded; then lines are longer than the terminal. Rich would shorten them,
    and 0.718 that reads 0.71 is another number.

    Args:
        console: Where to.
        table: Columns with `no_wrap` are never broken, the others fold.
    """
    from rich.measure import Measurement

    unlimited = console.options.update(width=100_000)
    widest = Measurement.get(console, unlimited, table).maximum
    texts = [column for column in table.columns if not column.no_wrap]
    for column in texts:
        column.overflow = "fold"
    spare = sum(max(0, _longest(column) - _NARROWEST) for column in texts)
    if widest - spare > console.width:
        table.width = widest - spare
    console.print(table, crop=False)


def _longest(column: "Column") -> int:
    """Return how wide a column is whose cells are one line each."""
    from rich.cells import cell_len

    cells = (str(cell) for cell in (column.header, *column.cells))
    lines = [line for cell in cells for line in cell.splitlines()]
    return max(map(cell_len, lines), default=0)
