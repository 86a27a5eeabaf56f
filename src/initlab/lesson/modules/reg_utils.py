"""What notebooks of the lesson Regularization import from `reg_utils`."""

from initlab.lesson.modules._data import (
    load_2D_dataset,
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
from initlab.lesson.modules._regularization import (
    backward_propagation_with_dropout,
    backward_propagation_with_regularization,
    compute_cost_with_regularization,
    forward_propagation_with_dropout,
    initialize_parameters,
)

compute_cost = compute_loss

__all__ = [
    "backward_propagation",
    "backward_propagation_with_dropout",
    "backward_propagation_with_regularization",
    "compute_cost",
    "compute_cost_with_regularization",
    "compute_loss",
    "forward_propagation",
    "forward_propagation_with_dropout",
    "initialize_parameters",
    "load_2D_dataset",
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
