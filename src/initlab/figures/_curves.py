"""Training loss against steps, every init in one picture."""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform
from scipy.optimize import isotonic_regression

from initlab.analysis import refuse_unfinished
from initlab.analysis.statistics import bands
from initlab.figures._bands import band_label, ends_of, refuse_unknown_band
from initlab.figures._labels import (
    compact,
    init_names,
    log_ticks,
    loss_label,
)
from initlab.figures._members import Spread, spread_over_members
from initlab.figures._style import (
    INK,
    PAGE_WIDTH,
    QUIET,
    colour_of,
    figure_of,
    marker_of,
    new_figure,
    style,
)

# Losses whose largest exceeds the smallest by more than this are drawn on a log scale.
LOGARITHMIC_RATIO = 30
# The axis ends at this many times the largest loss that training could start from, so
# that one network that exploded does not flatten all others.
CEILING = 1e4
_MARKERS_PER_CURVE = 7
_LABEL_POINTS = 13.5
_CONSTANT_GUESS = "constant guess"


def loss_curves(
    results: xr.Dataset, *, ax: Axes | None = None, band: str = "spread"
) -> Axes:
    """Draw the training loss of every init against the step.

    Lines are medians over members, bands what `band` says. A diverged member
    ends with a cross, and counts as infinite in the median and the spread. The dashed
    line is the least loss that a constant output has: above it, nothing was learned.

    Args:
        results: Dataset with `loss`, `diverged_step` and `baseline_loss`.
        ax: Where to draw; None: a new figure, `ax.figure` of what is returned.
        band: `"spread"`: the 5 % to 95 % quantiles of the members. `"interval"`: the
            95 % confidence interval of the median.

    Raises:
        InvalidValueError: If there is no such band, or there are too few members for
            an interval (under 6).

    Example:
        >>> from initlab.spec import Study
        >>> from initlab.study import run
        >>> ax = loss_curves(run(Study(inits=["he_normal"], steps=300)))
        >>> ax.get_xlabel()
        'step (parameter updates done)'
    """
    refuse_unfinished(results)
    refuse_unknown_band(results, band)
    with style():
        if ax is None:
            ax = new_figure(PAGE_WIDTH, 4.6).subplots()
        steps = results["step"].values
        spread = _shaded(results["loss"], band)
        _draw_curves(ax, results, steps, spread)
        _draw_divergences(ax, results, steps)
        baseline = float(results["baseline_loss"])
        ax.axhline(
            baseline, color=INK, lw=1, ls=(0, (5, 3)), label=_CONSTANT_GUESS, zorder=4
        )
        _set_scales(ax, steps, spread, baseline)
        _label_ends(ax, results, spread, baseline)
        _head(ax, results, band)
    return ax


def _shaded(loss: xr.DataArray, band: str) -> Spread:
    """Return the medians, and the ends of what is shaded."""
    spread = spread_over_members(loss)
    if band == "spread":
        return spread
    curves = loss.transpose("init", "member", "step").values.astype(np.float64)
    ends = np.array([ends_of(bands(each, worst=np.inf), band) for each in curves])
    ends = np.where(np.isfinite(ends), ends, np.nan)
    return Spread(middle=spread.middle, low=ends[:, 0], high=ends[:, 1])


