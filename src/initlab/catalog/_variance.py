"""Variances that follow from the fans: LeCun, Glorot, He, and the general scheme.

All have mean 0 and variance `gain^2 / fan`; they differ in the gain that they assume
and in the fan that they divide by. A uniform one has the bound sqrt(3) * std.
"""

import math

from initlab.catalog._checks import Shape, checked_name, checked_number
from initlab.catalog._fans import fan
from initlab.catalog._plain import truncated_draws
from initlab.catalog._rng import Rng, Weight, standard_normal, uniform
from initlab.spec import Distribution, Mode

RELU_GAIN = math.sqrt(2)

# Standard deviation of a standard normal cut at 2: what Keras and JAX divide by,
# scipy.stats.truncnorm.std(a=-2, b=2, loc=0, scale=1).
TRUNCATED_STD = 0.87962566103423978
TRUNCATED_BOUND = 2.0


def lecun_normal(
    shape: Shape, *, rng: Rng, gain: float = 1.0, mode: Mode = "fan_in"
) -> Weight:
    """Gaussian entries with variance `gain^2 / fan_in`.

    Keeps the variance of the pre-activations constant where the activation is linear,
    or nearly so around 0, and the inputs have unit variance. SELU networks need it.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one normal draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.

    Example:
        >>> import numpy as np
        >>> lecun_normal((10, 2), rng=np.random.default_rng(0)).shape
        (10, 2)

    References:
        LeCun, Bottou, Orr and Mueller (1998), section 4.6,
        https://doi.org/10.1007/3-540-49430-8_2
    """
    return standard_normal(shape, rng) * lecun_std(shape, gain=gain, mode=mode)


def lecun_uniform(
    shape: Shape, *, rng: Rng, gain: float = 1.0, mode: Mode = "fan_in"
) -> Weight:
    """Uniform entries with variance `gain^2 / fan_in`.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.

    Example:
        >>> import numpy as np
        >>> weight = lecun_uniform((10, 3), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        LeCun, Bottou, Orr and Mueller (1998), section 4.6,
        https://doi.org/10.1007/3-540-49430-8_2
    """
    return _uniform_of_std(shape, rng, lecun_std(shape, gain=gain, mode=mode))


def lecun_std(shape: Shape, *, gain: float = 1.0, mode: Mode = "fan_in") -> float:
    """sqrt(gain^2 / fan_in).

    Example:
        >>> lecun_std((10, 4))
        0.5
    """
    return _fan_scaled_std(shape, gain, mode)


def glorot_normal(
    shape: Shape, *, rng: Rng, gain: float = 1.0, mode: Mode = "fan_avg"
) -> Weight:
    """Gaussian entries with variance `2 gain^2 / (fan_in + fan_out)`.

    The compromise between keeping the signal's variance forward and the gradient's
    backward, where the activation is linear around 0, as tanh is. Also called Xavier
    after the author's first name; what the classic lesson calls Xavier is LeCun's.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one normal draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.

    Example:
        >>> import numpy as np
        >>> glorot_normal((10, 2), rng=np.random.default_rng(0)).shape
        (10, 2)

    References:
        Glorot and Bengio (2010), eq. 12, https://proceedings.mlr.press/v9/glorot10a
    """
    return standard_normal(shape, rng) * glorot_std(shape, gain=gain, mode=mode)


def glorot_uniform(
    shape: Shape, *, rng: Rng, gain: float = 1.0, mode: Mode = "fan_avg"
) -> Weight:
    """Uniform entries with variance `2 gain^2 / (fan_in + fan_out)`.

    The bound is sqrt(6 / (fan_in + fan_out)) at gain 1.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks.
        mode: The fan to divide by.

    Example:
        >>> import numpy as np
        >>> weight = glorot_uniform((4, 2), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        Glorot and Bengio (2010), eq. 16, https://proceedings.mlr.press/v9/glorot10a
    """
    return _uniform_of_std(shape, rng, glorot_std(shape, gain=gain, mode=mode))


def glorot_std(shape: Shape, *, gain: float = 1.0, mode: Mode = "fan_avg") -> float:
    """sqrt(gain^2 / fan_avg), fan_avg = (fan_in + fan_out) / 2.

    Example:
        >>> glorot_std((6, 2))
        0.5
    """
    return _fan_scaled_std(shape, gain, mode)


