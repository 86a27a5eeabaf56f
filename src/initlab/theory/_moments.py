"""Moments of an activation under normal pre-activations of variance q: G, D, G'.

Everything else in this room is made of them. q may be 0 (the limit from above) or
infinite (the limit); what comes back has the shape of q.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from initlab.theory._checks import Numbers, checked_activation, checked_array
from initlab.theory._closed_forms import SINGLE
from initlab.theory._quadrature import expectation

Moment = Float[np.ndarray, "..."]

# The limit at 0 from above: the sign of z still decides the side of a kink.
_ALMOST_ZERO = 1e-280
# A derivative by q divides what cancels by q. Where f(0) is not 0, less loses digits.
_SMALLEST_DIVISOR = 1e-9
_FAR = 1e8


def second_moment(activation: str, q: Numbers) -> Moment:
    """G(q) = E f(sqrt(q) z)^2: what a layer's activations carry to the next layer.

    The variance of the pre-activations obeys `q <- weight_variance * G(q) +
    bias_variance`, where the weight variance is fan_in times that of an entry.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variances of pre-activations, 0 or more; may be infinite.

    Example:
        >>> float(second_moment("relu", 1.7))
        0.85

    References:
        Poole et al. (2016), eq. 3, https://arxiv.org/abs/1606.05340
    """
    f = checked_activation(activation).f
    closed, _ = SINGLE.get(activation, (None, None))
    return _moment(activation, q, lambda u: f(u) ** 2, closed)


def slope_moment(activation: str, q: Numbers) -> Moment:
    """D(q) = E f'(sqrt(q) z)^2: how a layer shrinks squared gradients.

    `weight_variance * D(q)` is chi_1, the factor by which each layer multiplies the
    squared norm of the gradient, and squared distances of near inputs.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variances of pre-activations, 0 or more; may be infinite.

    Example:
        >>> float(slope_moment("relu", 1.7))
        0.5

    References:
        Schoenholz et al. (2017), section 3, https://arxiv.org/abs/1611.01232
    """
    derivative = checked_activation(activation).derivative
    _, closed = SINGLE.get(activation, (None, None))
    return _moment(activation, q, lambda u: derivative(u) ** 2, closed)


def activation_mean(activation: str, q: Numbers) -> Moment:
    """E f(sqrt(q) z): 0 for odd activations, sqrt(q / 2 pi) for ReLU.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variances of pre-activations, 0 or more, finite.

    Example:
        >>> round(float(activation_mean("relu", 1.0)), 6)
        0.398942
    """
    f = checked_activation(activation).f
    q = checked_array("q", q, at_least=0.0)
    if activation == "sin":
        return np.zeros_like(q)
    return _from_above(f, q)


def activation_std(activation: str, q: Numbers) -> Moment:
    """Standard deviation of f(sqrt(q) z).

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variances of pre-activations, 0 or more, finite.

    Example:
        >>> round(float(activation_std("relu", 1.0)), 6)
        0.583819
    """
    f = checked_activation(activation).f
    q = checked_array("q", q, at_least=0.0)
    if activation == "sin":
        return np.asarray(np.sqrt(second_moment("sin", q)))
    # Around f(0), so that a small spread on a large constant keeps its digits.
    middle = f(np.zeros(()))
    mean = _from_above(lambda u: f(u) - middle, q)
    square = _from_above(lambda u: (f(u) - middle) ** 2, q)
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0.0)))


def second_moment_growth(activation: str, q: Numbers) -> Moment:
    """G'(q) = E[z f f'] / sqrt(q), f and f' at sqrt(q) z.

    `weight_variance * G'(q*)` is chi_par: the factor by which a small error of the
    variance changes from layer to layer.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variances of pre-activations, 0 or more; may be infinite.

    Example:
        >>> round(float(second_moment_growth("relu", 1.7)), 12)
        0.5

    References:
        Schoenholz et al. (2017), section 3; the form without f'' by Stein's lemma.
    """
    known = checked_activation(activation)
    q = checked_array("q", q, at_least=0.0, finite=False)
    if activation == "sin":
        return np.asarray(np.exp(-2 * q))
    least = _SMALLEST_DIVISOR if known.f(np.zeros(())) != 0 else _ALMOST_ZERO
    far = np.isinf(q)
    inside = np.where(far, 1.0, np.maximum(q, least))
    found = expectation(lambda u: u * known.f(u) * known.derivative(u), inside) / inside
    return np.where(far, _limit(activation, lambda u: known.derivative(u) ** 2), found)


def _moment(
    activation: str,
    q: Numbers,
    integrand: Callable[[np.ndarray], np.ndarray],
    closed: Callable[[np.ndarray], np.ndarray] | None,
) -> Moment:
    q = checked_array("q", q, at_least=0.0, finite=False)
    far = np.isinf(q)
    inside = np.where(far, 1.0, q)
    found = _from_above(integrand, inside) if closed is None else closed(inside)
    return np.where(far, _limit(activation, integrand), found)


def _from_above(function: Callable[[np.ndarray], np.ndarray], q: Moment) -> Moment:
    return expectation(function, np.asarray(np.maximum(q, _ALMOST_ZERO)))


def _limit(activation: str, integrand: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the value at infinite q, from both far ends; sin has none, but a mean."""
    if activation == "sin":
        return 0.5
    ends = integrand(np.array([-_FAR, _FAR]))
    return float("inf") if ends.max() > _FAR else float(ends.mean())
