"""Training: weights and data in, histories and layer summaries out."""

from initlab.engine._choice import StepCost, quickest, step_cost
from initlab.engine._cores import cores, one_blas_thread
from initlab.engine._ensemble import (
    ENGINES,
    refuse_for_reference,
    stream_ensemble,
    train_ensemble,
)
from initlab.engine._kernels import COMPILERS
from initlab.engine._losses import LOSSES
from initlab.engine._machine import machine
from initlab.engine._network import Reference
from initlab.engine._reference import layer_outputs, starting_outputs, train
from initlab.engine._signals import (
    MEASURED_SIGNALS,
    Signals,
    input_cosine,
    stream_signals,
)
from initlab.engine._summaries import SATURATED_SLOPE
from initlab.engine._values import (
    Examples,
    History,
    LayerSummaries,
    Parameters,
    Progress,
    Weights,
)

__all__ = [
    "COMPILERS",
    "ENGINES",
    "LOSSES",
    "MEASURED_SIGNALS",
    "SATURATED_SLOPE",
    "Examples",
    "History",
    "LayerSummaries",
    "Parameters",
    "Progress",
    "Reference",
    "Signals",
    "StepCost",
    "Weights",
    "cores",
    "input_cosine",
    "layer_outputs",
    "machine",
    "one_blas_thread",
    "quickest",
    "refuse_for_reference",
    "starting_outputs",
    "step_cost",
    "stream_ensemble",
    "stream_signals",
    "train",
    "train_ensemble",
]
