"""Weights that are sine waves: one frequency per unit, nothing random."""

# ruff: noqa: ARG001  -- one signature for every row of the table

import math

import numpy as np
from jaxtyping import Float64

from initlab.catalog._blocks import blocks
from initlab.catalog._checks import Shape, checked_shape
from initlab.catalog._rng import Rng, Weight


def sinusoidal(shape: Shape, *, rng: Rng) -> Weight:
    """Unit i of m is a sine wave of i periods over its n inputs, with phase i / m.

    Entry (i, j) is proportional to sin(2 pi i (j / n + 1 / m)), i from 1 and j from
    0, at Glorot's variance, 2 / (m + n). The waves are rank-deficient on square
    weights: waves i and n - i are opposites, and i = n / 2 and i = n vanish, so that
    256 x 256 has rank 127, and two units that are 0. On at most two units with at
    most two inputs all are 0.

    Args:
        shape: `(fan_out, fan_in)`, or `(out, in, *kernel)`, which is flattened to
            `(out, in * kernel)`; or a layer, each of whose parts gets its own waves.
        rng: Not used, not advanced.

    Example:
        >>> weight = sinusoidal((256, 256), rng=np.random.default_rng(0))
        >>> int(np.linalg.matrix_rank(weight))
        127

    References:
        Fernandez-Hernandez, Mestre, Dolz, Duato and Quintana-Orti (2025),
        https://arxiv.org/abs/2505.12909. Their code divides by the sample's standard
        deviation with n - 1; here the variance of the entries is exact.
    """
    parts, rows, columns = _sizes(shape)
    waves = _waves(rows, columns)
    if not _vanishes(rows, columns):
        waves = waves * (sinusoidal_std(shape) / waves.std())
    sizes = checked_shape(shape)
    return np.broadcast_to(waves, (parts, rows, columns)).reshape(sizes).copy()


def sinusoidal_std(shape: Shape) -> float:
    """sqrt(2 / (m + n)) of m waves over n inputs, exactly; 0 up to 2 x 2.

    Example:
        >>> sinusoidal_std((6, 2))
        0.5
    """
    _, rows, columns = _sizes(shape)
    return 0.0 if _vanishes(rows, columns) else math.sqrt(2 / (rows + columns))


def _sizes(shape: Shape) -> tuple[int, int, int]:
    first, *rest = checked_shape(shape)
    parts = blocks(shape).parts
    return parts, first // parts, math.prod(rest)


def _vanishes(rows: int, columns: int) -> bool:
    return max(rows, columns) <= 2


def _waves(rows: int, columns: int) -> Float64[np.ndarray, "rows columns"]:
    unit = np.arange(1, rows + 1)[:, None]
    # Whole numbers of 1 / (m n) turns: exact, however many turns they make.
    turns = unit * (np.arange(columns) * rows + columns) % (rows * columns)
    waves = np.sin(2 * np.pi / (rows * columns) * turns)
    # sin(pi) is 1.2e-16 in floating point; waves that vanish shall be 0.
    waves[abs(waves) < 1e-14] = 0.0
    return waves
