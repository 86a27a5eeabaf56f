"""LeCun's weights, which keep the variance forward; the lesson calls them Xavier."""

from initlab.catalog._checks import Shape
from initlab.catalog._rng import Rng, Weight, standard_normal
from initlab.catalog._scaling import fan_scaled_std, normal_of_std, uniform_of_std
from initlab.spec import Dialect, Mode


def lecun_normal(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = 1.0,
    mode: Mode = "fan_in",
    dialect: Dialect = "initlab",
) -> Weight:
    """Gaussian entries with variance `gain^2 / fan_in`.

    Keeps the variance of the pre-activations constant where the activation is linear,
    or nearly so around 0, and the inputs have unit variance. SELU networks need it.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one draw per entry, uniform where the dialect truncates.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.
        dialect: Whose law: see `_scaling`.

    Example:
        >>> import numpy as np
        >>> lecun_normal((10, 2), rng=np.random.default_rng(0)).shape
        (10, 2)

    References:
        LeCun, Bottou, Orr and Mueller (1998), section 4.6,
        https://doi.org/10.1007/3-540-49430-8_2
    """
    std = lecun_std(shape, gain=gain, mode=mode, dialect=dialect)
    return normal_of_std(shape, rng, std, dialect)


def lecun_uniform(
    shape: Shape,
    *,
    rng: Rng,
    gain: float = 1.0,
    mode: Mode = "fan_in",
    dialect: Dialect = "initlab",
) -> Weight:
    """Uniform entries with variance `gain^2 / fan_in`.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.
        dialect: Whose law: see `_scaling`.

    Example:
        >>> import numpy as np
        >>> weight = lecun_uniform((10, 3), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        LeCun, Bottou, Orr and Mueller (1998), section 4.6,
        https://doi.org/10.1007/3-540-49430-8_2
    """
    std = lecun_std(shape, gain=gain, mode=mode, dialect=dialect)
    return uniform_of_std(shape, rng, std)


def lecun_std(
    shape: Shape,
    *,
    gain: float = 1.0,
    mode: Mode = "fan_in",
    dialect: Dialect = "initlab",
) -> float:
    """sqrt(gain^2 / fan_in).

    Example:
        >>> lecun_std((10, 4))
        0.5
    """
    return fan_scaled_std(shape, gain, mode, dialect)


def lesson_xavier(shape: Shape, *, rng: Rng) -> Weight:
    """Gaussian entries with variance `1 / fan_in`: "Xavier" as the classic lesson says.

    The lesson's factor sqrt(1 / fan_in) is LeCun's; Xavier Glorot's variance is
    2 / (fan_in + fan_out), here `glorot_normal`. The two agree on square weights only.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one normal draw per entry, and by nothing else.

    Example:
        >>> import numpy as np
        >>> lesson_xavier((10, 2), rng=np.random.RandomState(3)).shape
        (10, 2)

    References:
        LeCun, Bottou, Orr and Mueller (1998), section 4.6,
        https://doi.org/10.1007/3-540-49430-8_2
    """
    return standard_normal(shape, rng) * lesson_xavier_std(shape)


def lesson_xavier_std(shape: Shape) -> float:
    """sqrt(1 / fan_in).

    Example:
        >>> lesson_xavier_std((10, 4))
        0.5
    """
    return lecun_std(shape)
