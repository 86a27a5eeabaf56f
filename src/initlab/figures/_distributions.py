"""One number per member: its distribution, and how it changes along an axis."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from initlab.analysis.statistics import SPREAD
from initlab.figures._labels import plain
from initlab.figures._style import PAGE_WIDTH, colour_of, marker_of, new_figure, style

_ABOVE = 100.0  # so many times the largest finite value stands for infinity


def distributions(
    values: Mapping[str, Float[np.ndarray, "member"]],
    *,
    quantity: str,
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of the members lies below each value, one curve per label.

    A dot marks the median. Values that are not finite count as the largest: their
    curve ends below 1.

    Args:
        values: One number per member, by label, in the order of the colours.
        quantity: What the numbers are, with unit.
        logarithmic: Draw the values on a log scale.
        ax: Where to draw; None: a new figure.

    Example:
        >>> ax = distributions({"a": np.arange(5.0)}, quantity="cost")
        >>> ax.get_xlabel()
        'cost'
    """
    with style():
        if ax is None:
            ax = new_figure(PAGE_WIDTH, 4.2).add_subplot()
        for number, (label, numbers) in enumerate(values.items()):
            finite = np.sort(numbers[np.isfinite(numbers)])
            shares = np.arange(1, len(finite) + 1) / len(numbers)
            colour = colour_of(number)
            ax.step(finite, shares, where="post", label=plain(label), color=colour)
            median = np.median(np.where(np.isnan(numbers), np.inf, numbers))
            if np.isfinite(median):
                marker = marker_of(number)
                ax.plot(median, 0.5, marker=marker, markersize=8, color=colour)
        if logarithmic:
            ax.set_xscale("log")
        ax.set_ylim(0, 1)
        ax.set_xlabel(quantity)
        ax.set_ylabel("share of members at or below")
        ax.grid(visible=True)
        ax.legend(loc="best")
    return ax


def along(
    axis: Sequence[float],
    values: Mapping[str, Float[np.ndarray, "point member"]],
    *,
    axis_name: str,
    quantity: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw medians and spreads (5 % to 95 % of the members) along an axis.

    Where a spread reaches members that diverged, its band leaves the picture.

    Args:
        axis: Where the points lie, such as depths.
        values: One row of members per point, by label.
        axis_name: What the axis is.
        quantity: What the numbers are, with unit.
        ax: Where to draw; None: a new figure.

    Example:
        >>> ax = along([1, 2], {"a": np.ones((2, 5))}, axis_name="depth", quantity="c")
        >>> ax.get_xlabel()
        'depth'
    """
    with style():
        if ax is None:
            ax = new_figure(PAGE_WIDTH, 4.2).add_subplot()
        for number, (label, rows) in enumerate(values.items()):
            ranked = np.sort(np.where(np.isnan(rows), np.inf, rows), axis=1)
            low, high = np.quantile(ranked, SPREAD, axis=1, method="inverted_cdf")
            colour = colour_of(number)
            top = _ABOVE * max(1.0, float(ranked[np.isfinite(ranked)].max(initial=0)))
            ax.plot(
                axis,
                np.median(ranked, axis=1),
                color=colour,
                marker=marker_of(number),
                label=plain(label),
            )
            band = (np.minimum(low, top), np.minimum(high, top))
            ax.fill_between(axis, *band, color=colour, alpha=0.15, linewidth=0)
        ax.set_xticks(list(axis))
        ax.set_xlabel(axis_name)
        ax.set_ylabel(f"{quantity}\nmedian, and 5 % to 95 % of the members")
        ax.grid(visible=True)
        ax.legend(loc="best")
    return ax
