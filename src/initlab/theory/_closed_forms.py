"""Closed forms of the moments of activations under normal pre-activations.

Every entry is a function of the variance q, in the order (G, D), or of q and the
correlation c, in the order (E f f, E f' f'). Activations without an entry have no
closed form here, and go through quadrature.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from initlab.activations import LEAKY_SLOPE

# NumPy makes numbers of what it computes from arrays without dimensions.
Real = Any
Single = Callable[[Real], Real]
Pair = Callable[[Real, Real], Real]

_PI = math.pi


def _rectifier(slope: float) -> tuple[Single, Single]:
    half = (1 + slope * slope) / 2
    return (lambda q: half * q), (lambda q: np.full_like(q, half))


def _erf_second(q: Real) -> Real:
    # arcsin(2q / (1 + 2q)), without its loss near 1.
    return 2 / _PI * np.arctan2(2 * q, np.sqrt(1 + 4 * q))


def _erf_slope(q: Real) -> Real:
    return 4 / _PI / np.sqrt(1 + 4 * q)


def _gelu_second(q: Real) -> Real:
    # Tsuchida et al. (2021), https://arxiv.org/abs/2002.08517, at equal inputs.
    root = np.sqrt(1 + 2 * q)
    return q / 4 + q / _PI * (q / ((1 + q) * root) + np.arctan(q / root) / 2)


def _gelu_slope(q: Real) -> Real:
    root = np.sqrt(1 + 2 * q)
    bracket = 1 / (1 + 2 * q) + (1 - q) / (1 + q) + 1
    return 0.25 + np.arctan(q / root) / (2 * _PI) + q / (2 * _PI * root) * bracket


def _sin_second(q: Real) -> Real:
    return -np.expm1(-2 * q) / 2


def _sin_slope(q: Real) -> Real:
    return (1 + np.exp(-2 * q)) / 2


def _rectifier_pair(slope: float) -> tuple[Pair, Pair]:
    """Cho and Saul (2009), eqs. 4 to 6, for f = (1+a)/2 u + (1-a)/2 |u|."""
    square, leak = (1 - slope) ** 2, slope

    def product(q: Real, c: Real) -> Real:
        angle = np.arccos(c)
        arc = (np.sqrt((1 - c) * (1 + c)) + (_PI - angle) * c) / (2 * _PI)
        return q * (square * arc + leak * c)

    def slopes(q: Real, c: Real) -> Real:
        return square * (_PI - np.arccos(c)) / (2 * _PI) + leak + 0 * q

    return product, slopes


def rectifier_half_difference(slope: float, q: float, distance: float) -> float:
    """E (f(u) - f(v))^2 / 2 of a (leaky) ReLU, exact also where 1 - c is tiny.

    From `_rectifier_pair`, by the angle between the two inputs.

    Example:
        >>> rectifier_half_difference(1.0, 2.0, 1e-30)
        2e-30
    """
    angle = 2 * math.asin(math.sqrt(distance / 2))
    # angle cos(angle) - sin(angle), without its loss near 0.
    if angle < 0.1:
        arc = -(angle**3) / 3 + angle**5 / 30 - angle**7 / 840 + angle**9 / 45360
    else:
        arc = angle * math.cos(angle) - math.sin(angle)
    square = (1 - slope) ** 2 / (2 * _PI)
    return q * (square * (_PI * distance + arc) + slope * distance)


def _erf_product(q: Real, c: Real) -> Real:
    # Williams (1997), eq. 11.
    return 2 / _PI * np.arctan2(2 * q * c, np.sqrt(_erf_determinant(q, c)))


def _erf_slopes(q: Real, c: Real) -> Real:
    return 4 / _PI / np.sqrt(_erf_determinant(q, c))


def _erf_determinant(q: Real, c: Real) -> Real:
    # (1 + 2q)^2 - (2qc)^2, without its loss at large q.
    return 1 + 4 * q + 4 * q * q * (1 - c) * (1 + c)


def _gelu_terms(q: Real, c: Real) -> tuple[Real, ...]:
    """Return the covariance, E Phi Phi, E phi phi, and the determinant."""
    b = q * c
    # (1 + q)^2 - b^2, without its loss at large q.
    determinant = 1 + 2 * q + q * q * (1 - c) * (1 + c)
    both = 0.25 + np.arctan2(b, np.sqrt(determinant)) / (2 * _PI)
    density = 1 / (2 * _PI * np.sqrt(determinant))
    return b, both, density, determinant


def _gelu_product(q: Real, c: Real) -> Real:
    # By parts twice: b E[Phi Phi] + E[phi phi] (q^2 + b^2 (2/(1+q) - 1)).
    b, both, density, _ = _gelu_terms(q, c)
    return b * both + density * (q * q * (1 - c) * (1 + c) + 2 * b * b / (1 + q))


def _gelu_slopes(q: Real, c: Real) -> Real:
    # The derivative of the product by the covariance b (Price's theorem).
    b, both, density, determinant = _gelu_terms(q, c)
    inner = (2 * b * b / (1 + q) - 1 - 2 * q) / determinant
    return both + density * b * (4 / (1 + q) + inner)


def _sin_product(q: Real, c: Real) -> Real:
    return (np.exp(-q * (1 - c)) - np.exp(-q * (1 + c))) / 2


def _sin_slopes(q: Real, c: Real) -> Real:
    return (np.exp(-q * (1 - c)) + np.exp(-q * (1 + c))) / 2


SINGLE: Mapping[str, tuple[Single, Single]] = MappingProxyType(
    {
        "relu": _rectifier(0.0),
        "leaky_relu": _rectifier(LEAKY_SLOPE),
        "identity": _rectifier(1.0),
        "erf": (_erf_second, _erf_slope),
        "gelu": (_gelu_second, _gelu_slope),
        "sin": (_sin_second, _sin_slope),
    }
)
PAIR: Mapping[str, tuple[Pair, Pair]] = MappingProxyType(
    {
        "relu": _rectifier_pair(0.0),
        "leaky_relu": _rectifier_pair(LEAKY_SLOPE),
        "identity": _rectifier_pair(1.0),
        "erf": (_erf_product, _erf_slopes),
        "gelu": (_gelu_product, _gelu_slopes),
        "sin": (_sin_product, _sin_slopes),
    }
)
