"""He's weights, which keep the second moment that ReLU halves."""

from initlab.catalog._checks import Shape
from initlab.catalog._rng import Rng, Weight
from initlab.catalog._scaling import (
    RELU_GAIN,
    fan_scaled_std,
    normal_of_std,
    uniform_of_std,
)
from initlab.spec import Dialect, Mode


def he_normal(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = RELU_GAIN,
    mode: Mode = "fan_in",
    dialect: Dialect = "initlab",
) -> Weight:
    """Gaussian entries with variance `gain^2 / fan_in`, 2 / fan_in by default.

    Keeps the second moment of the pre-activations constant from layer to layer
    when the activation is ReLU and the biases are zero.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one draw per entry, uniform where the dialect truncates.
        gain: Factor that makes up for what the activation shrinks; sqrt(2) is ReLU's.
        mode: The fan to divide by.
        dialect: Whose law: see `_scaling`.

    Example:
        >>> import numpy as np
        >>> weight = he_normal((4, 2), rng=np.random.RandomState(3))
        >>> round(float(weight[0, 0]), 8)
        1.78862847

    References:
        He, Zhang, Ren and Sun (2015), eq. 10, https://arxiv.org/abs/1502.01852
    """
    std = he_std(shape, gain=gain, mode=mode, dialect=dialect)
    return normal_of_std(shape, rng, std, dialect)


def he_uniform(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = RELU_GAIN,
    mode: Mode = "fan_in",
    dialect: Dialect = "initlab",
) -> Weight:
    """Uniform entries with variance `gain^2 / fan_in`, 2 / fan_in by default.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks; sqrt(2) is ReLU's.
        mode: The fan to divide by.
        dialect: Whose law: see `_scaling`.

    Example:
        >>> import numpy as np
        >>> weight = he_uniform((10, 6), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        He, Zhang, Ren and Sun (2015), eq. 10, https://arxiv.org/abs/1502.01852
    """
    std = he_std(shape, gain=gain, mode=mode, dialect=dialect)
    return uniform_of_std(shape, rng, std)


def he_std(
    shape: Shape,
    *,
    gain: float = RELU_GAIN,
    mode: Mode = "fan_in",
    dialect: Dialect = "initlab",
) -> float:
    """sqrt(gain^2 / fan_in), sqrt(2 / fan_in) by default.

    Example:
        >>> he_std((10, 2))
        1.0
    """
    return fan_scaled_std(shape, gain, mode, dialect)
