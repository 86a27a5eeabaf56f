"""Studies with a grid in pictures: heat maps over two dimensions, curves per cell."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initlab.figures._labels import (
    compact,
    init_names,
    log_ticks,
    loss_label,
    plain,
)
from initlab.figures._members import SPREAD_LABEL, Spread, spread_over_members
from initlab.figures._style import (
    INK,
    PAGE_WIDTH,
    QUIET,
    colour_of,
    new_figure,
    style,
)

# More panels than these are unreadable, and files of many megabytes.
MOST_PANELS = 24
_COLUMNS = 4
_MOST_NUMBERS = 240  # cells of a panel that still have room for a number
_NO_MEDIAN = "#bdbdbd"
_CEILING = 20.0  # times the loss of a constant output


def grid_dims(results: xr.Dataset) -> tuple[str, ...]:
    """Return the dimensions of a study's grid, in the dataset's order."""
    dims = [str(dim) for dim in results["loss"].dims]
    return tuple(dims[: dims.index("init")])


def loss_heatmaps(results: xr.Dataset) -> np.ndarray:
    """Draw the median final loss over the grid's first two dimensions, per init.

    A panel is one init, at one value of every further dimension. Colours are on a
    log scale and shared. Grey is a median that is not finite: half of the members
    diverged. With one dimension, inits take the place of the second.

    Args:
        results: A study's dataset whose grid has at least one dimension.

    Returns:
        The panels' Axes.

    Example:
        >>> import initlab as il
        >>> study = il.Study(grid={"learning_rate": [0.01, 0.1]}, steps=10)
        >>> loss_heatmaps(il.run(study)).size
        1
    """
    final = results["loss"].isel(step=-1)
    middle = xr.zeros_like(final.isel(member=0, drop=True))
    middle = middle.copy(data=spread_over_members(final).middle)
    dims = grid_dims(results)
    across, *more = [*dims, "init"] if len(dims) == 1 else dims
    down, *others = more
    panels = _panels(results, [*others, *(["init"] if down != "init" else [])])
    finite = middle.values[np.isfinite(middle.values) & (middle.values > 0)]
    low = float(finite.min()) if finite.size else 0.1
    high = float(finite.max()) if finite.size else 1.0
    norm = LogNorm(low, max(high, low * 1.0001))
    with style():
        figure, axes = _figure(len(panels), rows=results.sizes[down], height=0.34)
        for ax, (title, at) in zip(axes, panels, strict=True):
            shown = middle.sel(at).transpose(down, across)
            _draw_map(ax, shown, norm, names=_names(results, across, down))
            ax.set_title(title, loc="left")
        bar = figure.colorbar(
            ScalarMappable(norm, "viridis_r"), ax=list(axes), shrink=0.8
        )
        bar.set_label("median final loss")
        _set_ticks(bar.ax.yaxis, low, high)
    return axes


def grid_curves(results: xr.Dataset) -> np.ndarray:
    """Draw the training loss against the step, one panel per cell of the grid.

    Lines are medians over members, bands the spread over members; a diverged member
    counts as infinite.

    Args:
        results: A study's dataset; of a larger grid the first cells are drawn.

    Returns:
        The panels' Axes.

    Example:
        >>> import initlab as il
        >>> study = il.Study(grid={"learning_rate": [0.01, 0.1]}, steps=10)
        >>> grid_curves(il.run(study)).size
        2
    """
    panels = _panels(results, list(grid_dims(results)))
    with style():
        figure, axes = _figure(len(panels), rows=1, height=1.4, shared=True)
        for number, (ax, (title, at)) in enumerate(zip(axes, panels, strict=True)):
            loss = results["loss"].sel(at)
            _draw_spreads(ax, results, spread_over_members(loss), label=not number)
            ax.set_title(title, loc="left", fontsize=8.5)
            ax.set_yscale("log")
            ax.set_xlabel("step")
        # One exploding start shall not flatten all that was learned.
        low, high = axes[0].get_ylim()
        high = min(high, _CEILING * float(results["baseline_loss"].max()))
        axes[0].set_ylim(low, max(high, 2 * low))
        _set_ticks(axes[0].yaxis, *axes[0].get_ylim())
        figure.supylabel(loss_label(results), fontsize=10)
        figure.legend(
            loc="outside lower center", ncols=min(4, results.sizes["init"] + 1)
        )
    return axes


def _draw_spreads(
    ax: Axes, results: xr.Dataset, spread: Spread, *, label: bool
) -> None:
    steps = results["step"].values
    for i, name in enumerate(init_names(results)):
        if results.sizes["member"] > 1:
            ax.fill_between(
                steps, spread.low[i], spread.high[i], color=colour_of(i), alpha=0.16,
                lw=0, label=SPREAD_LABEL if label and not i else None,
            )  # fmt: skip
        ax.plot(
            steps, spread.middle[i], color=colour_of(i), lw=1.6,
            label=name if label else None,
        )  # fmt: skip


def _draw_map(
    ax: Axes, shown: xr.DataArray, norm: LogNorm, names: tuple[list[str], list[str]]
) -> None:
    values = shown.values
    ax.set_facecolor(_NO_MEDIAN)
    masked = np.ma.masked_invalid(np.where(values > 0, values, np.nan))
    ax.imshow(masked, norm=norm, cmap="viridis_r", aspect="auto", origin="lower")
    across, down = names
    ax.set_xticks(range(len(across)), across)
    ax.set_yticks(range(len(down)), down)
    ax.set_xlabel(plain(shown.dims[1]))
    ax.set_ylabel(plain(shown.dims[0]))
    ax.tick_params(length=0)
    if max(map(len, across)) > 5:
        ax.tick_params(axis="x", rotation=45)
    if values.size > _MOST_NUMBERS:
        return
    for (row, column), value in np.ndenumerate(values):
        dark = np.isfinite(value) and norm(max(value, norm.vmin or 0.0)) < 0.45
        ax.text(
            column, row, _short(value), ha="center", va="center", fontsize=7,
            color=INK if dark or not np.isfinite(value) else "white",
        )  # fmt: skip


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "div."
    return f"{value:.2g}" if value < 1000 else compact(float(f"{value:.1g}"))


def _names(results: xr.Dataset, *dims: str) -> tuple[list[str], list[str]]:
    found = [
        [
            plain(f"{value:g}" if isinstance(value, float) else value, most=16)
            for value in results[dim].values.tolist()
        ]
        for dim in dims
    ]
    return found[0], found[1]


def _panels(
    results: xr.Dataset, dims: list[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Return a title and a place for every panel, no more than can be read."""
    points = product(*(results[dim].values.tolist() for dim in dims))
    places = [dict(zip(dims, point, strict=True)) for point in points]
    return [
        (
            plain(
                ", ".join(
                    str(value) if dim == "init" else f"{dim} {value}"
                    for dim, value in place.items()
                ),
                most=34,
            ),
            place,
        )
        for place in places[:MOST_PANELS]
    ]


def _set_ticks(axis: Axis, low: float, high: float) -> None:
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(compact))
    axis.set_minor_locator(NullLocator())


def _figure(
    panels: int, *, rows: int, height: float, shared: bool = False
) -> tuple[Figure, np.ndarray]:
    columns = min(_COLUMNS, panels)
    lines = -(-panels // columns)
    tall = lines * max(1.6, 0.9 + height * rows) + 0.6
    figure = new_figure(PAGE_WIDTH, tall)
    grid = figure.subplots(lines, columns, squeeze=False, sharey=shared)
    axes = grid.ravel()
    for ax in axes[panels:]:
        ax.remove()
    for ax in axes[:panels]:
        ax.tick_params(labelcolor=QUIET, labelsize=8)
    return figure, axes[:panels]
