"""Spreads and intervals over members, without assuming a distribution.

A diverged member counts as the worst there is: infinite loss, lowest score.
"""

from dataclasses import dataclass

import numpy as np
import scipy  # whose parts are loaded when they are first asked for
from jaxtyping import Float

CONFIDENCE = 0.95
SPREAD = (0.05, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One quantity over the members of an init.

    Attributes:
        median: Over members.
        spread: Quantiles at 5 % and 95 % of the members.
        interval: Where the median of all possible members lies, with at least 95 %
            confidence; None where there are too few members to say (under 6).
    """

    median: float
    spread: tuple[float, float]
    interval: tuple[float, float] | None


def summarize(values: Float[np.ndarray, "member"], *, worst: float) -> Summary:
    """Return median, spread and interval of one number per member.

    Args:
        values: NaN where a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.

    Example:
        >>> summarize(np.arange(20.0), worst=np.inf).interval
        (5.0, 14.0)
    """
    ranked = np.sort(np.where(np.isnan(values), worst, values))
    quantiles = np.quantile(ranked, SPREAD, method="inverted_cdf")
    return Summary(
        median=float(np.median(ranked)),
        spread=(float(quantiles[0]), float(quantiles[1])),
        interval=median_interval(ranked),
    )


def median_interval(
    ranked: Float[np.ndarray, "member"],
) -> tuple[float, float] | None:
    """Return the order statistics between which the true median lies.

    How many members fall below the median is binomial with share 1/2, whatever the
    distribution; the interval is the narrowest symmetric one that covers 95 %.

    References:
        Hollander & Wolfe (1999), Nonparametric Statistical Methods, eq. 3.20
    """
    low = lower_rank(len(ranked))
    if low is None:
        return None
    return float(ranked[low]), float(ranked[-1 - low])


def lower_rank(members: int) -> int | None:
    """Return which of the ranked members bounds the median from below, from 0.

    As many from the top bound it from above; None for too few members (under 6).
    """
    low = int(scipy.stats.binom.ppf((1 - CONFIDENCE) / 2, members, 0.5)) - 1
    return None if low < 0 else low