def he_normal(
    shape: Shape, *, rng: Rng, gain: float = RELU_GAIN, mode: Mode = "fan_in"
) -> Weight:
    """Gaussian entries with variance `gain^2 / fan_in`, 2 / fan_in by default.

    Keeps the second moment of the pre-activations constant from layer to layer
    when the activation is ReLU and the biases are zero.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one normal draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks; sqrt(2) is ReLU's.
        mode: The fan to divide by.

    Example:
        >>> import numpy as np
        >>> weight = he_normal((4, 2), rng=np.random.RandomState(3))
        >>> round(float(weight[0, 0]), 8)
        1.78862847

    References:
        He, Zhang, Ren and Sun (2015), eq. 10, https://arxiv.org/abs/1502.01852
    """
    return standard_normal(shape, rng) * he_std(shape, gain=gain, mode=mode)


def he_uniform(
    shape: Shape, *, rng: Rng, gain: float = RELU_GAIN, mode: Mode = "fan_in"
) -> Weight:
    """Uniform entries with variance `gain^2 / fan_in`, 2 / fan_in by default.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        gain: Factor that makes up for what the activation shrinks; sqrt(2) is ReLU's.
        mode: The fan to divide by.

    Example:
        >>> import numpy as np
        >>> weight = he_uniform((10, 6), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        He, Zhang, Ren and Sun (2015), eq. 10, https://arxiv.org/abs/1502.01852
    """
    return _uniform_of_std(shape, rng, he_std(shape, gain=gain, mode=mode))


def he_std(shape: Shape, *, gain: float = RELU_GAIN, mode: Mode = "fan_in") -> float:
    """sqrt(gain^2 / fan_in), sqrt(2 / fan_in) by default.

    Example:
        >>> he_std((10, 2))
        1.0
    """
    return _fan_scaled_std(shape, gain, mode)


def variance_scaling(
    shape: Shape,
    *,
    rng: Rng,
    variance: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "normal",
) -> Weight:
    """Entries with variance `variance / fan`, of the distribution asked for.

    Every other initializer of this family is a case of it. Its truncated normal is
    cut at two standard deviations and widened again, as JAX and Keras do, so that
    all three distributions have exactly the stated variance.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one draw per entry, uniform unless the distribution is
            `"normal"`, and by nothing else.
        variance: Variance times fan; 0 or more. 2 makes it He's, with fan_in.
        mode: The fan to divide by.
        distribution: `"normal"`, `"truncated_normal"` or `"uniform"`.

    Raises:
        UnknownNameError: If `mode` or `distribution` is not one of those.

    Example:
        >>> import numpy as np
        >>> weight = variance_scaling(
        ...     (10, 3), rng=np.random.default_rng(0), distribution="uniform"
        ... )
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        Chollet et al. (2015), `VarianceScaling`,
        https://keras.io/api/layers/initializers/
    """
    std = variance_scaling_std(
        shape, variance=variance, mode=mode, distribution=distribution
    )
    if distribution == "uniform":
        return _uniform_of_std(shape, rng, std)
    if distribution == "truncated_normal":
        return truncated_draws(shape, rng, TRUNCATED_BOUND) * (std / TRUNCATED_STD)
    return standard_normal(shape, rng) * std


def variance_scaling_std(
    shape: Shape,
    *,
    variance: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "normal",
) -> float:
    """sqrt(variance / fan), for every distribution.

    Example:
        >>> variance_scaling_std((10, 2), variance=2.0)
        1.0
    """
    checked_name(
        "distribution", distribution, ("normal", "truncated_normal", "uniform")
    )
    return math.sqrt(
        checked_number("variance", variance, at_least=0.0) / fan(shape, mode)
    )


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


def _fan_scaled_std(shape: Shape, gain: float, mode: Mode) -> float:
    # RELU_GAIN**2 is 2.0000000000000004. The lesson computes sqrt(2 / n); with the
    # rounded square, 3,493 of the first 4,999 fans differ from it in the last bit.
    checked_number("gain", gain)
    square = 2.0 if gain == RELU_GAIN else gain * gain
    return math.sqrt(square / fan(shape, mode))


def _uniform_of_std(shape: Shape, rng: Rng, std: float) -> Weight:
    bound = math.sqrt(3) * std
    return uniform(shape, rng, -bound, bound)
