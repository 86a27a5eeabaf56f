"""Learning curves over members: median, spread and interval at every record."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from initlab.analysis.statistics._members import SPREAD, lower_rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """One init's curve; each record is judged on its own.

    Attributes:
        median: Over members.
        spread: Quantiles at 5 % and 95 % of the members, `(2, step)`.
        interval: 95 % confidence interval of the median, `(2, step)`; None where
            there are too few members (under 6).
    """

    median: Float[np.ndarray, "step"]
    spread: Float[np.ndarray, "2 step"]
    interval: Float[np.ndarray, "2 step"] | None


def bands(values: Float[np.ndarray, "member step"], *, worst: float) -> Bands:
    """Return the curve of a quantity over members.

    Args:
        values: NaN where a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.

    Example:
        >>> found = bands(np.arange(20.0)[:, None] + np.zeros(3), worst=np.inf)
        >>> found.interval[:, 0].tolist()
        [5.0, 14.0]
    """
    ranked = np.sort(np.where(np.isnan(values), worst, values), axis=0)
    low = lower_rank(len(ranked))
    return Bands(
        median=np.median(ranked, axis=0),
        spread=np.quantile(ranked, SPREAD, axis=0, method="inverted_cdf"),
        interval=None if low is None else ranked[[low, -1 - low]],
    )
