"""Mirrored weights that make a ReLU network start as a linear one."""

import math

import numpy as np

from initlab.catalog._checks import Shape, checked_number, checked_shape
from initlab.catalog._orthogonal import haar
from initlab.catalog._rng import Rng, Weight, standard_normal
from initlab.errors import InvalidValueError
from initlab.spec import LayerSpec


def looks_linear(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = 1.0,
    first: bool = False,
    last: bool = False,
) -> Weight:
    """Blocks [[Q, -Q], [-Q, Q]] of an orthogonal Q: units come in opposite pairs.

    With z and -z for every unit, relu(z) - relu(-z) = z: the next layer's Q acts on z
    itself, and the network is orthogonal and linear at the start, whatever its depth.
    The first layer, whose inputs come without opposites, is [[Q], [-Q]], the last one,
    whose outputs need none, [[Q, -Q]]. With CReLU, which concatenates relu(z) and
    relu(-z), every layer is `last`. An odd size leaves one unit or input without its
    opposite, and not linear.

    Args:
        shape: `(fan_out, fan_in)`, or `(out, in, *kernel)`; or a layer without groups
            or packed matrices.
        rng: Advanced by one normal draw per entry of Q, and by nothing else.
        gain: The singular values of Q.
        first: Whether inputs have no opposites; a study fills it in.
        last: Whether outputs need no opposites; a study fills it in.

    Raises:
        InvalidValueError: If the layer has parts: opposites would be in different ones.

    Example:
        >>> weight = looks_linear((2, 2), rng=np.random.default_rng(0))
        >>> weight.tolist() == [[1.0, -1.0], [-1.0, 1.0]]
        True

    References:
        Balduzzi, Frean, Leary, Lewis, Ma and McWilliams (2017), section 4,
        https://arxiv.org/abs/1702.08591
    """
    first_axis, second_axis, *kernel = checked_shape(shape)
    rows, columns = _sizes(shape, first, last)
    gaussian = standard_normal((rows, columns * math.prod(kernel)), rng)
    q = haar(gaussian).reshape(rows, columns, *kernel)
    if rows < first_axis:
        q = np.concatenate([q, -q])[:first_axis]
    if columns < second_axis:
        q = np.concatenate([q, -q], axis=1)[:, :second_axis]
    return checked_number("gain", gain) * q


def looks_linear_std(
    shape: Shape, *, gain: float = 1.0, first: bool = False, last: bool = False
) -> float:
    """That of Q: abs(gain) over the root of its longer side.

    Example:
        >>> looks_linear_std((8, 8))
        0.5
    """
    side = _longer_side(shape, first, last)
    return abs(checked_number("gain", gain)) / math.sqrt(side)


def looks_linear_kurtosis(
    shape: Shape,
    *,
    gain: float = 1.0,  # noqa: ARG001 -- a law takes what its draw takes
    first: bool = False,
    last: bool = False,
) -> float:
    """That of Q: -6 / (n + 2), n its longer side.

    Example:
        >>> looks_linear_kurtosis((8, 8))
        -1.0
    """
    return -6 / (_longer_side(shape, first, last) + 2)


def _sizes(shape: Shape, first: bool, last: bool) -> tuple[int, int]:
    """Return the rows and columns of Q, along the weight's first two axes."""
    rows, columns, *_ = checked_shape(shape)
    mirrored = [not last, not first]  # of the outputs, of the inputs
    if isinstance(shape, LayerSpec):
        if shape.groups * shape.packed > 1:
            raise InvalidValueError(
                f"looks_linear: needs a layer without groups or packed matrices, got "
                f"groups={shape.groups} and packed={shape.packed}; take orthogonal"
            )
        mirrored = mirrored[::-1] if shape.transposed else mirrored
    halved = [-(-rows // 2) if mirrored[0] else rows]
    halved += [-(-columns // 2) if mirrored[1] else columns]
    return halved[0], halved[1]


def _longer_side(shape: Shape, first: bool, last: bool) -> int:
    rows, columns = _sizes(shape, first, last)
    return max(rows, columns * math.prod(checked_shape(shape)[2:]))
