"""Where the variance of pre-activations settles: fixed points of the variance map."""

from functools import cache

import numpy as np
from jaxtyping import Float

from initlab.activations import ACTIVATIONS
from initlab.errors import InvalidValueError
from initlab.theory._checks import (
    Number,
    Numbers,
    checked_activation,
    checked_array,
    checked_number,
)
from initlab.theory._moments import second_moment, second_moment_growth

# Sixteen values a decade: a pair of fixed points closer than that is passed over.
_LOWEST, _HIGHEST, _PER_DECADE = 1e-12, 1e15, 16
# What is bounded never explodes: beyond the ladder nothing is known of it.
_BOUNDED = frozenset({"tanh", "sigmoid", "erf", "sin"})
# Moments are known to a few 1e-16; a smaller relative change is none.
_NO_CHANGE = 1e-13
_ROUNDS = 80


def variance_fixed_point(
    activation: str,
    *,
    weight_variance: Numbers,
    bias_variance: Numbers = 0.0,
    start: Number = 1.0,
) -> Float[np.ndarray, "..."]:
    """q*: where `q <- weight_variance * G(q) + bias_variance` leads from `start`.

    G grows with q, so that the way there is monotone: q* is the nearest fixed point in
    the direction of the first change. It is 0 where the signal dies, infinite where it
    explodes, and `start` where every q is kept, as by ReLU at He's variance.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variance: fan_in times the variance of an entry; above 0.
        bias_variance: 0 or more.
        start: The first variance; above 0.

    Raises:
        InvalidValueError: If the activation is bounded, and q* beyond 1e15.

    Returns:
        q*, in the common shape of the two variances.

    Example:
        >>> point = variance_fixed_point("erf", weight_variance=2.0, bias_variance=0.1)
        >>> round(float(point), 6)
        1.046255
        >>> float(variance_fixed_point("gelu", weight_variance=2.0))
        0.0

    References:
        Poole et al. (2016), section 2, https://arxiv.org/abs/1606.05340
    """
    checked_activation(activation)
    start = checked_number("start", start, above=0.0)
    weight, bias = np.broadcast_arrays(
        checked_array("weight_variance", weight_variance, above=0.0),
        checked_array("bias_variance", bias_variance, at_least=0.0),
    )
    low, high = _brackets(activation, weight.ravel(), bias.ravel(), start)
    if activation in _BOUNDED and np.isinf(high).any():
        lost = int(np.isinf(high).argmax())
        raise InvalidValueError(
            f"weight_variance, bias_variance: q* would be beyond {_HIGHEST:g}, where "
            f"moments are not known, got {weight.ravel()[lost]:g} and "
            f"{bias.ravel()[lost]:g}"
        )
    inside = (low > 0) & np.isfinite(high) & (low < high)
    found = np.where(low > 0, high, 0.0)
    found[inside] = _refined(
        activation, weight.ravel()[inside], bias.ravel()[inside], low[inside],
        high[inside],
    )  # fmt: skip
    return found.reshape(weight.shape)


def _brackets(
    activation: str, weight: np.ndarray, bias: np.ndarray, start: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return between which variances the fixed point is.

    Both ends equal: exactly there; a lower end of 0: at 0; an upper end of infinity:
    nowhere.
    """
    variances, moments = _ladder(activation)
    first = float(second_moment(activation, start))
    direction = _sign(weight * first + bias - start, start)
    change = weight[:, None] * moments + bias[:, None] - variances
    turned = _sign(change, variances) * direction[:, None] < 0
    rising = turned & (variances > start)
    falling = turned & (variances < start)
    up = np.argmax(rising, axis=1)
    down = len(variances) - 1 - np.argmax(falling[:, ::-1], axis=1)
    above = np.where(rising.any(axis=1), variances[up], np.inf)
    below_that = np.maximum(variances[np.maximum(up - 1, 0)], start)
    below = np.where(falling.any(axis=1), variances[down], 0.0)
    above_that = np.minimum(variances[np.minimum(down + 1, len(variances) - 1)], start)
    starts = np.full_like(weight, start)
    low = np.select([direction > 0, direction < 0], [below_that, below], starts)
    high = np.select([direction > 0, direction < 0], [above, above_that], starts)
    # Below the ladder there is 0, or what a tiny bias keeps up.
    tiny = (low == 0) & ((bias > 0) | (ACTIVATIONS[activation].f(np.zeros(())) != 0))
    return np.where(tiny, _LOWEST**2, low), high


def _sign(change: np.ndarray, variance: np.ndarray | float) -> np.ndarray:
    return np.where(np.abs(change) <= _NO_CHANGE * variance, 0.0, np.sign(change))


@cache
def _ladder(activation: str) -> tuple[np.ndarray, np.ndarray]:
    decades = round(np.log10(_HIGHEST / _LOWEST))
    variances = np.geomspace(_LOWEST, _HIGHEST, decades * _PER_DECADE + 1)
    return variances, second_moment(activation, variances)


def _refined(
    activation: str,
    weight: np.ndarray,
    bias: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Newton's method, halving the bracket where a step would leave it.

    The variance grows at the lower end and shrinks at the upper one.
    """
    q = np.sqrt(low * high)
    active = np.arange(len(q))
    for _ in range(_ROUNDS):
        now = q[active]
        change = weight[active] * second_moment(activation, now) + bias[active] - now
        slope = weight[active] * second_moment_growth(activation, now) - 1
        low[active] = np.where(change > 0, now, low[active])
        high[active] = np.where(change > 0, high[active], now)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = now - change / slope
        fits = (step >= low[active]) & (step <= high[active])
        q[active] = np.where(fits, step, np.sqrt(low[active] * high[active]))
        # Newton's error is the square of its last step, but at a double root.
        moved = np.abs(q[active] / now - 1)
        active = active[moved > np.where(np.abs(slope) > 0.01, 1e-9, 1e-15)]
        if not active.size:
            break
    return q
