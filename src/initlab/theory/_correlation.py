"""How alike two inputs stay: the correlation map, its slope and its fixed point."""

from collections.abc import Callable
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from initlab.activations import LEAKY_SLOPE
from initlab.theory._checks import (
    Number,
    Numbers,
    checked_activation,
    checked_array,
    checked_number,
)
from initlab.theory._closed_forms import PAIR, rectifier_half_difference
from initlab.theory._moments import second_moment, slope_moment
from initlab.theory._quadrature import pair_moments

# f, or one of its derivatives, jumps at 0.
_KINKED = frozenset({"relu", "leaky_relu", "elu", "selu"})
# Two inputs nearer than that are the same: no fixed point is looked for beyond.
_NEAREST = 1e-12


def product_moment(
    activation: str, q: Number, correlation: Numbers
) -> Float[np.ndarray, "..."]:
    """E f(u) f(v), u and v normal with variance q and this correlation.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variance of both; 0 or more, finite.
        correlation: From -1 to 1.

    Example:
        >>> float(product_moment("relu", 2.0, 1.0))
        1.0

    References:
        Cho and Saul (2009), eq. 6, for ReLU; Williams (1997), eq. 11, for erf;
        Tsuchida et al. (2021), https://arxiv.org/abs/2002.08517, for GELU.
    """
    checked_activation(activation)
    q = checked_number("q", q, at_least=0.0)
    c = checked_array("correlation", correlation, at_least=-1.0, at_most=1.0)
    if activation in PAIR:
        return np.asarray(PAIR[activation][0](np.asarray(q), c))
    return _each(lambda one: _pair(activation, "f", q, one, 1 - one)[0], c)


def slope_product_moment(
    activation: str, q: Number, correlation: Numbers
) -> Float[np.ndarray, "..."]:
    """E f'(u) f'(v), u and v normal with variance q and this correlation.

    It is the derivative of `product_moment` by the covariance (Price's theorem).

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variance of both; 0 or more, finite.
        correlation: From -1 to 1.

    Example:
        >>> float(slope_product_moment("relu", 2.0, 0.0))
        0.25

    References:
        Schoenholz et al. (2017), section 3, https://arxiv.org/abs/1611.01232
    """
    checked_activation(activation)
    q = checked_number("q", q, at_least=0.0)
    c = checked_array("correlation", correlation, at_least=-1.0, at_most=1.0)
    if activation in PAIR:
        return np.asarray(PAIR[activation][1](np.asarray(q), c))
    return _each(lambda one: _pair(activation, "derivative", q, one, 1 - one)[0], c)


def correlation_map(
    activation: str,
    correlation: Numbers,
    *,
    q: Number,
    weight_variance: Number,
    bias_variance: Number = 0.0,
) -> Float[np.ndarray, "..."]:
    """Correlation of the pre-activations of two inputs, one layer later.

    `(weight_variance * E f(u) f(v) + bias_variance) / q_next`, where q_next is the
    variance one layer later. It maps 1 to 1; ReLU with He's variance has the map
    [sqrt(1-c^2) + (pi - arccos c) c] / pi.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        correlation: Of the pre-activations now, from -1 to 1.
        q: Variance of the pre-activations now; above 0.
        weight_variance: fan_in times the variance of an entry; above 0.
        bias_variance: 0 or more.

    Example:
        >>> mapped = correlation_map("relu", [0.0, 1.0], q=1.0, weight_variance=2.0)
        >>> mapped.round(6)
        array([0.31831, 1.     ])

    References:
        Poole et al. (2016), eq. 5, https://arxiv.org/abs/1606.05340
    """
    q = checked_number("q", q, above=0.0)
    weight = checked_number("weight_variance", weight_variance, above=0.0)
    bias = checked_number("bias_variance", bias_variance, at_least=0.0)
    c = checked_array("correlation", correlation, at_least=-1.0, at_most=1.0)
    following = weight * float(second_moment(activation, q)) + bias
    lost = _each(lambda one: half_difference(activation, q, one, 1 - one), c)
    return np.asarray(np.clip(1 - weight * lost / following, -1.0, 1.0))


def half_difference(
    activation: str, q: float, correlation: float, distance: float
) -> float:
    """G(q) - E f(u) f(v) = E (f(u) - f(v))^2 / 2, exact to its own digits.

    Near correlation 1 the difference of the two moments would be rounding.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variance of both, finite.
        correlation: c of the two.
        distance: 1 - c, which may be smaller than c can tell.

    Example:
        >>> half_difference("identity", 2.0, 1.0, 1e-30)
        2e-30
    """
    if activation == "identity":
        return q * distance
    if activation == "sin":
        # e^-q (sinh q - sinh qc), as a product.
        return float((1 + np.exp(-q * (2 - distance))) * -np.expm1(-q * distance) / 2)
    if activation in ("relu", "leaky_relu"):
        slope = LEAKY_SLOPE if activation == "leaky_relu" else 0.0
        return rectifier_half_difference(slope, q, distance)
    return _pair(activation, "f", q, correlation, distance)[1]


def correlation_fixed_point(
    activation: str, *, q: Number, weight_variance: Number, bias_variance: Number = 0.0
) -> tuple[float, float]:
    """c* of the correlation map at this variance, and the map's slope there.

    The map is a power series with terms of one sign, so that beside 1 there is at most
    one fixed point in [0, 1), and it attracts whenever it exists: where the slope at 1
    is larger than 1.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variance of the pre-activations, above 0; at q* the slope at 1 is chi_1.
        weight_variance: fan_in times the variance of an entry; above 0.
        bias_variance: 0 or more.

    Returns:
        c*, and the slope of the map there: 1/xi_c = -ln(slope).

    Example:
        >>> c_star, slope = correlation_fixed_point("sin", q=1.0, weight_variance=2.5)
        >>> (c_star, round(slope, 4))
        (0.0, 0.8509)

    References:
        Schoenholz et al. (2017), section 3, https://arxiv.org/abs/1611.01232
    """
    checked_activation(activation)
    q = checked_number("q", q, above=0.0)
    weight = checked_number("weight_variance", weight_variance, above=0.0)
    bias = checked_number("bias_variance", bias_variance, at_least=0.0)
    return _fixed_point(activation, q, weight, bias)


@cache
def _fixed_point(
    activation: str, q: float, weight: float, bias: float
) -> tuple[float, float]:
    following = weight * float(second_moment(activation, q)) + bias
    scale = weight * q / following

    def growth(log_distance: float) -> float:
        distance = float(np.exp(log_distance))
        lost = half_difference(activation, q, 1 - distance, distance)
        return weight * lost / (following * distance) - 1

    at_one = scale * float(slope_moment(activation, q))
    nearest = np.log(_NEAREST)
    if at_one <= 1 or activation == "identity" or growth(nearest) <= 0:
        return 1.0, at_one
    if growth(0.0) >= -1e-14:
        c = 0.0
    else:
        c = -float(np.expm1(brentq(growth, nearest, 0.0, xtol=1e-14, rtol=1e-14)))
    return c, scale * float(slope_product_moment(activation, q, c))


def _pair(
    activation: str, which: str, q: float, correlation: float, distance: float
) -> tuple[float, float]:
    function = getattr(checked_activation(activation), which)
    # The limit at 0 keeps the sides of a kink.
    return pair_moments(
        function,
        max(q, 1e-280),
        correlation,
        distance,
        kinked=activation in _KINKED,
    )


def _each(function: Callable[[float], float], values: np.ndarray) -> np.ndarray:
    flat = [function(float(value)) for value in values.ravel()]
    return np.array(flat, dtype=np.float64).reshape(values.shape)
