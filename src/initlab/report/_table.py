"""The comparison as a table of text: the same cells in terminal, notebook and page."""

import html
import io
import math
from dataclasses import dataclass

import xarray as xr
from rich.console import Console
from rich.table import Table
from rich.text import Text

from initlab import analysis
from initlab.analysis import Comparison, Pair, Row, Summary
from initlab.messages import cause_sentence

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
        console.print(self.rich_table())
        for sentence in self.pairs:
            console.print(Text(sentence))
        return console.export_text().rstrip()

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.headers)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
            for row in self.rows
        )
        pairs = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.pairs)
        return f"<table><tr>{head}</tr>{body}</table><ul>{pairs}</ul>"

    def rich_table(self) -> Table:
        """Return the table for a Rich console."""
        table = Table(show_lines=True)
        for header in self.headers[:-1]:
            number = header != self.headers[0]
            table.add_column(
                header, justify="right" if number else "left", overflow="fold"
            )
        table.add_column(self.headers[-1], ratio=1, min_width=24)
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row))
        return table


def compare(results: xr.Dataset) -> ComparisonTable:
    """Return the comparison of a run's inits, ready to print.

    With several members: the median, the spread over members (5 % to 95 %), and the
    95 % confidence interval of the median in a column of its own.

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
    columns = ("init", "first loss", "final loss")
    if several:
        columns = (*columns, "spread over members", "95 % interval of the median")
    return ComparisonTable(
        comparison=comparison,
        headers=(*columns, f"train {score}", f"test {score}", "what happened"),
        rows=tuple(_cells(row, comparison) for row in comparison.rows),
        pairs=tuple(pair_sentence(pair) for pair in comparison.pairs),
    )


def _cells(row: Row, comparison: Comparison) -> tuple[str, ...]:
    several = comparison.members > 1
    losses = [loss_text(row.first_loss.median), loss_text(row.final_loss.median)]
    if several:
        losses += [_range(row.final_loss.spread), _interval(row.final_loss)]
    scores = [_score(s, several) for s in (row.train_score, row.test_score)]
    return (row.init, *losses, *scores, what_happened(row))


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
        return "needs 6 members"
    return _range(summary.interval)


def _score(summary: Summary, several: bool) -> str:
    if not math.isfinite(summary.median):
        return "–"
    text = f"{summary.median:.3f}"
    if not several:
        return text
    text += f" ({_range(summary.spread)})"
    if summary.interval is not None:
        text += f", interval {_range(summary.interval)}"
    return text


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
