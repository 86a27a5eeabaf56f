"""How far networks of finite width scatter around the predictions for infinite ones.

The logarithms of squared norms are sums of one independent term per layer, each with a
variance near (a number of the activation) / n: at moderate widths nearly normal.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy import special

from initlab.theory._checks import (
    Number,
    Numbers,
    checked_activation,
    checked_array,
    checked_layers,
    checked_number,
)
from initlab.theory._moments import second_moment, slope_moment
from initlab.theory._quadrature import expectation

# Of f^2, f'^2 and z.
Weigh = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
PerLayer = Float[np.ndarray, "layer"]

# Beyond, the scatter is as large as what is predicted: nothing is said.
WIDTH_SUM_LIMIT = 0.5
# Fourth powers of what is smaller would underflow; ratios no longer change there.
_SMALLEST_Q = 1e-60


def width_sum(widths: Numbers) -> float:
    """Sum of 1/n over hidden layers: what decides how much networks scatter.

    ReLU networks at He's variance: ln of a squared norm has a variance of 5 times this.

    Args:
        widths: Units of each hidden layer, 1 or more.

    Example:
        >>> round(width_sum([10, 5]), 6)
        0.3

    References:
        Hanin and Rolnick (2018), https://arxiv.org/abs/1803.01719
    """
    return float((1 / checked_layers("widths", widths, at_least=1.0)).sum())


def forward_log_variances(
    activation: str,
    *,
    widths: Numbers,
    weight_variances: Numbers,
    variances: Numbers,
) -> tuple[PerLayer, PerLayer]:
    """Variance, over networks, of ln of a layer's mean squares, for one input.

    With x_l the relative error of q_l: x_(l+1) = r_l (g_l x_l + e_l), where r is the
    share of the weights in q_(l+1), g = d ln G / d ln q, and e_l has the variance
    (E f^4 / G^2 - 1) / n_l.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        widths: Units of layers 1 to L.
        weight_variances: fan_in times the variance of an entry, one per layer.
        variances: q of every layer, as from `layer_variances`.

    Returns:
        Of the mean squares of pre-activations, and of those of activations; nan where
        the sum of 1/n over the layers so far exceeds `WIDTH_SUM_LIMIT`.

    Example:
        >>> of_h, of_f = forward_log_variances(
        ...     "relu",
        ...     widths=[100] * 3,
        ...     weight_variances=[2.0] * 3,
        ...     variances=[1.0] * 3,
        ... )
        >>> of_h.round(4), of_f.round(4)
        (array([0.02, 0.07, 0.12]), array([0.05, 0.1 , 0.15]))

    References:
        Hanin and Rolnick (2018), https://arxiv.org/abs/1803.01719
    """
    n, weights, q = _checked(activation, widths, weight_variances, variances)
    growth, _ = _sensitivities(activation, q)
    own, _, _ = _scatter(activation, q)
    share = _share(activation, weights, q)
    known = np.zeros(len(n))
    for layer in range(1, len(n)):
        below = layer - 1
        carried = growth[below] ** 2 * known[below] + own[below] / n[below]
        known[layer] = share[layer] ** 2 * carried
    silent = np.cumsum(1 / n) > WIDTH_SUM_LIMIT
    of_h = known + 2 / n
    of_f = growth**2 * known + own / n
    return np.where(silent, np.nan, of_h), np.where(silent, np.nan, of_f)


def backward_log_variances(
    activation: str,
    *,
    widths: Numbers,
    weight_variances: Numbers,
    variances: Numbers,
) -> PerLayer:
    """Variance, over networks, of ln of the squared gradient norm, last layer to l.

    Each layer adds (3 E f'^4 / D^2 - 1) / n_l, 5 / n_l for ReLU; where D depends on q,
    also what the scatter of q_l does to it, with its correlation to the former.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        widths: Units of layers 1 to L.
        weight_variances: fan_in times the variance of an entry, one per layer.
        variances: q of every layer, as from `layer_variances`.

    Returns:
        For every layer; 0 at the last, and nan where the sum of 1/n over the layers
        between exceeds `WIDTH_SUM_LIMIT`.

    Example:
        >>> backward_log_variances(
        ...     "relu",
        ...     widths=[100] * 3,
        ...     weight_variances=[2.0] * 3,
        ...     variances=[1.0] * 3,
        ... ).round(4)
        array([0.1 , 0.05, 0.  ])

    References:
        Hanin and Nica (2020), https://arxiv.org/abs/1812.05994, for ReLU
    """
    n, weights, q = _checked(activation, widths, weight_variances, variances)
    growth, steepening = _sensitivities(activation, q)
    own, gradient, both = _scatter(activation, q)
    share = _share(activation, weights, q)
    layers = len(n)
    found = np.zeros(layers)
    for start in range(layers - 1):
        # What a relative error of q at layer m does to all of D from there on.
        effect = np.zeros(layers + 1)
        for m in range(layers - 2, 0, -1):
            here = steepening[m] if m >= start else 0.0
            effect[m] = here + share[m + 1] * growth[m] * effect[m + 1]
        later = np.append(share[1:], 0.0) * effect[1:]
        passed = np.arange(layers - 1) >= start
        terms = later[:-1] ** 2 * own[:-1]
        terms += passed * (gradient[:-1] + 2 * later[:-1] * both[:-1])
        found[start] = (terms / n[:-1]).sum()
    between = np.append(np.cumsum(1 / n[:-1][::-1])[::-1], 0.0)
    return np.where(between > WIDTH_SUM_LIMIT, np.nan, found)


def log_normal_band(
    log_variances: Numbers, *, probability: Number = 0.9
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """Factors between which a network's squared norm lies, relative to the prediction.

    The mean over networks is the prediction, so the median is exp(-variance / 2) times
    that: single networks are mostly below.

    Args:
        log_variances: Variance of the logarithm; 0 or more.
        probability: That a network is within the band.

    Example:
        >>> low, high = log_normal_band(0.05)
        >>> round(float(low), 3), round(float(high), 3)
        (0.675, 1.409)

    References:
        Hanin and Nica (2020), https://arxiv.org/abs/1812.05994
    """
    probability = checked_number("probability", probability, above=0.0, at_most=1.0)
    variances = np.asarray(log_variances, dtype=np.float64)
    checked_array("log_variances", variances[~np.isnan(variances)], at_least=0.0)
    reach = special.ndtri((1 + probability) / 2) * np.sqrt(variances)
    middle = -variances / 2
    return np.asarray(np.exp(middle - reach)), np.asarray(np.exp(middle + reach))


def _checked(
    activation: str, widths: Numbers, weight_variances: Numbers, variances: Numbers
) -> tuple[PerLayer, PerLayer, PerLayer]:
    checked_activation(activation)
    weights = checked_layers("weight_variances", weight_variances, at_least=0.0)
    n = checked_layers("widths", widths, len(weights), at_least=1.0)
    q = checked_layers("variances", variances, len(weights), at_least=0.0)
    return n, weights, np.maximum(q, _SMALLEST_Q)


def _share(activation: str, weights: PerLayer, q: PerLayer) -> PerLayer:
    """Return which part of each q comes through the weights, the rest by biases."""
    carried = weights[1:] * second_moment(activation, q[:-1])
    return np.append(1.0, np.minimum(carried / q[1:], 1.0))


def _sensitivities(activation: str, q: PerLayer) -> tuple[PerLayer, PerLayer]:
    """Return d ln G / d ln q and d ln D / d ln q."""
    found = np.array([_at(activation, float(one))[:2] for one in q])
    return found[:, 0], found[:, 1]


def _scatter(activation: str, q: PerLayer) -> tuple[PerLayer, PerLayer, PerLayer]:
    """Return n times the relative variances of G and of D g^2, and their covariance."""
    found = np.array([_at(activation, float(one))[2:] for one in q])
    return found[:, 0], found[:, 1], found[:, 2]


@cache
def _at(activation: str, q: float) -> tuple[float, float, float, float, float]:
    second = float(second_moment(activation, q))
    slope = float(slope_moment(activation, q))
    means = _sin_means(q) if activation == "sin" else _means(activation, q)
    growth, steepening, fourth, slope_fourth, mixed = means
    return (
        growth / second,
        steepening / slope,
        fourth / second**2 - 1,
        3 * slope_fourth / slope**2 - 1,
        mixed / (second * slope) - 1,
    )


def _means(activation: str, q: float) -> tuple[float, ...]:
    """Return q G', q D', and the means of f^4, f'^4 and f^2 f'^2."""
    known, root = checked_activation(activation), math.sqrt(q)

    def mean(weigh: Weigh) -> float:
        one = np.ones(1)
        at = expectation(
            lambda z: weigh(known.f(root * z) ** 2, known.derivative(root * z) ** 2, z),
            one,
        )
        return float(at[0])

    # By q, without a second derivative: d E h(sqrt(q) z) / d ln q = E h (z^2 - 1) / 2.
    return (
        mean(lambda f, _, z: f * (z * z - 1) / 2),
        mean(lambda _, slope, z: slope * (z * z - 1) / 2),
        mean(lambda f, _, z: f * f + 0 * z),
        mean(lambda _, slope, z: slope * slope + 0 * z),
        mean(lambda f, slope, z: f * slope + 0 * z),
    )


def _sin_means(q: float) -> tuple[float, ...]:
    two, eight = math.exp(-2 * q), math.exp(-8 * q)
    # Below, 3/8 - two/2 + eight/8 is rounding.
    fourth = 3 * q * q if q < 1e-5 else 3 / 8 - two / 2 + eight / 8
    return (
        q * two,
        -q * two,
        fourth,
        3 / 8 + two / 2 + eight / 8,
        -math.expm1(-8 * q) / 8,
    )
