"""Studies with a grid as learning curves, one panel per cell."""

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from initlab.analysis import in_grid_order, refuse_unfinished
from initlab.analysis.statistics import Bands, bands
from initlab.figures._bands import band_label, ends_of, refuse_unknown_band
from initlab.figures._labels import compact, init_names, loss_label
from initlab.figures._panels import (
    add_legend,
    columns_for,
    grid_dims,
    panelled,
    place_title,
    places,
    set_log_ticks,
)
from initlab.figures._style import colour_of, dashes_of, style

# Below it, a log scale has no room for two numbers.
_LOGARITHMIC_RATIO = 2.0
# The axis shows so many times the loss of a constant output, or of the least start, so
# that an exploding start does not flatten all that was learned, and so little under the
# least median, so that one member that came to 1e-56 does not either.
CEILING = 4.0
FLOOR = 0.1
_LEAST = 1e-9  # of the loss of a constant output: below it, all is learned


def grid_curves(results: xr.Dataset, *, band: str = "spread") -> np.ndarray:
    """Draw the training loss against the step, one panel per cell of the grid.

    Lines are medians over members; a diverged member counts as infinite, and a line
    ends where its median does.

    Args:
        results: A study's dataset; of a larger grid the first 24 cells are drawn.
        band: What is shaded. `"spread"`: from the 5 % to the 95 % quantile of the
            members, how different they are. `"interval"`: the 95 % confidence
            interval of the median, how well it is known.

    Returns:
        The panels' Axes.

    Raises:
        InvalidValueError: If there is no such band, or there are too few members for
            an interval (under 6).

    Example:
        >>> import initlab as il
        >>> study = il.Study(grid={"learning_rate": [0.01, 0.1]}, steps=10)
        >>> grid_curves(il.run(study)).size
        2
    """
    refuse_unknown_band(results, band)
    refuse_unfinished(results)
    results = in_grid_order(results)
    dims = grid_dims(results)
    shown = places(results, dims)
    columns = columns_for(len(shown), results.sizes[dims[-1]])
    curves = [_curves(results["loss"].sel(place)) for place in shown]
    with style():
        titles = [place_title(place, columns) for place in shown]
        figure, axes = panelled(titles, height=1.95, columns=columns, shared=True)
        for ax, found in zip(axes, curves, strict=True):
            _draw(ax, results, found, band)
            ax.set_xlabel("step")
            ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            ax.xaxis.set_major_formatter(FuncFormatter(compact))
            ax.grid(visible=True, axis="y")
        _set_scale(axes[0], curves, float(results["baseline_loss"].max()))
        # As many letters as one row of panels has room for.
        figure.supylabel(textwrap.fill(loss_label(results), 32), fontsize=10)
        shaded = band_label(band) if results.sizes["member"] > 1 else None
        add_legend(axes[0], shaded=shaded)
    return axes


def _curves(loss: xr.DataArray) -> list[Bands]:
    values = loss.transpose("init", "member", "step").values
    return [bands(each, worst=np.inf) for each in values.astype(np.float64)]


def _draw(ax: Axes, results: xr.Dataset, curves: list[Bands], band: str) -> None:
    steps = results["step"].values
    for i, (name, found) in enumerate(zip(init_names(results), curves, strict=True)):
        if results.sizes["member"] > 1:
            low, high = ends_of(found, band)
            ax.fill_between(
                steps, _finite_or_gap(low), np.minimum(high, 1e300),
                where=np.isfinite(low), color=colour_of(i), alpha=0.16, lw=0,
            )  # fmt: skip
        ax.plot(
            steps, _finite_or_gap(found.median), color=colour_of(i), lw=1.6,
            ls=dashes_of(i), label=name,
        )  # fmt: skip


def _finite_or_gap(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _set_scale(ax: Axes, curves: list[list[Bands]], constant: float) -> None:
    """Set the limits of all panels, which share them, whatever is shaded."""
    medians = _positive([each.median for found in curves for each in found])
    ends = _positive([each.spread for found in curves for each in found])
    floor = max(FLOOR * medians.min(initial=constant), _LEAST * constant)
    low = max(floor, ends.min(initial=constant))
    starts = _positive([each.median[:1] for found in curves for each in found])
    usual = max(constant, starts.min(initial=np.inf) if starts.size else 0.0)
    high = max(low, min(ends.max(initial=constant), CEILING * usual))
    if low <= 0 or high / low <= _LOGARITHMIC_RATIO:
        ax.set_ylim(0, 1.06 * high or 1.0)
        ax.yaxis.set_major_formatter(FuncFormatter(compact))
        return
    margin = (high / low) ** 0.04
    ax.set_ylim(low / margin, high * margin)
    ax.set_yscale("log")
    set_log_ticks(ax.yaxis, low, high)


def _positive(arrays: list[np.ndarray]) -> np.ndarray:
    values = np.concatenate(arrays, axis=None)
    return values[np.isfinite(values) & (values > 0)]
