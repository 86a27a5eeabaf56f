"""Weights without randomness or structure: zeros, ones, a constant.

They start all units of a layer alike: every unit then gets the same
gradient, and the layer stays as expressive as a single unit. They are here to show
exactly that.
"""

# ruff: noqa: ARG001  -- one signature for every row of the table

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
