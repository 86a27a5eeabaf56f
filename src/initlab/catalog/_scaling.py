"""Variances that follow from the fans: the general scheme, and its dialects.

LeCun's, Glorot's and He's weights have mean 0 and variance `gain^2 / fan`; they differ
in the gain that they assume and in the fan that they divide by. A uniform one has the
bound sqrt(3) * std.

Frameworks mean different laws by these names. `dialect` reproduces one exactly:

- `"initlab"`: untruncated normals, and the fans that the layer really has;
- `"torch"`: untruncated normals, and PyTorch's fans: those of transposed layers are
  swapped, groups make fan_out too large;
- `"keras"`, `"jax"`: normals cut at two standard deviations and widened again by
  1 / 0.8796, so that the stated variance is kept, with the framework's own fans.

Shapes are PyTorch's in every dialect: Keras's and Flax's `(*kernel, in, out)` is
`(out, in, *kernel)` here.

    >>> from initlab.catalog import he_normal
    >>> import numpy as np
    >>> weight = he_normal((99, 2), rng=np.random.default_rng(0), dialect="keras")
    >>> bool(abs(weight).max() <= 2 / TRUNCATED_STD)
    True
"""

import math

from initlab.catalog._checks import Shape, checked_name, checked_number
from initlab.catalog._fans import checked_dialect, fan
from initlab.catalog._plain import truncated_draws
from initlab.catalog._rng import Rng, Weight, standard_normal, uniform
from initlab.spec import Dialect, Distribution, Mode

RELU_GAIN = math.sqrt(2)

# Standard deviation of a standard normal cut at 2: what Keras and JAX divide by,
# scipy.stats.truncnorm.std(a=-2, b=2, loc=0, scale=1).
TRUNCATED_STD = 0.87962566103423978
TRUNCATED_BOUND = 2.0


def truncates(dialect: Dialect) -> bool:
    """Whether a dialect's he, glorot and lecun normals are cut.

    Example:
        >>> [truncates(one) for one in ("initlab", "torch", "keras", "jax")]
        [False, False, True, True]
    """
    return checked_dialect(dialect) in ("keras", "jax")


def fan_scaled_std(shape: Shape, gain: float, mode: Mode, dialect: Dialect) -> float:
    """sqrt(gain^2 / fan).

    Example:
        >>> fan_scaled_std((10, 4), 1.0, "fan_in", "initlab")
        0.5
    """
    # RELU_GAIN**2 is 2.0000000000000004. The lesson computes sqrt(2 / n); with the
    # rounded square, 3,493 of the first 4,999 fans differ from it in the last bit.
    checked_number("gain", gain)
    square = 2.0 if gain == RELU_GAIN else gain * gain
    return math.sqrt(square / fan(shape, mode, dialect))


def normal_of_std(shape: Shape, rng: Rng, std: float, dialect: Dialect) -> Weight:
    """Normal draws of that standard deviation, truncated where the dialect's are.

    Example:
        >>> import numpy as np
        >>> normal_of_std((10, 2), np.random.default_rng(0), 0.5, "jax").shape
        (10, 2)
    """
    if truncates(dialect):
        return truncated_of_std(shape, rng, std)
    return standard_normal(shape, rng) * std


def truncated_of_std(shape: Shape, rng: Rng, std: float) -> Weight:
    """Normal draws cut at two standard deviations and widened to the one asked for.

    Example:
        >>> import numpy as np
        >>> truncated_of_std((10, 2), np.random.default_rng(0), 0.5).shape
        (10, 2)
    """
    return truncated_draws(shape, rng, TRUNCATED_BOUND) * (std / TRUNCATED_STD)


def uniform_of_std(shape: Shape, rng: Rng, std: float) -> Weight:
    """Uniform draws of that standard deviation, around 0.

    Example:
        >>> import numpy as np
        >>> weight = uniform_of_std((10, 2), np.random.default_rng(0), 1 / math.sqrt(3))
        >>> bool(abs(weight).max() <= 1)
        True
    """
    bound = math.sqrt(3) * std
    return uniform(shape, rng, -bound, bound)


def variance_scaling(
    shape: Shape,
    *,
    rng: Rng,
    variance: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "normal",
    dialect: Dialect = "initlab",
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
        distribution: `"normal"`, `"truncated_normal"` or `"uniform"`; Keras truncates
            `"normal"` too, JAX does not.
        dialect: Whose law: see the top of this file.

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
        shape,
        variance=variance,
        mode=mode,
        distribution=distribution,
        dialect=dialect,
    )
    if distribution == "uniform":
        return uniform_of_std(shape, rng, std)
    if distribution == "truncated_normal" or dialect == "keras":
        return truncated_of_std(shape, rng, std)
    return standard_normal(shape, rng) * std


def variance_scaling_std(
    shape: Shape,
    *,
    variance: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "normal",
    dialect: Dialect = "initlab",
) -> float:
    """sqrt(variance / fan), for every distribution.

    Example:
        >>> variance_scaling_std((10, 2), variance=2.0)
        1.0
    """
    checked_name(
        "distribution", distribution, ("normal", "truncated_normal", "uniform")
    )
    checked_number("variance", variance, at_least=0.0)
    return math.sqrt(variance / fan(shape, mode, dialect))
