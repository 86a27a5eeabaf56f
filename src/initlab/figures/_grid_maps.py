"""Studies with a grid as heat maps over two dimensions."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm

from initlab.analysis import final_losses, in_grid_order
from initlab.figures._labels import compact, dimension_label, plain
from initlab.figures._members import spread_over_members
from initlab.figures._panels import (
    columns_for,
    grid_dims,
    panelled,
    place_title,
    places,
    set_log_ticks,
    value_text,
)
from initlab.figures._style import INK, style

_MOST_NUMBERS = 240  # cells of a panel that still have room for a number
_NO_MEDIAN = "#bdbdbd"
# Letters that fit side by side under the panels of a whole row.
_ROOM = 88


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
    results = in_grid_order(results)
    final = final_losses(results)
    middle = xr.zeros_like(final.isel(member=0, drop=True))
    middle = middle.copy(data=spread_over_members(final).middle)
    across, down, panel_dims = map_dims(results)
    shown = places(results, panel_dims) or [{}]
    columns = columns_for(
        len(shown), results.sizes["init"] if "init" in panel_dims else 1
    )
    finite = middle.values[np.isfinite(middle.values) & (middle.values > 0)]
    low = float(finite.min()) if finite.size else 0.1
    high = float(finite.max()) if finite.size else 1.0
    norm = LogNorm(low, max(high, low * 1.0001))
    height = max(1.45, 0.75 + 0.34 * results.sizes[down])
    with style():
        titles = [place_title(place, columns) if place else "" for place in shown]
        figure, axes = panelled(titles, height=height, columns=columns)
        for ax, place in zip(axes, shown, strict=True):
            _draw_map(ax, middle.sel(place).transpose(down, across), norm)
            _name_rows_and_columns(ax, results, across, down, columns)
        bar = figure.colorbar(
            ScalarMappable(norm, "viridis_r"), ax=list(axes), shrink=0.8,
            aspect=20, pad=0.02,
        )  # fmt: skip
        bar.set_label("median final loss")
        set_log_ticks(bar.ax.yaxis, low, high)
    return axes


def map_dims(results: xr.Dataset) -> tuple[str, str, list[str]]:
    """Return which dimension runs across, which down, and those that make panels."""
    dims = grid_dims(results)
    if len(dims) == 1:
        return dims[0], "init", []
    return dims[0], dims[1], [*dims[2:], "init"]


def _draw_map(ax: Axes, shown: xr.DataArray, norm: LogNorm) -> None:
    values = shown.values
    ax.set_facecolor(_NO_MEDIAN)
    masked = np.ma.masked_invalid(np.where(values > 0, values, np.nan))
    ax.imshow(masked, norm=norm, cmap="viridis_r", aspect="auto", origin="lower")
    if values.size > _MOST_NUMBERS:
        return
    for (row, column), value in np.ndenumerate(values):
        dark = np.isfinite(value) and norm(max(value, norm.vmin or 0.0)) < 0.45
        ax.text(
            column, row, _short(value), ha="center", va="center", fontsize=7,
            color=INK if dark or not np.isfinite(value) else "white",
        )  # fmt: skip


def _name_rows_and_columns(
    ax: Axes, results: xr.Dataset, across: str, down: str, columns: int
) -> None:
    names = _names(results, across)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(results.sizes[down]), _names(results, down))
    ax.set_xlabel(dimension_label(results, across))
    ax.set_ylabel(dimension_label(results, down))
    ax.tick_params(length=0)
    if max(map(len, names)) * len(names) * columns > _ROOM:
        for text in ax.get_xticklabels():
            text.set(rotation=45, ha="right", rotation_mode="anchor")


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "div."
    if value and value < 1e-3:
        return compact(float(f"{value:.1g}"))
    return f"{value:.2g}" if value < 1000 else compact(float(f"{value:.1g}"))


def _names(results: xr.Dataset, dim: str) -> list[str]:
    return [plain(value_text(value), most=16) for value in results[dim].values.tolist()]
