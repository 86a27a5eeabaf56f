"""How well a network does, in numbers that people read: accuracy or R squared."""

from collections.abc import Callable

import numpy as np

from initlab.engine._losses import Logits
from initlab.engine._values import Examples
from initlab.spec import Study

Score = Callable[[Logits, Logits], float]


def score_of(study: Study, data: Examples) -> Score:
    """Return the score for this loss and these targets, a function of logits."""
    if not data.is_classification:
        return r_squared
    if data.train_y.shape[1] > 1:
        return accuracy_of_largest
    return accuracy_of_sign if study.loss != "mean_squared_error" else accuracy_of_half


def accuracy_of_sign(logits: Logits, y: Logits) -> float:
    """Return the share of examples on the right side of probability 1/2."""
    return float(np.mean((logits > 0) == (y > 0.5)))


def accuracy_of_half(outputs: Logits, y: Logits) -> float:
    """Return the share of examples on the right side of 1/2, for targets 0 and 1."""
    return float(np.mean((outputs > 0.5) == (y > 0.5)))


def accuracy_of_largest(logits: Logits, y: Logits) -> float:
    """Return the share of examples whose largest output is their class."""
    return float(np.mean(logits.argmax(axis=1) == y.argmax(axis=1)))


def r_squared(outputs: Logits, y: Logits) -> float:
    """Return 1 - residual / total sum of squares; NaN for constant targets."""
    total = float(np.sum((y - y.mean(axis=0)) ** 2))
    return 1 - float(np.sum((y - outputs) ** 2)) / total if total else float("nan")
