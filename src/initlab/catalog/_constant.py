"""Weights without randomness: zeros, ones, a constant, the identity.

The first three start all units of a layer alike: every unit then gets the same
gradient, and the layer stays as expressive as a single unit. They are here to show
exactly that.
"""

# ruff: noqa: ARG001  -- one signature for every row of the table

import math
from typing import Any

import numpy as np

from initlab.catalog._checks import Shape, checked_number, checked_shape
from initlab.catalog._rng import Rng, Weight


def zeros(shape: Shape, *, rng: Rng) -> Weight:
    """Weights that are all 0.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Not used, not advanced.

    Example:
        >>> zeros((1, 3), rng=np.random.default_rng(0)).tolist()
        [[0.0, 0.0, 0.0]]

    References:
        Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0
    """
    return np.zeros(checked_shape(shape))


def ones(shape: Shape, *, rng: Rng) -> Weight:
    """Weights that are all 1.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Not used, not advanced.

    Example:
        >>> ones((1, 3), rng=np.random.default_rng(0)).tolist()
        [[1.0, 1.0, 1.0]]

    References:
        Goodfellow, Bengio and Courville (2016), section 8.4,
        https://www.deeplearningbook.org
    """
    return np.ones(checked_shape(shape))


def constant(shape: Shape, *, rng: Rng, value: float = 0.1) -> Weight:
    """Weights that are all the same number.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Not used, not advanced.
        value: What every weight is.

    Example:
        >>> constant((1, 3), rng=np.random.default_rng(0), value=0.5).tolist()
        [[0.5, 0.5, 0.5]]

    References:
        Goodfellow, Bengio and Courville (2016), section 8.4,
        https://www.deeplearningbook.org
    """
    return np.full(checked_shape(shape), float(checked_number("value", value)))


def constant_std(shape: Shape, *, value: float = 0.0) -> float:
    """The spread of equal weights: 0.

    Example:
        >>> constant_std((10, 2), value=0.5)
        0.0
    """
    return 0.0


def identity(shape: Shape, *, rng: Rng, gain: float = 1.0) -> Weight:
    """Weights that hand each input on to the unit of the same index.

    A rectangular weight is a partial identity: surplus inputs are dropped, surplus
    units get zeros. A convolution's identity sits at the centre of its kernel, so
    that with odd kernels and "same" padding channels pass unchanged.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Not used, not advanced.
        gain: What the inputs are multiplied by.

    Example:
        >>> identity((2, 3), rng=np.random.default_rng(0), gain=2.0).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]

    References:
        Le, Jaitly and Hinton (2015), https://arxiv.org/abs/1504.00941
    """
    rows, columns, *kernel = checked_shape(shape)
    diagonal = np.arange(min(rows, columns))
    weight = np.zeros((rows, columns, *kernel))
    entries: tuple[Any, ...] = (diagonal, diagonal, *(size // 2 for size in kernel))
    weight[entries] = checked_number("gain", gain)
    return weight


def identity_std(shape: Shape, *, gain: float = 1.0) -> float:
    """The population standard deviation of a partial identity's entries.

    With a share p = min(out, in) / size of entries equal to the gain and the others
    0, it is abs(gain) * sqrt(p * (1 - p)).

    Example:
        >>> identity_std((2, 2))
        0.5
    """
    sizes = checked_shape(shape)
    share = min(sizes[:2]) / math.prod(sizes)
    return abs(checked_number("gain", gain)) * math.sqrt(share * (1 - share))
