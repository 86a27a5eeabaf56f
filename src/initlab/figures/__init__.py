"""Datasets as pictures: every function takes results and returns matplotlib Axes.

No pyplot and no global state. An init has the same colour and marker in every picture.
"""

from initlab.figures._boundaries import decision_boundaries
from initlab.figures._checked import checked_layers
from initlab.figures._curves import CEILING, loss_curves
from initlab.figures._distributions import along, distributions
from initlab.figures._grids import MOST_PANELS, grid_curves, loss_heatmaps
from initlab.figures._histograms import activation_histograms
from initlab.figures._phases import phase_diagram
from initlab.figures._profiles import layer_profiles
from initlab.figures._signals import signal_profiles
from initlab.figures._style import style

__all__ = [
    "CEILING",
    "MOST_PANELS",
    "activation_histograms",
    "along",
    "checked_layers",
    "decision_boundaries",
    "distributions",
    "grid_curves",
    "layer_profiles",
    "loss_curves",
    "loss_heatmaps",
    "phase_diagram",
    "signal_profiles",
    "style",
]
