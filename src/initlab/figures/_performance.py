"""Performance profiles: how often each init is near the best one."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from initlab.analysis import performance_profiles
from initlab.figures._labels import init_names
from initlab.figures._panels import add_legend, set_log_ticks
from initlab.figures._style import (
    PAGE_WIDTH,
    colour_of,
    dashes_of,
    new_figure,
    style,
)

_LARGEST = 100.0
_POINTS = 61


def performance_curves(results: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw the share of runs that end within a factor of the best init's loss.

    Lines are `initlab.analysis.performance_profiles`, shaded their 95 % intervals
    (Wilson; a member's runs count as one). On the left: how often an init is the best
    one itself.

    Args:
        results: A study's dataset with two inits or more.
        ax: Where to draw; None: a new figure, `ax.figure` of what is returned.

    Raises:
        InvalidValueError: If there is one init, which is always the best.

    Example:
        >>> import initlab as il
        >>> study = il.Study(grid={"learning_rate": [0.01, 0.1]}, steps=10)
        >>> performance_curves(il.run(study)).get_ylabel()
        'share of runs'
    """
    factors = tuple(np.geomspace(1.0, _LARGEST, _POINTS).tolist())
    found = performance_profiles(results, factors=factors)
    with style():
        own = ax is None
        if ax is None:
            ax = new_figure(PAGE_WIDTH, 3.8).subplots()
        for i, (name, each) in enumerate(zip(init_names(results), found, strict=True)):
            low, high = np.array([share.interval for share in each.within]).T
            ax.fill_between(factors, low, high, color=colour_of(i), alpha=0.13, lw=0)
            ax.plot(
                factors, [share.value for share in each.within], color=colour_of(i),
                ls=dashes_of(i), label=name, zorder=3, clip_on=False,
            )  # fmt: skip
        ax.set_xscale("log")
        ax.set_xlim(1, _LARGEST)
        ax.set_ylim(0, 1)
        set_log_ticks(ax.xaxis, 1.0, _LARGEST)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        ax.set_xlabel("final training loss, as a multiple of the run's least")
        ax.set_ylabel("share of runs")
        ax.grid(visible=True, axis="y")
        if own:
            add_legend(ax, shaded="95 % interval of the share")
    return ax