def _draw_curves(
    ax: Axes, results: xr.Dataset, steps: np.ndarray, spread: Spread
) -> None:
    inits = results.sizes["init"]
    stride = max(1, len(steps) // _MARKERS_PER_CURVE)
    # An infinite quantile leaves the picture at its top.
    beyond = 10 * _finite([spread.low, spread.middle, spread.high]).max(initial=1.0)
    for i, name in enumerate(init_names(results)):
        if results.sizes["member"] > 1:
            ax.fill_between(
                steps,
                spread.low[i],
                np.nan_to_num(spread.high[i], nan=beyond),
                where=np.isfinite(spread.low[i]),
                color=colour_of(i),
                alpha=0.16,
                lw=0,
                label="_band",
            )
        # Later curves are thinner, markers are staggered: none hides another.
        ax.plot(
            steps,
            spread.middle[i],
            color=colour_of(i),
            lw=max(1.3, 2.4 - 0.25 * i),
            marker=marker_of(i),
            markevery=(i * stride // inits, stride),
            ms=5.5,
            mec="white",
            mew=0.7,
            label=name,
            zorder=3 + 0.01 * i,
        )


def _draw_divergences(ax: Axes, results: xr.Dataset, steps: np.ndarray) -> None:
    """Put a cross where each diverged member was last seen."""
    for i in range(results.sizes["init"]):
        diverged = results["diverged_step"].values[i] >= 0
        losses = results["loss"].values[i][diverged]
        seen = np.isfinite(losses)
        known = seen.any(axis=1)
        last = len(steps) - 1 - np.argmax(seen[known, ::-1], axis=1)
        cross: dict[str, Any] = {
            "color": colour_of(i),
            "marker": "x",
            "ms": 8,
            "mew": 2,
            "ls": "",
            "zorder": 5,
            "clip_on": False,
        }
        # An empty unclipped line would stretch the layout to the figure's corner.
        if known.any():
            ax.plot(steps[last], losses[known, last], label="_diverged", **cross)
        if not known.all():
            ax.plot(
                steps[:1],
                [0.97 - 0.06 * i],
                transform=ax.get_xaxis_transform(),
                label="_never finite",
                **cross,
            )


def _set_scales(ax: Axes, steps: np.ndarray, spread: Spread, baseline: float) -> None:
    shown = _finite([spread.low, spread.middle, spread.high])
    positive = np.append(shown[shown > 0], baseline if baseline > 0 else [])
    low, high = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
    first = _finite([spread.middle[:, 0], np.array(baseline)]).max(initial=low)
    high = max(low, min(high, CEILING * first))
    if high / low > LOGARITHMIC_RATIO:
        margin = (high / low) ** 0.04
        # Limits first: on a log scale matplotlib's own could overflow.
        ax.set_ylim(low / margin, high * margin)
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        ax.set_ylim(0, 1.06 * high)
    ax.yaxis.set_major_formatter(FuncFormatter(compact))
    ax.set_xlim(-0.01 * steps[-1], steps[-1])
    ax.xaxis.set_major_locator(
        MaxNLocator(6, steps=[1, 2, 2.5, 3, 5, 10], integer=True)
    )
    ax.xaxis.set_major_formatter(FuncFormatter(compact))
    ax.grid(visible=True, axis="y")


def _finite(arrays: list[np.ndarray]) -> np.ndarray:
    values = np.concatenate(arrays, axis=None)
    return values[np.isfinite(values)]


def _label_ends(ax: Axes, results: xr.Dataset, spread: Spread, baseline: float) -> None:
    """Name each curve beside its end, moved apart where ends are close."""
    names = [
        name + _diverged_remark(results, i)
        for i, name in enumerate(init_names(results))
    ]
    ends = np.append(spread.middle[:, -1], baseline)
    heights = np.array([_height(ax, end) for end in ends])
    order = np.argsort(heights, kind="stable")
    gap = _LABEL_POINTS / 72 * figure_of(ax).dpi / ax.get_window_extent().height
    places = np.empty_like(heights)
    places[order] = _apart(heights[order], gap)
    for i, name in enumerate(names):
        _label(ax, name, places[i], colour=colour_of(i), marker=marker_of(i))
        if np.isfinite(ends[i]):
            _lead(ax, heights[i], places[i], colour_of(i))
    _label(ax, _CONSTANT_GUESS, places[-1])
    _lead(ax, heights[-1], places[-1], QUIET)


def _height(ax: Axes, loss: float) -> float:
    """Return where a loss is on the axis, from 0 to 1; a diverged one at its top."""
    if not np.isfinite(loss):
        return 1.0
    low, high = ax.get_ylim()
    shown = np.clip(loss, low, high)
    _, height = ax.transAxes.inverted().transform(ax.transData.transform((0, shown)))
    return float(height)


def _apart(
    heights: Float[np.ndarray, "label"], gap: float
) -> Float[np.ndarray, "label"]:
    """Return ascending heights moved as little as makes them one gap apart."""
    steps = gap * np.arange(len(heights))
    places = isotonic_regression(heights - steps).x + steps
    return np.maximum(np.minimum(places, 1 - steps[::-1]), steps)


def _diverged_remark(results: xr.Dataset, init: int) -> str:
    diverged = int((results["diverged_step"].values[init] >= 0).sum())
    members = results.sizes["member"]
    if not diverged:
        return ""
    return " (diverged)" if members == 1 else f" ({diverged} of {members} diverged)"


def _beside(ax: Axes, points: float) -> Transform:
    """Return coordinates of the axes, moved right by so many points."""
    return ax.transAxes + ScaledTranslation(
        points / 72, 0, figure_of(ax).dpi_scale_trans
    )


def _label(
    ax: Axes, name: str, height: float, *, colour: str = QUIET, marker: str = ""
) -> None:
    if marker:
        key = Line2D(
            [1.0],
            [height],
            color=colour,
            marker=marker,
            ms=6,
            ls="",
            transform=_beside(ax, 15),
            clip_on=False,
        )
        ax.add_artist(key)
    ax.text(
        1.0,
        height,
        name,
        transform=_beside(ax, 22 if marker else 12),
        va="center_baseline",
        color=INK if marker else QUIET,
        style="normal" if marker else "italic",
    )


def _lead(ax: Axes, height: float, place: float, colour: str) -> None:
    """Draw a thin line from a curve's end to its label."""
    ax.annotate(
        "",
        (1.0, height),
        (1.0, place),
        xycoords="axes fraction",
        textcoords=_beside(ax, 10),
        arrowprops={
            "arrowstyle": "-",
            "color": colour,
            "lw": 0.8,
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )


def _head(ax: Axes, results: xr.Dataset, band: str) -> None:
    members = results.sizes["member"]
    remarks = []
    if members > 1:
        remarks.append(f"Line: median of {members} members. Band: {band_label(band)}.")
    if (results["diverged_step"].values >= 0).any():
        remarks.append("Cross: last finite loss before divergence.")
    ax.set_title(
        "Training loss", loc="left", fontweight="bold", pad=22 if remarks else 8
    )
    if remarks:
        ax.annotate(
            " ".join(remarks),
            (0, 1),
            xytext=(0, 8),
            xycoords="axes fraction",
            textcoords="offset points",
            color=QUIET,
            fontsize=9,
        )
    ax.set_xlabel("step (parameter updates done)")
    ax.set_ylabel(loss_label(results))
