"""How every picture looks: one style, one colour and marker per init."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# At this width, in inches, 10 points are readable in a page of 900 pixels.
PAGE_WIDTH = 9.0

INK, QUIET, FAINT = "#222222", "#5c5c5c", "#c9c9c9"

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/, without yellow, which is
# too faint on white. Seven colours and eight markers repeat together after 56 inits.
_COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#333333",
)  # fmt: skip
_DASHES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "<", ">")

# Matplotlib types its keys as literals, which a dict of them does not keep.
_STYLE: Any = {
    "font.family": "sans-serif",
    # Verdana has the same metrics, where a reader's system has no DejaVu.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": True,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8a8a8a",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.facecolor": "white",
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "figure.titlesize": 11,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "xtick.color": "#8a8a8a",
    "ytick.color": "#8a8a8a",
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": QUIET,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.solid_capstyle": "round",
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "initlab",
}


@contextmanager
def style() -> Iterator[None]:
    """Give what is drawn or saved inside the look of the project's pictures.

    Example:
        >>> with style():
        ...     Figure().get_dpi()
        100.0
    """
    with mpl.rc_context(_STYLE):
        yield


def colour_of(init: int) -> str:
    """Return the colour of the init at this place in the study."""
    return _COLOURS[init % len(_COLOURS)]


def dashes_of(init: int) -> str:
    """Return the line of the init at this place, where curves have no markers.

    Another one each time that the colours begin anew.
    """
    return _DASHES[init // len(_COLOURS) % len(_DASHES)]


def marker_of(init: int) -> str:
    """Return the marker of the init at this place in the study."""
    return _MARKERS[init % len(_MARKERS)]


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that makes room for its labels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=0.08, h_pad=0.08)
    return figure


def figure_of(ax: Axes) -> Figure:
    """Return the figure that these axes are drawn in, whatever subfigure holds them."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure
