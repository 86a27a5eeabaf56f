"""A log scale for sizes that may be any power of ten, exact zeros among them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initlab.figures._labels import compact, log_ticks

_LEAST = 1e-100


def positive(values: np.ndarray) -> np.ndarray:
    """Return values that a log scale has a place for; others are gaps.

    Example:
        >>> positive(np.array([2.0, 0.0]))
        array([ 2., nan])
    """
    return np.where(values > _LEAST, values, np.nan)


def log_scale(ax: Axes) -> None:
    """Set a log scale around the axes' lines, of one decade at least.

    Example:
        >>> from matplotlib.figure import Figure
        >>> ax = Figure().add_subplot()
        >>> _ = ax.plot([2.0, 3.0])
        >>> log_scale(ax)
        >>> low, high = ax.get_ylim()
        >>> ax.get_yscale(), bool(high > 10 * low)
        ('log', True)
    """
    ends = [np.asarray(line.get_ydata(), dtype=np.float64) for line in ax.lines]
    values = np.concatenate([each[np.isfinite(each)] for each in ends] or [np.ones(1)])
    low, high = (values.min(), values.max()) if values.size else (0.1, 10.0)
    if high / low < 10:
        low, high = np.sqrt(low * high) / 10**0.5, np.sqrt(low * high) * 10**0.5
    ax.set_yscale("log")
    margin = (high / low) ** 0.06
    ax.set_ylim(low / margin, high * margin)
    ax.yaxis.set_major_locator(FixedLocator(log_ticks(low / margin, high * margin)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(compact))
