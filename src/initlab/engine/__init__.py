"""Training: weights and data in, histories and layer summaries out."""

from initlab.engine._ensemble import Progress, train_ensemble
from initlab.engine._losses import LOSSES
from initlab.engine._network import Reference
from initlab.engine._reference import layer_outputs, starting_outputs, train
from initlab.engine._values import (
    Examples,
    History,
    LayerSummaries,
    Parameters,
    Weights,
)

__all__ = [
    "LOSSES",
    "Examples",
    "History",
    "LayerSummaries",
    "Parameters",
    "Progress",
    "Reference",
    "Weights",
    "layer_outputs",
    "starting_outputs",
    "train",
    "train_ensemble",
]
