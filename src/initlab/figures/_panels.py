"""Small multiples: one panel per place in a study's grid, titled by it."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initlab.figures._labels import compact, log_ticks, plain
from initlab.figures._style import PAGE_WIDTH, QUIET, figure_of, new_figure

# More panels than these are unreadable, and files of many megabytes.
MOST_PANELS = 24
COLUMNS = 4
# Letters of a title in a panel, where there are as many columns as may be.
_LINE = 26
_TITLE_INCHES = 0.15
_LEGEND_LINE = 110  # letters

Place = Mapping[str, Any]


def grid_dims(results: xr.Dataset) -> tuple[str, ...]:
    """Return the dimensions of a study's grid, in the dataset's order."""
    dims = [str(dim) for dim in results["loss"].dims]
    return tuple(dims[: dims.index("init")])


def value_text(value: Any) -> str:
    """Return a value of a dimension as short as it may be.

    Example:
        >>> value_text(1.0), value_text(0.01), value_text("relu")
        ('1', '0.01', 'relu')
    """
    return f"{value:g}" if isinstance(value, float) else str(value)


def places(results: xr.Dataset, dims: Sequence[str]) -> list[Place]:
    """Return a place for every panel, no more than can be read."""
    points = product(*(results[dim].values.tolist() for dim in dims))
    found = [dict(zip(dims, point, strict=True)) for point in points]
    return list(found[:MOST_PANELS])


def place_title(place: Place, columns: int = COLUMNS) -> str:
    """Return a place in words, in lines that its panel has room for.

    Example:
        >>> print(place_title({"depth": 1, "activation": "relu", "seed": 1}))
        depth 1, activation relu,
        seed 1
    """
    line = _LINE * COLUMNS // columns
    parts = [
        plain(
            value_text(value) if dim == "init" else f"{dim} {value_text(value)}",
            most=line,
        )
        for dim, value in place.items()
    ]
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 2 <= line:
            lines[-1] += f", {part}"
        else:
            lines[-1] += ","
            lines.append(part)
    return "\n".join(lines)


def columns_for(panels: int, last: int) -> int:
    """Return how many panels stand in a row: those of the last dimension, if they fit.

    Then what is to be compared stands side by side.
    """
    return last if 2 <= last <= COLUMNS else min(COLUMNS, panels)


def panelled(
    titles: Sequence[str], *, height: float, columns: int, shared: bool = False
) -> tuple[Figure, np.ndarray]:
    """Return a figure with a titled panel per title, each so many inches high."""
    panels = len(titles)
    lines = -(-panels // columns)
    title = _TITLE_INCHES * (1 + max(text.count("\n") for text in titles))
    figure = new_figure(PAGE_WIDTH, lines * (height + title) + 0.6)
    axes = figure.subplots(lines, columns, squeeze=False, sharey=shared).ravel()
    for ax in axes[panels:]:
        ax.remove()
    for ax, text in zip(axes, titles, strict=False):
        ax.tick_params(labelcolor=QUIET, labelsize=8)
        ax.set_title(text, loc="left", fontsize=8.5)
    return figure, axes[:panels]


def add_legend(ax: Axes, *, shaded: str | None) -> None:
    """Name the curves of an Axes under its figure, and what is shaded around them."""
    handles, names = ax.get_legend_handles_labels()
    if shaded:
        handles.append(Patch(facecolor=QUIET, alpha=0.25))
        names.append(shaded)
    widths = [len(name) + 6 for name in names]
    in_a_row = sum(widths) <= _LEGEND_LINE
    columns = len(names) if in_a_row else max(1, _LEGEND_LINE // max(widths))
    figure_of(ax).legend(handles, names, loc="outside lower center", ncols=columns)


def set_log_ticks(axis: Axis, low: float, high: float) -> None:
    """Give an axis on a log scale few ticks, in short numbers."""
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(compact))
    axis.set_minor_locator(NullLocator())
