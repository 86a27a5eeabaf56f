"""A study as kernels read it, and how much memory they need for it."""

import numpy as np

from initlab.engine._plan import (
    BATCH_NORM,
    OPTIMIZER,
    RESIDUAL,
    RIGHT_CLASS,
    RIGHT_HALF,
    RIGHT_SIGN,
    STRIP,
    TILE,
    WIDTHS,
)
from initlab.engine._values import Examples
from initlab.spec import ACTIVATION_NAMES, LOSS_NAMES, OPTIMIZER_NAMES, Study


def plan_of(study: Study, data: Examples) -> np.ndarray:
    """Return the study as kernels read it, `int32`."""
    network = study.network
    assert network.widths is not None
    assert study.loss is not None
    return np.array(
        [
            network.layers,
            ACTIVATION_NAMES.index(network.activation),
            LOSS_NAMES.index(study.loss),
            OPTIMIZER_NAMES.index(study.optimizer),
            network.batch_norm,
            _score(study, data),
            *network.widths,
        ],
        dtype=np.int32,
    )


def _score(study: Study, data: Examples) -> int:
    if not data.is_classification:
        return RESIDUAL
    if data.train_y.shape[1] > 1:
        return RIGHT_CLASS
    return RIGHT_HALF if study.loss == "mean_squared_error" else RIGHT_SIGN


def tiles(examples: int) -> int:
    """Return how many tiles hold so many examples; the last may be filled in part."""
    return -(-examples // TILE)


def parameter_count(plan: np.ndarray) -> int:
    """Return the weights, biases and batch-norm scales of one network."""
    widths = plan[WIDTHS:].astype(int)
    scales = widths[1:-1].sum() if plan[BATCH_NORM] else 0
    return int(((widths[:-1] + 1) * widths[1:]).sum() + scales)


def state_count(plan: np.ndarray) -> int:
    """Return the numbers that the optimizer keeps of one network."""
    return parameter_count(plan) * int(plan[OPTIMIZER])


def running_count(plan: np.ndarray) -> int:
    """Return the running means and variances of one network's hidden units."""
    return 2 * int(plan[WIDTHS + 1 : -1].sum()) if plan[BATCH_NORM] else 0


def scratch_count(plan: np.ndarray, examples: int) -> int:
    """Return the vectors that a kernel needs to work on so many examples at a time."""
    units = int(plan[WIDTHS:].sum())
    chunk = tiles(examples) if plan[BATCH_NORM] else STRIP
    # Activations, then deltas, of every unit, and slopes; with batch norm normalized
    # values.
    buffers = 3 if plan[BATCH_NORM] else 2
    # Three moments of every unit, zeros in place of its bias, six running sums, and
    # in the zeros' place the scales of two layers' columns.
    return buffers * units * chunk * TILE + 11 * units + 1
