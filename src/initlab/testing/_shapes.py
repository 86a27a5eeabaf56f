"""The three distributions of independent entries, at mean 0 and variance 1."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.integrate
from scipy.special import ndtr

from initlab import catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """A distribution of mean 0 and variance 1.

    Attributes:
        cdf: Its distribution function, elementwise.
        pdf: Its density, elementwise.
        edge: The largest value; infinite for the normal.
        moments: Of the orders 4, 6 and 8.
    """

    cdf: Callable[[Any], Any]
    pdf: Callable[[Any], Any]
    edge: float
    moments: tuple[float, float, float]

    @property
    def excess_kurtosis(self) -> float:
        """Kurtosis minus 3."""
        return self.moments[0] - 3

    @property
    def kurtosis_variance(self) -> float:
        """Variance of a sample's kurtosis times the sample's size: 24 for a normal."""
        four, six, eight = self.moments
        return eight - four**2 - 4 * four * (six - four) + 4 * four**2 * (four - 1)


@cache
def density(name: str, bound: float) -> Density:
    """The distribution of that name, a truncated normal cut at `bound`.

    Example:
        >>> round(density("uniform", 2.0).edge**2, 12)
        3.0
    """
    if name == "uniform":
        edge = math.sqrt(3)
        return Density(
            cdf=lambda x: np.clip((x / edge + 1) / 2, 0, 1),
            pdf=lambda x: np.where(np.abs(x) <= edge, 1 / (2 * edge), 0),
            edge=edge,
            moments=(9 / 5, 27 / 7, 9.0),
        )
    if name == "normal":
        return Density(cdf=ndtr, pdf=_phi, edge=math.inf, moments=(3.0, 15.0, 105.0))
    # Cut at `bound`, and divided by what is left of the standard deviation.
    std = catalog.get("truncated_normal").std((2, 2), std=1.0, bound=bound)
    low, mass = float(ndtr(-bound)), float(ndtr(bound) - ndtr(-bound))
    edge = bound / std

    def cut_pdf(x: Any) -> Any:
        return np.where(np.abs(x) <= edge, _phi(x * std) * std / mass, 0)

    four, six, eight = (
        2 * scipy.integrate.quad(lambda x, k=k: x**k * cut_pdf(x), 0, edge)[0]
        for k in (4, 6, 8)
    )
    return Density(
        cdf=lambda x: np.clip((ndtr(x * std) - low) / mass, 0, 1),
        pdf=cut_pdf,
        edge=edge,
        moments=(four, six, eight),
    )


def _phi(x: Any) -> Any:
    return np.exp(-0.5 * np.square(x)) / math.sqrt(2 * math.pi)
