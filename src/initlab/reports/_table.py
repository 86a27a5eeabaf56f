"""The comparison as a table of text: the same cells in terminal, notebook and page."""

import html
import io
import math
from dataclasses import dataclass

import xarray as xr
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from initlab import analysis
from initlab.analysis import Comparison, Pair, Row, Summary
from initlab.messages import cause_sentence

# A longer label is folded, so that the other columns keep their room.
_SHORT_LABEL = 24
_SCORES = {"accuracy": "accuracy", "r2": "R²"}


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
        """Print the table; what happened to several members goes under it."""
        several = self.comparison.members > 1
        shown = len(self.headers) - several
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0 if several else 1, 0))
        for number, header in enumerate(self.headers[:shown]):
            text = header == self.headers[0] or header == self.headers[-1]
            table.add_column(
                # Two lines leave room for what happened in 80 columns.
                header if text else header.replace(" ", "\n", 1),
                justify="left" if text else "right",
                overflow="fold",
                no_wrap=number == 0 and self._labels_are_short,
            )
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row[:shown]))
        console.print(table)
        if several:
            for row in self.rows:
                console.print(Text.assemble((row[0], "bold"), f": {row[-1]}"))
            console.print()
        for sentence in self.pairs:
            console.print(Text(sentence))

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
        results: What `initlab.run` returned.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros"], steps=10))
        >>> print(il.compare(results).rows[0][-1])
        all 10 units of layer 1 are copies of each other: 1 distinct unit
    """
    comparison = analysis.compare(results)
    score = _SCORES[comparison.score]
    several = comparison.members > 1
    headers = ["init", "first loss", "final loss", f"train {score}", f"test {score}"]
    if several:
        headers[3:3] = ["spread", "interval (95 %)"]
        headers.append("test interval (95 %)")
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
        _score(row.train_score, several),
        _score(row.test_score, several),
    ]
    if several:
        cells[3:3] = [_range(row.final_loss.spread), _interval(row.final_loss)]
        cells.append(_interval(row.test_score))
    return (*cells, what_happened(row))


def what_happened(row: Row) -> str:
    """Return the cause in words; with several members, how many had it."""
    if len(row.causes) == 1:
        return _sentence(row.causes[0])
    return "; ".join(
        f"{count} of {len(row.causes)}: {_sentence(cause)}"
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


def _interval(summary: Summary) -> str:
    if summary.interval is None:
        return "none under 6 members"
    return _range(summary.interval)


def _score(summary: Summary, several: bool) -> str:
    if not math.isfinite(summary.median):
        return "none"
    text = f"{summary.median:.3f}"
    return f"{text} ({_range(summary.spread)})" if several else text


def pair_sentence(pair: Pair) -> str:
    """Return who ended below whom, how often, and how sure that is."""
    sentence = (
        f"{pair.first} ended below {pair.second} in {pair.below} of {pair.members} "
        f"members ({pair.quantity}"
    )
    if pair.ties:
        sentence += f"; {pair.ties} ties"
    if pair.interval is not None:
        low, high = pair.interval
        sentence += f"; 95 % interval of the share {low:.2f} to {high:.2f}"
    return sentence + ")"
