"""Glorot's weights: a compromise of the signal forward and the gradient backward."""

from initlab.catalog._checks import Shape
from initlab.catalog._rng import Rng, Weight
from initlab.catalog._scaling import fan_scaled_std, normal_of_std, uniform_of_std
from initlab.spec import Dialect, Mode


def glorot_normal(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = 1.0,
    mode: Mode = "fan_avg",
    dialect: Dialect = "initlab",
) -> Weight:
    """Gaussian entries with variance `2 gain^2 / (fan_in + fan_out)`.

    The compromise between keeping the signal's variance forward and the gradient's
    backward, where the activation is linear around 0, as tanh is. Also called Xavier
    after the author's first name; what the classic lesson calls Xavier is LeCun's.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one draw per entry, uniform where the dialect truncates.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.
        dialect: Whose law: see `_scaling`.

    Example:
        >>> import numpy as np
        >>> glorot_normal((10, 2), rng=np.random.default_rng(0)).shape
        (10, 2)

    References:
        Glorot and Bengio (2010), eq. 12, https://proceedings.mlr.press/v9/glorot10a
    """
    std = glorot_std(shape, gain=gain, mode=mode, dialect=dialect)
    return normal_of_std(shape, rng, std, dialect)


def glorot_uniform(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = 1.0,
    mode: Mode = "fan_avg",
    dialect: Dialect = "initlab",
) -> Weight:
    """Uniform entries with variance `2 gain^2 / (fan_in + fan_out)`.

    The bound is sqrt(6 / (fan_in + fan_out)) at gain 1.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.
        dialect: Whose law: see `_scaling`.

    Example:
        >>> import numpy as np
        >>> weight = glorot_uniform((4, 2), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        Glorot and Bengio (2010), eq. 16, https://proceedings.mlr.press/v9/glorot10a
    """
    std = glorot_std(shape, gain=gain, mode=mode, dialect=dialect)
    return uniform_of_std(shape, rng, std)


def glorot_std(
    shape: Shape,
    *,
    gain: float = 1.0,
    mode: Mode = "fan_avg",
    dialect: Dialect = "initlab",
) -> float:
    """sqrt(gain^2 / fan_avg), fan_avg = (fan_in + fan_out) / 2.

    Example:
        >>> glorot_std((6, 2))
        0.5
    """
    return fan_scaled_std(shape, gain, mode, dialect)
