"""Losses and scores of a tile: what a network says against what it should say.

`logits` are one tile per output; `y` points to the targets, row after row, and `rows`
to the tile's rows; `count` is how many of its examples are real.
"""

import math

from initlab.engine._lane_layers import kernel
from initlab.engine._plan import (
    BINARY_CROSS_ENTROPY,
    MEAN_SQUARED_ERROR,
    RESIDUAL,
    RIGHT_CLASS,
    RIGHT_HALF,
    SOFTMAX_CROSS_ENTROPY,
    TILE,
)
from initlab.engine._vector_functions import (
    filled,
    first,
    fma,
    fma_total,
    magnitude,
    spread,
    total,
    where,
)
from initlab.engine._vector_math import exp, log1p, sigmoid

# As in `_losses`: an output within this of 0 or 1 is certain.
_CERTAIN = 1e-6
_CERTAIN_LOGIT = math.log((1 - _CERTAIN) / _CERTAIN)


@kernel
def loss_delta(kind, logits, y, outputs, rows, count, share, check):
    """Overwrite the logits with the loss's derivative by them.

    Return `check`, plus what is not finite in the lanes whose loss is not.
    """
    if kind == SOFTMAX_CROSS_ENTROPY:
        largest = _largest(logits, outputs)
        added = filled(logits, 0.0)
        for j in range(outputs):
            z = logits[j]
            check = fma_total(z, filled(logits, 0.0), check)
            e = exp(z - largest)
            logits[j] = e
            added = added + e
        for j in range(outputs):
            target = spread(logits, y, outputs, j, rows)
            logits[j] = (logits[j] / added - target) * share
    elif kind == BINARY_CROSS_ENTROPY:
        for j in range(outputs):
            z = logits[j]
            target = spread(logits, y, outputs, j, rows)
            check = fma_total(z, filled(logits, 0.0), check)
            logits[j] = (sigmoid(z) - target) * share
    elif kind == MEAN_SQUARED_ERROR:
        for j in range(outputs):
            d = logits[j] - spread(logits, y, outputs, j, rows)
            check = fma_total(d, d, check)
            logits[j] = d * share * 2.0
    if count < TILE:  # asked of each example above, this would be four branches
        for j in range(outputs):
            logits[j] = first(logits[j], count)
    return check


@kernel
def loss_total(kind, logits, y, outputs, rows, count):
    """Return the loss, summed over the tile's examples."""
    added = filled(logits, 0.0)
    if kind == SOFTMAX_CROSS_ENTROPY:
        largest = _largest(logits, outputs)
        rest = _exp_sum(logits, outputs, largest) - 1.0
        for j in range(outputs):
            target = spread(logits, y, outputs, j, rows)
            below = logits[j] - largest - log1p(rest)
            added = added - where(target > 0.0, below * target, 0.0)
    elif kind == BINARY_CROSS_ENTROPY:
        for j in range(outputs):
            z = logits[j]
            target = spread(logits, y, outputs, j, rows)
            positive = where(z > 0.0, z, z * 0.0)
            added = added + (positive - z * target + log1p(exp(-magnitude(z))))
    elif kind == MEAN_SQUARED_ERROR:
        for j in range(outputs):
            d = logits[j] - spread(logits, y, outputs, j, rows)
            added = fma(d, d, added)
    return total(first(added, count))


@kernel
def score_total(kind, logits, y, outputs, rows, count):
    """Return the examples that are right, or the squared residuals, of the tile."""
    added = filled(logits, 0.0)
    one = filled(logits, 1.0)
    if kind == RIGHT_CLASS:
        # The first of the largest, as argmax has it, of outputs and of targets.
        best = logits[0]
        target = spread(logits, y, outputs, 0, rows)
        wanted = target
        right = one
        for j in range(1, outputs):
            z = logits[j]
            target = spread(logits, y, outputs, j, rows)
            right = where(z > best, 0.0, right)
            right = where(target > wanted, where(z > best, one, 0.0), right)
            best = where(z > best, z, best)
            wanted = where(target > wanted, target, wanted)
        added = right
    elif kind == RESIDUAL:
        for j in range(outputs):
            d = logits[j] - spread(logits, y, outputs, j, rows)
            added = fma(d, d, added)
    else:
        limit = 0.5 if kind == RIGHT_HALF else 0.0
        says = where(logits[0] > limit, one, 0.0)
        truth = where(spread(logits, y, outputs, 0, rows) > 0.5, one, 0.0)
        added = where(says == truth, one, 0.0)
    return total(first(added, count))


@kernel
def certain_total(kind, logits, outputs, count):
    """Return how many outputs, or softmax examples, are within 1e-6 of certain."""
    added = filled(logits, 0.0)
    one = filled(logits, 1.0)
    if kind == SOFTMAX_CROSS_ENTROPY:
        largest = _largest(logits, outputs)
        highest = 1.0 / _exp_sum(logits, outputs, largest)
        added = where(highest > 1.0 - _CERTAIN, one, 0.0)
    elif kind == BINARY_CROSS_ENTROPY:
        for j in range(outputs):
            added = added + where(magnitude(logits[j]) > _CERTAIN_LOGIT, one, 0.0)
    return total(first(added, count))


@kernel
def _largest(logits, outputs):
    largest = logits[0]
    for j in range(1, outputs):
        largest = where(logits[j] > largest, logits[j], largest)
    return largest


@kernel
def _exp_sum(logits, outputs, largest):
    added = filled(logits, 0.0)
    for j in range(outputs):
        added = added + exp(logits[j] - largest)
    return added
