"""The comparison as a table of text: the same cells in terminal, notebook and page."""

import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from initlab import analysis
from initlab.analysis import Comparison, Pair, Row, Summary
from initlab.messages import cause_sentence, print_whole

# Where its column would be narrower than this, what happened goes below the table.
_PROSE = 22
# The columns of several members: loss, training score, test score.
_BY_QUANTITY = ((0, 1, 2, 3, 4), (0, 5, 6, 7), (0, 8, 9, 10))
# How far an R squared is beyond this says nothing more.
_LONG = 1e4
# Longer labels are folded, so that the other columns keep their width.
_SHORT_LABEL = 24


@dataclass(frozen=True, slots=True)
class ComparisonTable:
    """A comparison that prints as a table, in a terminal or a notebook.

    Attributes:
        comparison: The numbers behind the text.
        headers: One per column; the last is what happened.
        rows: Cells as text.
        pairs: One sentence for every two inits.
    """

    comparison: Comparison
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pairs: tuple[str, ...]

    def __str__(self) -> str:
        """Return the table as text of 100 columns."""
        console = Console(width=100, file=io.StringIO(), record=True)
        self.print_to(console)
        return console.export_text().rstrip()

    def print_to(self, console: Console) -> None:
        """Print the table, for several members as three; what happened goes below."""
        several = self.comparison.members > 1
        last = len(self.headers) - 1
        apart = several or self._room_for_prose(console) < _PROSE
        whole = range(last if apart else last + 1)
        for columns in _BY_QUANTITY if several else (whole,):
            print_whole(console, self._columns(columns, padding=0 if apart else 1))
        if apart:
            for row in self.rows:
                console.print(Text.assemble((row[0], "bold"), f": {row[-1]}"))
            console.print()
        for sentence in self.pairs:
            console.print(Text(sentence))

    def _columns(self, columns: Sequence[int], *, padding: int) -> Table:
        """Return some columns as a table for a console."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, padding, 0))
        for number in columns:
            text = number in (0, len(self.headers) - 1)
            header = self.headers[number]
            table.add_column(
                # Two lines leave room for what happened in 80 columns.
                header if text else header.replace(" ", "\n", 1),
                justify="left" if text else "right",
                no_wrap=not text or (number == 0 and self._labels_are_short),
            )
        for row in self.rows:
            table.add_row(*(Text(row[number]) for number in columns))
        return table

    def _room_for_prose(self, console: Console) -> int:
        """Return how wide the last column would be."""
        numbers = self._columns(range(len(self.headers) - 1), padding=0)
        return console.width - console.measure(numbers).maximum

    @property
    def _labels_are_short(self) -> bool:
        return max(len(row[0]) for row in self.rows) <= _SHORT_LABEL

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.headers)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
            for row in self.rows
        )
        pairs = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.pairs)
        return f"<table><tr>{head}</tr>{body}</table><ul>{pairs}</ul>"


def compare(results: xr.Dataset) -> ComparisonTable:
    """Return the comparison of a run's inits, ready to print.

    With several members: the median, the spread over members (5 % to 95 %), and in
    columns of their own the 95 % confidence intervals of the medians.

    Args:
        results: What `initlab.run` returned, or a selection of it.

    Raises:
        InvalidValueError: If networks of the study have not run yet, more than one
            cell of a grid is left (`results.il.table()` is of those), or the results
            are something else, as a mean over members.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros"], steps=10))
        >>> print(il.compare(results).rows[0][-1])
        all 10 units of layer 1 are copies of each other: 1 distinct unit
    """
    comparison = analysis.compare(results)
    score = analysis.SCORES[comparison.score]
    several = comparison.members > 1
    headers = ["init", "first loss", "final loss", f"train {score}", f"test {score}"]
    if several:
        headers = [
            headers[0],
            headers[1],
            *(
                header
                for quantity in headers[2:]
                for header in (quantity, "spread", "interval (95 %)")
            ),
        ]
    return ComparisonTable(
        comparison=comparison,
        headers=(*headers, "what happened"),
        rows=tuple(_cells(row, several) for row in comparison.rows),
        pairs=tuple(pair_sentence(pair) for pair in comparison.pairs),
    )


def _cells(row: Row, several: bool) -> tuple[str, ...]:
    cells = [
        row.init,
        loss_text(row.first_loss.median),
        loss_text(row.final_loss.median),
        _score(row.train_score),
        _score(row.test_score),
    ]
    if several:
        summaries = (row.final_loss, row.train_score, row.test_score)
        cells = [
            *cells[:2],
            *(
                cell
                for text, summary in zip(cells[2:], summaries, strict=True)
                for cell in (text, _spread(summary), _interval(summary))
            ),
        ]
    return (*cells, what_happened(row))


def what_happened(row: Row) -> str:
    """Return the cause in words; with several members, also how many had it."""
    if len(row.causes) == 1:
        return _sentence(row.causes[0])
    return "; ".join(
        f"{count} of {len(row.causes)}, such as member "
        f"{row.members[row.causes.index(cause)]}: "
        f"{_sentence(cause)}"
        for cause, count in row.cause_counts
    )


def _sentence(cause: analysis.Cause) -> str:
    return cause_sentence(cause.id, cause.evidence)


def loss_text(value: float) -> str:
    """Return a loss with six significant digits, or that it is not finite."""
    return f"{value:.6g}" if math.isfinite(value) else "not finite"


def _short(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "not finite"


def _range(ends: tuple[float, float]) -> str:
    return f"{_short(ends[0])} to {_short(ends[1])}"


def _spread(summary: Summary) -> str:
    return "none" if math.isnan(summary.median) else _range(summary.spread)


def _interval(summary: Summary) -> str:
    if math.isnan(summary.median):
        return "none"
    if summary.interval is None:
        return "none under 6 members"
    return _range(summary.interval)


def _score(summary: Summary) -> str:
    if not math.isfinite(summary.median):
        return "none"
    shown = round(summary.median, 3) + 0.0  # no negative zero
    return f"{shown:.3f}" if abs(shown) < _LONG else "far below 0"


def pair_sentence(pair: Pair) -> str:
    """Return who ended below whom, how often, and how sure that is."""
    start = f"{pair.first} ended below {pair.second} in {pair.quantity} in"
    if pair.interval is None:
        return f"{start} none of {pair.members} members: all are ties"
    low, high = pair.interval
    decided = pair.members - pair.ties
    members = f"{decided} members"
    if pair.ties:
        members += f" that differ ({pair.ties} ties)"
    return (
        f"{start} {pair.below} of {members}; 95 % interval of the share "
        f"{low:.2f} to {high:.2f}"
    )
