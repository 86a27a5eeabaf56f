"""What notebooks of the lesson Initialization import from `init_utils`."""

from initlab.lesson.modules._data import (
    load_cat_dataset,
    load_dataset,
    load_planar_dataset,
)
from initlab.lesson.modules._network import (
    backward_propagation,
    compute_loss,
    forward_propagation,
    predict,
    predict_dec,
    relu,
    sigmoid,
    update_parameters,
)
from initlab.lesson.modules._plots import plot_decision_boundary

__all__ = [
    "backward_propagation",
    "compute_loss",
    "forward_propagation",
    "load_cat_dataset",
    "load_dataset",
    "load_planar_dataset",
    "plot_decision_boundary",
    "predict",
    "predict_dec",
    "relu",
    "sigmoid",
    "update_parameters",
]
