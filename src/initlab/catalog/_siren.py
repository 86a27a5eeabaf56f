"""Weights for networks of sines."""

import math

from initlab.catalog._checks import Shape, checked_number
from initlab.catalog._fans import fan
from initlab.catalog._rng import Rng, Weight, uniform


def siren(
    shape: Shape, *, rng: Rng, omega: float = 30.0, first: bool = False
) -> Weight:
    """Uniform entries for layers followed by sin(omega * z).

    The first layer has the bound 1 / fan_in, so that omega sets the highest frequency
    of coordinates in [-1, 1]; every other one sqrt(6 / fan_in) / omega, so that
    omega * z is about standard normal. For an activation sin(z), without the factor,
    take `siren(omega=1)`, and `uniform` with the bounds 30 / fan_in in the first layer.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        omega: Factor in the activation; above 0. The first layer does without it.
        first: Whether this is the first layer; a study fills it in.

    Example:
        >>> import numpy as np
        >>> weight = siren((10, 2), rng=np.random.default_rng(0), first=True)
        >>> bool(abs(weight).max() <= 0.5)
        True

    References:
        Sitzmann, Martel, Bergman, Lindell and Wetzstein (2020), section 3.2,
        https://arxiv.org/abs/2006.09661
    """
    bound = _bound(shape, omega, first)
    return uniform(shape, rng, -bound, bound)


def siren_std(shape: Shape, *, omega: float = 30.0, first: bool = False) -> float:
    """The bound over sqrt(3): sqrt(2 / fan_in) / omega, or 1 / (sqrt(3) fan_in).

    Example:
        >>> round(siren_std((10, 2), omega=1.0), 6)
        1.0
    """
    return _bound(shape, omega, first) / math.sqrt(3)


def _bound(shape: Shape, omega: float, first: bool) -> float:
    checked_number("omega", omega, above=0.0)
    fan_in = fan(shape, "fan_in")
    return 1 / fan_in if first else math.sqrt(6 / fan_in) / omega
