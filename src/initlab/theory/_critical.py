"""Criticality: the variances of weights and biases at which chi_1 is 1."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from initlab.errors import InvalidValueError
from initlab.theory._checks import (
    Number,
    Numbers,
    checked_activation,
    checked_array,
    checked_number,
)
from initlab.theory._moments import second_moment, second_moment_growth, slope_moment

# Bias variances this small beside q are rounding of 0.
_ROUNDING = 1e-12
# Where starts and half-stable points are looked for.
_SCAN = np.geomspace(1e-4, 1e6, 201)


@dataclass(frozen=True, slots=True, kw_only=True)
class Critical:
    """A critical point: chi_1 is 1, and the variance of pre-activations stays at q.

    Attributes:
        weight_variance: fan_in times the variance of an entry.
        bias_variance: Of every bias.
        q: Variance of pre-activations that the two keep.
        chi_par: Factor of a small error of q from layer to layer; above 1, q is left.
    """

    weight_variance: float
    bias_variance: float
    q: float
    chi_par: float


def critical(activation: str, *, q: Number = 1.0) -> Critical:
    """Weight and bias variance that keep gradients and the variance q, both.

    `weight_variance = 1 / D(q)` and `bias_variance = q - weight_variance * G(q)`.
    `gain` keeps the second moment of activations only: tanh at its gain has
    chi_1 = 1.18.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variance of pre-activations to keep; above 0.

    Raises:
        UnknownNameError: If the activation is unknown.
        InvalidValueError: If a negative bias variance would be needed, as by sigmoid
            at q = 1 and by softplus everywhere.

    Example:
        >>> point = critical("tanh")
        >>> round(point.weight_variance, 4), round(point.bias_variance, 4)
        (2.1533, 0.151)

    References:
        Schoenholz et al. (2017), section 3, https://arxiv.org/abs/1611.01232
    """
    checked_activation(activation)
    q = checked_number("q", q, above=0.0)
    bias = float(_variances(activation, np.asarray(q))[1])
    if bias < 0:
        raise InvalidValueError(
            f"{activation} is not critical at q={q:g}, it would need a "
            f"bias variance of {bias:.4g}; {_where(activation)}",
            argument="activation",
        )
    return _point(activation, q)


def critical_line(
    activation: str, q: Numbers | None = None
) -> Float[np.ndarray, "point 3"]:
    """Critical points, one for each q that has one.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variances of pre-activations, above 0; None: 1e-4 to 1e6, 20 a decade.

    Returns:
        Rows of weight variance, bias variance and q, in the order of q; none for
        softplus. ReLU has the same two variances, 2 and 0, at every q.

    Example:
        >>> critical_line("erf", [0.5, 1.0]).round(4)
        array([[1.3603, 0.0466, 0.5   ],
               [1.7562, 0.1841, 1.    ]])

    References:
        Schoenholz et al. (2017), figure 1, https://arxiv.org/abs/1611.01232
    """
    checked_activation(activation)
    scan = _SCAN if q is None else np.atleast_1d(checked_array("q", q, above=0.0))
    weight, bias = _variances(activation, scan)
    return np.stack([weight, bias, scan], axis=1)[bias >= 0]


def critical_start(activation: str) -> Critical | None:
    """The critical point without biases from which the critical line starts.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.

    Returns:
        The end of the line at the lowest q: at q = 0 for most activations, near q = 46
        for sigmoid; None for softplus, which has no critical line.

    Example:
        >>> start = critical_start("sigmoid")
        >>> round(start.weight_variance, 1), round(start.q, 1)
        (103.0, 45.6)
        >>> critical_start("tanh").weight_variance
        1.0
    """
    checked_activation(activation)
    return _start(activation)


def half_stable_point(activation: str) -> Critical | None:
    """The critical point whose variance is kept to first order, chi_par = chi_1 = 1.

    Near it, q moves in one direction only (GELU: down, SiLU: up), and by the square of
    its distance: over hundreds of layers it stays. The critical points of GELU and SiLU
    at lower q, as at q = 1, have chi_par above 1: there q leaves in both directions.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.

    Returns:
        The point, or None: of the activations here, only GELU and SiLU have one. (ReLU
        and its kin keep every q.)

    Example:
        >>> point = half_stable_point("gelu")
        >>> round(point.q, 5), round(point.weight_variance, 6)
        (3.56155, 1.983058)

    References:
        Roberts, Yaida and Hanin (2022), section 5.3.4, https://arxiv.org/abs/2106.10165
    """
    checked_activation(activation)
    return _half_stable(activation)


@cache
def _start(activation: str) -> Critical | None:
    _, bias = _variances(activation, _SCAN)
    allowed = bias >= 0
    if not allowed.any():
        return None
    first = int(np.argmax(allowed))
    if first == 0:
        # From q = 0, where D is the limit.
        weight = 1 / float(slope_moment(activation, 0.0))
        growth = weight * float(second_moment_growth(activation, 0.0))
        return Critical(
            weight_variance=weight, bias_variance=0.0, q=0.0, chi_par=growth
        )
    q = brentq(
        lambda q: float(_variances(activation, np.asarray(q))[1]),
        _SCAN[first - 1],
        _SCAN[first],
        xtol=1e-12,
        rtol=1e-14,
    )
    return _point(activation, q)


@cache
def _half_stable(activation: str) -> Critical | None:
    def excess(q: np.ndarray) -> np.ndarray:
        growth = second_moment_growth(activation, q)
        return np.asarray(growth / slope_moment(activation, q) - 1)

    values = excess(_SCAN)
    values = np.where(np.abs(values) < _ROUNDING, 0.0, values)
    turns = np.flatnonzero(values[:-1] * values[1:] < 0)
    if not turns.size:
        return None
    first = turns[0]
    q = brentq(
        lambda q: float(excess(np.asarray(q))),
        _SCAN[first],
        _SCAN[first + 1],
        xtol=1e-13,
        rtol=1e-14,
    )
    return _point(activation, q)


def _point(activation: str, q: float) -> Critical:
    weight, bias = (float(one) for one in _variances(activation, np.asarray(q)))
    return Critical(
        weight_variance=weight,
        bias_variance=max(bias, 0.0),
        q=q,
        chi_par=weight * float(second_moment_growth(activation, q)),
    )


def _variances(activation: str, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weight = np.asarray(1 / slope_moment(activation, q))
    bias = q - weight * second_moment(activation, q)
    return weight, np.where(np.abs(bias) <= _ROUNDING * q, 0.0, bias)


def _where(activation: str) -> str:
    start = _start(activation)
    if start is None:
        return "it has no critical point without one"
    return (
        f"its critical line starts at weight_variance={start.weight_variance:.4g}, "
        f"q={start.q:.3g}"
    )
