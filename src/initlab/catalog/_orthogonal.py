"""Orthogonal weights: every singular value equals the gain."""

import math

import numpy as np

from initlab.catalog._checks import Shape, checked_number, checked_shape
from initlab.catalog._rng import Rng, Weight, standard_normal


def orthogonal(shape: Shape, *, rng: Rng, gain: float = 1.0) -> Weight:
    """Rows or columns, whichever are fewer, that are orthonormal times `gain`.

    Uniform over all such matrices (Haar): Q of the QR decomposition of a Gaussian
    matrix, with the signs of R's diagonal moved into Q. Without the signs, or from an
    SVD, the matrix is orthogonal but not uniform: its expected trace is not 0.

    Args:
        shape: `(fan_out, fan_in)`, or `(out, in, *kernel)`, which is flattened to
            `(out, in * kernel)`.
        rng: Advanced by one normal draw per entry, and by nothing else.
        gain: The singular values.

    Example:
        >>> weight = orthogonal((2, 3), rng=np.random.default_rng(0))
        >>> bool(np.allclose(weight @ weight.T, np.eye(2)))
        True

    References:
        Saxe, McClelland and Ganguli (2014), https://arxiv.org/abs/1312.6120;
        Mezzadri (2007), section 5, https://arxiv.org/abs/math-ph/0609050
    """
    rows, *rest = checked_shape(shape)
    gaussian = standard_normal((rows, math.prod(rest)), rng)
    wide = rows < gaussian.shape[1]
    q, r = np.linalg.qr(gaussian.T if wide else gaussian)
    # Not np.sign: it would blank a column where a diagonal entry is exactly 0.
    q = q * np.copysign(1.0, np.diagonal(r))
    return checked_number("gain", gain) * (q.T if wide else q).reshape(rows, *rest)


def orthogonal_std(shape: Shape, *, gain: float = 1.0) -> float:
    """abs(gain) / sqrt(max(fan_out, rest)), rest the product of the other axes.

    Exact for the root mean square: min(fan_out, rest) unit vectors share all entries.

    Example:
        >>> orthogonal_std((2, 4))
        0.5
    """
    return abs(checked_number("gain", gain)) / math.sqrt(_longer_side(shape))


def orthogonal_kurtosis(shape: Shape, *, gain: float = 1.0) -> float:  # noqa: ARG001 -- a law takes what its draw takes
    """-6 / (n + 2), n the longer side: of a coordinate of a uniform unit vector.

    Example:
        >>> orthogonal_kurtosis((2, 4))
        -1.0
    """
    return -6 / (_longer_side(shape) + 2)


def _longer_side(shape: Shape) -> int:
    rows, *rest = checked_shape(shape)
    return max(rows, math.prod(rest))
