"""Where random numbers come from: the two calls that both kinds of source have.

`numpy.random.RandomState` is the declared exception to Generators everywhere: the
classic lesson's numbers exist only there. Initializers therefore draw through this
file alone, and neither source is ever copied, reseeded or replaced by a global one.
"""

import math
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from initlab.catalog._checks import Shape, checked_shape
from initlab.errors import InvalidValueError

Rng: TypeAlias = np.random.Generator | np.random.RandomState

# One axis name for every kernel axis: a bare shape says no more about them.
Weight: TypeAlias = Float64[np.ndarray, "fan_out fan_in *kernel"]


def checked_rng(rng: object) -> Rng:
    """Return a source of random numbers, and not a seed or a module.

    Raises:
        InvalidValueError: If it is neither a Generator nor a RandomState.
    """
    if isinstance(rng, np.random.Generator | np.random.RandomState):
        return rng
    seed = isinstance(rng, int | np.integer) and not isinstance(rng, bool)
    shown = str(rng) if seed else type(rng).__name__
    hint = f"np.random.default_rng({shown if seed else 0})"
    raise InvalidValueError(
        f"rng: give numpy.random.Generator or RandomState, got {shown}; "
        f"for a seed write {hint}"
    )


def standard_normal(shape: Shape, rng: Rng) -> Weight:
    """Normal draws with mean 0 and variance 1, in C order.

    Example:
        >>> standard_normal((10, 2), np.random.default_rng(0)).shape
        (10, 2)
    """
    return checked_rng(rng).standard_normal(checked_shape(shape))


def uniform(shape: Shape, rng: Rng, low: float, high: float) -> Weight:
    """Uniform draws from [low, high), in C order.

    Raises:
        InvalidValueError: If the width of the interval overflows a float.

    Example:
        >>> uniform((10, 2), np.random.default_rng(0), -1.0, 1.0).shape
        (10, 2)
    """
    if not math.isfinite(high - low):
        raise InvalidValueError(
            f"uniform: high - low must be finite, got low={low:g} and high={high:g}"
        )
    return checked_rng(rng).uniform(low, high, checked_shape(shape))
