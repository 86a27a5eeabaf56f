"""Datasets as pictures: every function takes results and returns matplotlib Axes.

No pyplot and no global state. An init has the same colour and marker in every picture,
also in those that the lesson draws with what is exported for it: inks, labels, ticks.
"""

from initlab.figures._bands import FEWEST_FOR_AN_INTERVAL
from initlab.figures._boundaries import decision_boundaries
from initlab.figures._checked import checked_layers
from initlab.figures._curves import CEILING, loss_curves
from initlab.figures._distributions import along, distributions
from initlab.figures._grid_curves import CEILING as GRID_CEILING
from initlab.figures._grid_curves import FLOOR as GRID_FLOOR
from initlab.figures._grid_curves import grid_curves
from initlab.figures._grid_maps import loss_heatmaps, map_dims
from initlab.figures._histograms import activation_histograms
from initlab.figures._labels import compact, log_ticks, loss_name
from initlab.figures._panels import MOST_PANELS
from initlab.figures._performance import performance_curves
from initlab.figures._phases import phase_diagram
from initlab.figures._profiles import layer_profiles
from initlab.figures._signals import signal_profiles
from initlab.figures._style import (
    INK,
    QUIET,
    colour_of,
    marker_of,
    new_figure,
    style,
)

__all__ = [
    "CEILING",
    "FEWEST_FOR_AN_INTERVAL",
    "GRID_CEILING",
    "GRID_FLOOR",
    "INK",
    "MOST_PANELS",
    "QUIET",
    "activation_histograms",
    "along",
    "checked_layers",
    "colour_of",
    "compact",
    "decision_boundaries",
    "distributions",
    "grid_curves",
    "layer_profiles",
    "log_ticks",
    "loss_curves",
    "loss_heatmaps",
    "loss_name",
    "map_dims",
    "marker_of",
    "new_figure",
    "performance_curves",
    "phase_diagram",
    "signal_profiles",
    "style",
]
