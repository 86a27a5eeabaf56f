"""Orthogonal weights: every singular value equals the gain."""

import math

import numpy as np
from jaxtyping import Float64

from initlab.catalog._blocks import blocks
from initlab.catalog._checks import Shape, checked_number, checked_shape
from initlab.catalog._fans import checked_dialect
from initlab.catalog._rng import Rng, Weight, standard_normal
from initlab.spec import Dialect, LayerSpec


def orthogonal(
    shape: Shape, *, rng: Rng, gain: float = 1.0, dialect: Dialect = "initlab"
) -> Weight:
    """Rows or columns, whichever are fewer, that are orthonormal times `gain`.

    Uniform over all such matrices (Haar): Q of the QR decomposition of a Gaussian
    matrix, with the signs of R's diagonal moved into Q. Without the signs, or from an
    SVD, the matrix is orthogonal but not uniform: its expected trace is not 0.

    Args:
        shape: `(fan_out, fan_in)`, or `(out, in, *kernel)`, which is flattened to
            `(out, in * kernel)`; or a layer, whose groups and packed matrices are
            orthogonal each on its own.
        rng: Advanced by one normal draw per entry, and by nothing else.
        gain: The singular values.
        dialect: Frameworks know no parts: `"torch"` makes the whole weight orthogonal
            as it is stored, `"keras"` and `"jax"` as they store it, flattened to
            `(kernel * in, out)`. Each fills its Gaussian in its own order.

    Example:
        >>> weight = orthogonal((2, 3), rng=np.random.default_rng(0))
        >>> bool(np.allclose(weight @ weight.T, np.eye(2)))
        True

    References:
        Saxe, McClelland and Ganguli (2014), https://arxiv.org/abs/1312.6120;
        Mezzadri (2007), section 5, https://arxiv.org/abs/math-ph/0609050
    """
    sizes = checked_shape(shape)
    checked_number("gain", gain)
    if checked_dialect(dialect) in ("keras", "jax"):
        return gain * _channels_last(shape, rng, dialect)
    parts, rows, columns = _matrices(shape, dialect)
    gaussians = standard_normal(sizes, rng).reshape(parts, rows, columns)
    return gain * np.stack([haar(one) for one in gaussians]).reshape(sizes)


def orthogonal_std(
    shape: Shape, *, gain: float = 1.0, dialect: Dialect = "initlab"
) -> float:
    """abs(gain) / sqrt(max(fan_out, rest)), rest the product of the other axes.

    Exact for the root mean square: min(fan_out, rest) unit vectors share all entries.

    Example:
        >>> orthogonal_std((2, 4))
        0.5
    """
    longer = _longer_side(shape, dialect)
    return abs(checked_number("gain", gain)) / math.sqrt(longer)


def orthogonal_kurtosis(
    shape: Shape,
    *,
    gain: float = 1.0,  # noqa: ARG001 -- a law takes what its draw takes
    dialect: Dialect = "initlab",
) -> float:
    """-6 / (n + 2), n the longer side: of a coordinate of a uniform unit vector.

    Example:
        >>> orthogonal_kurtosis((2, 4))
        -1.0
    """
    return -6 / (_longer_side(shape, dialect) + 2)


def haar(
    gaussian: Float64[np.ndarray, "rows columns"],
) -> Float64[np.ndarray, "rows columns"]:
    """The orthogonal matrix that a Gaussian one determines, uniform over all.

    Example:
        >>> haar(-2 * np.eye(2)).tolist() == (-np.eye(2)).tolist()
        True
    """
    wide = gaussian.shape[0] < gaussian.shape[1]
    q, r = np.linalg.qr(gaussian.T if wide else gaussian)
    # Not np.sign: it would blank a column where a diagonal entry is exactly 0.
    q = q * np.copysign(1.0, np.diagonal(r))
    return q.T if wide else q


def _matrices(shape: Shape, dialect: Dialect) -> tuple[int, int, int]:
    first, *rest = checked_shape(shape)
    parts = blocks(shape).parts if dialect == "initlab" else 1
    return parts, first // parts, math.prod(rest)


def _channels_last(shape: Shape, rng: Rng, dialect: Dialect) -> Weight:
    """Return what Keras and JAX make of a kernel `(*kernel, in, out)`."""
    first, second, *kernel = checked_shape(shape)
    swapped = _stores_inputs_first(shape, dialect)
    stored = (*kernel, first, second) if swapped else (*kernel, second, first)
    columns = stored[-1]
    rows = math.prod(stored) // columns
    # Both draw a tall matrix and transpose the result.
    q = haar(standard_normal((max(rows, columns), min(rows, columns)), rng))
    weight = (q if rows >= columns else q.T).reshape(stored)
    axes = (-2, -1) if swapped else (-1, -2)
    return np.ascontiguousarray(np.moveaxis(weight, axes, (0, 1)))


def _stores_inputs_first(shape: Shape, dialect: Dialect) -> bool:
    """Whether the kernel's last axis is our second: Flax's transposed convolutions.

    Keras's transposed kernels are `(*kernel, out, in)`.
    """
    return dialect == "jax" and isinstance(shape, LayerSpec) and shape.transposed


def _longer_side(shape: Shape, dialect: Dialect) -> int:
    if checked_dialect(dialect) in ("keras", "jax"):
        first, second, *kernel = checked_shape(shape)
        columns = second if _stores_inputs_first(shape, dialect) else first
        return max(columns, first * second * math.prod(kernel) // columns)
    _, rows, columns = _matrices(shape, dialect)
    return max(rows, columns)
