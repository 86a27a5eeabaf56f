"""Budgets: how much of its gradient and of its inputs' differences a chain may lose."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from initlab.theory._checks import Numbers, checked_activation, checked_layers
from initlab.theory._correlation import correlation_fixed_point
from initlab.theory._moments import second_moment, slope_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientBudget:
    """The log-gains of a chain of layers, summed.

    Attributes:
        total: ln of the factor of the squared gradient over the whole chain.
        largest: The largest |sum| over neighbouring layers; factors that cancel later,
            2 and then 1/2, are seen here and not in the total.
        sign: 1 if the gradient grows on the way back through those layers, -1 if it
            shrinks, 0 if it does neither.
        first: Lowest layer of the stretch with the largest sum.
        last: Highest layer of it: the gradient goes from `last` to `first`.
    """

    total: float
    largest: float
    sign: int
    first: int
    last: int


def gradient_budget(factors: Numbers) -> GradientBudget:
    """Sum ln chi_l over a chain of layers, each at its own q.

    Additive, so that it tells which layers are to blame. Of 196 plain networks with a
    budget over 12, none learned by gradient descent, and 88 did with Adam
    (docs/trainability.md).

    Args:
        factors: chi_l from layer l+1 to l, for l = 1 to L-1, as from
            `backward_factors`; 0 or more.

    Example:
        >>> gradient_budget([2.0, 2.0, 0.25]).total
        0.0
        >>> budget = gradient_budget([2.0, 2.0, 0.25])
        >>> round(budget.largest, 4), budget.first, budget.last
        (1.3863, 1, 3)

    References:
        Doshi, He and Gromov (2021), https://arxiv.org/abs/2111.12143
    """
    chi = checked_layers("factors", factors, at_least=0.0)
    logs = [math.log(one) if one > 0 else -math.inf for one in chi]
    up, down = _largest_stretch(logs), _largest_stretch([-one for one in logs])
    largest, first, last = max(up, down, key=lambda stretch: stretch[0])
    return GradientBudget(
        total=sum(logs),
        largest=largest,
        sign=int(np.sign(up[0] - down[0])),
        first=first + 1,
        last=last + 2,
    )


def correlation_rates(
    activation: str,
    *,
    weight_variances: Numbers,
    variances: Numbers,
    bias_variances: Numbers = 0.0,
) -> Float[np.ndarray, "link"]:
    """1/xi_c of every step from layer l to l+1, each at its own q, for l = 1 to L-1.

    The rate at which the correlation of two inputs approaches where it is going: to 1
    at the rate -ln chi_l where chi_l is below 1, to c* of the step's correlation map
    at the rate -ln of its slope there otherwise.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variances: fan_in times the variance of an entry, one per layer.
        variances: q of every layer, as from `layer_variances`.
        bias_variances: One per layer, or one for all.

    Example:
        >>> correlation_rates(
        ...     "relu", weight_variances=[1.0, 1.0, 2.0], variances=[1.0, 0.5, 0.25]
        ... ).round(4)
        array([0.6931, 0.    ])

    References:
        Schoenholz et al. (2017), section 3, https://arxiv.org/abs/1611.01232
    """
    checked_activation(activation)
    weights = checked_layers("weight_variances", weight_variances, at_least=0.0)
    layers = len(weights)
    q = checked_layers("variances", variances, layers, at_least=0.0)
    biases = checked_layers("bias_variances", bias_variances, layers, at_least=0.0)
    return np.array(
        [
            _rate(activation, float(q[i - 1]), float(weights[i]), float(biases[i]))
            for i in range(1, layers)
        ],
        dtype=np.float64,
    )


def correlation_budget(
    activation: str,
    *,
    weight_variances: Numbers,
    variances: Numbers,
    bias_variances: Numbers = 0.0,
) -> float:
    """Sum of 1/xi_c over the layers: how many times differences of inputs fall by e.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variances: fan_in times the variance of an entry, one per layer.
        variances: q of every layer, as from `layer_variances`.
        bias_variances: One per layer, or one for all.

    Example:
        >>> correlation_budget(
        ...     "relu", weight_variances=[2.0] * 50, variances=[1.0] * 50
        ... )
        0.0
    """
    rates = correlation_rates(
        activation,
        weight_variances=weight_variances,
        variances=variances,
        bias_variances=bias_variances,
    )
    return float(rates.sum())


def _rate(activation: str, q: float, weight: float, bias: float) -> float:
    chi = weight * float(slope_moment(activation, q))
    if chi <= 0:
        return math.inf
    if chi < 1:
        return -math.log(chi)
    if q == 0 or weight * float(second_moment(activation, q)) + bias == 0:
        return 0.0
    _, slope = correlation_fixed_point(
        activation, q=q, weight_variance=weight, bias_variance=bias
    )
    return max(0.0, -math.log(slope))


def _largest_stretch(numbers: list[float]) -> tuple[float, int, int]:
    """Return the largest sum of neighbours, 0 or more, and its first and last."""
    best = (0.0, 0, len(numbers) - 1)
    running, begin = 0.0, 0
    for i, number in enumerate(numbers):
        if running <= 0:
            running, begin = 0.0, i
        running += number
        if running > best[0]:
            best = (running, begin, i)
    return best
