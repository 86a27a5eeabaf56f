"""The typical member: median, mean and interquartile mean, each with its interval.

A diverged member counts as the worst there is. The median bears up to half of them,
the interquartile mean a quarter, the mean none: it is then infinite, and has no
interval.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float

from initlab.analysis.statistics._members import CONFIDENCE, summarize

# A quarter of the members is left out at each end.
TRIMMED = 0.25
# Below it, an interval of a mean is a guess about the distribution's tails.
FEWEST_FOR_A_MEAN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number about all possible members, from those that ran.

    Attributes:
        value: The estimate.
        interval: Where the number lies, with 95 % confidence; None: cannot be said.
    """

    value: float
    interval: tuple[float, float] | None


def median(values: Float[np.ndarray, "member"], *, worst: float) -> Estimate:
    """Return the median; its interval holds for every distribution.

    Args:
        values: NaN where a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.

    Example:
        >>> median(np.arange(20.0), worst=np.inf)
        Estimate(value=9.5, interval=(5.0, 14.0))
    """
    found = summarize(values, worst=worst)
    return Estimate(value=found.median, interval=found.interval)


def mean(values: Float[np.ndarray, "member"], *, worst: float) -> Estimate:
    """Return the mean; its interval allows for skewed distributions.

    Student's interval of a loss covers too seldom, since losses are skewed: 91 % at
    100 log-normal members, where this one covers 93 %.

    Args:
        values: NaN where a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.

    Example:
        >>> found = mean(np.arange(100.0) ** 2, worst=np.inf)
        >>> round(found.value, 1), [round(end) for end in found.interval]
        (3283.5, [2721, 3903])

    References:
        Hall (1992), On the removal of skewness by transformation, J. R. Statist.
        Soc. B 54: the cubic transformation g_1 and its inverse
    """
    ranked = np.where(np.isnan(values), worst, values)
    members, estimate = len(ranked), float(ranked.mean())
    if members < FEWEST_FOR_A_MEAN or not np.isfinite(ranked).all():
        return Estimate(value=estimate, interval=None)
    deviation = ranked.std(ddof=1)
    if deviation <= np.finfo(float).eps * abs(estimate):
        return Estimate(value=estimate, interval=(estimate, estimate))
    skewness = float(scipy.stats.skew(ranked, bias=False))
    tail = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, members - 1)
    low, high = (
        estimate - deviation * _unskewed(t / np.sqrt(members), skewness, members)
        for t in (tail, -tail)
    )
    return Estimate(value=estimate, interval=(float(low), float(high)))


def _unskewed(t: float, skewness: float, members: int) -> float:
    """Return the studentized mean, over sqrt(members), that Hall's g_1 takes to t."""
    if abs(skewness) < 1e-6:
        return t
    root = np.cbrt(1 + skewness * (t - skewness / (6 * members)))
    return float(3 / skewness * (root - 1))


def iqm(values: Float[np.ndarray, "member"], *, worst: float) -> Estimate:
    """Return the interquartile mean: the mean of the middle half of the members.

    Args:
        values: NaN where a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.

    Example:
        >>> iqm(np.array([1.0, 2, 3, 4, 5, 6, 7, np.nan]), worst=np.inf).value
        4.5

    References:
        Tukey & McLaughlin (1963), Less vulnerable confidence and significance
        procedures; SciPy's `mstats.trimmed_mean_ci`
    """
    ranked = np.sort(np.where(np.isnan(values), worst, values))
    cut = int(TRIMMED * len(ranked))
    middle = ranked[cut : len(ranked) - cut]
    with np.errstate(invalid="ignore"):  # both infinities in the middle
        estimate = float(middle.mean())
    if len(ranked) < FEWEST_FOR_A_MEAN or not np.isfinite(middle).all():
        return Estimate(value=estimate, interval=None)
    low, high = scipy.stats.mstats.trimmed_mean_ci(
        # What is cut does not count beyond its rank, and may be infinite.
        np.clip(ranked, middle[0], middle[-1]),
        limits=(TRIMMED, TRIMMED),
        alpha=1 - CONFIDENCE,
    )
    return Estimate(value=estimate, interval=(float(low), float(high)))
