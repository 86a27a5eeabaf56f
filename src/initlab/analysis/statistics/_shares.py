"""Shares of members, with Wilson's interval."""

from dataclasses import dataclass

import numpy as np
import scipy

from initlab.analysis.statistics._members import CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the members something is true of.

    Attributes:
        count: Of these it is true.
        members: Of so many; of runs, where each member has several.
        interval: Where the share lies, with 95 % confidence.
    """

    count: int
    members: int
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.count / self.members


def share(count: int, members: int, *, independent: int | None = None) -> Share:
    """Return a share of members with Wilson's interval.

    Args:
        count: Of these it is true.
        members: Of so many.
        independent: How many of them tell something new; None: all. Runs that share
            a member are no more than one: the interval is as wide as if they always
            agreed, which is the worst that they can do.

    Example:
        >>> found = share(42, 200)
        >>> found.value, [round(end, 2) for end in found.interval]
        (0.21, [0.16, 0.27])

    References:
        Wilson (1927), Probable inference, J. Am. Statist. Assoc. 22, 209-212
    """
    assert 0 <= count <= members > 0
    if independent is None:
        bounds = scipy.stats.binomtest(count, members).proportion_ci(
            CONFIDENCE, "wilson"
        )
        interval = (float(bounds.low), float(bounds.high))
    else:
        assert 0 < independent <= members
        interval = _wilson(count / members, independent)
    return Share(count=count, members=members, interval=interval)


def _wilson(value: float, size: int) -> tuple[float, float]:
    """Return Wilson's interval of a share among `size`, of which it need be no count.

    SciPy's takes counts only.
    """
    z = float(scipy.special.ndtri((1 + CONFIDENCE) / 2))
    centre = (value + z**2 / (2 * size)) / (1 + z**2 / size)
    spread = value * (1 - value) / size + z**2 / (4 * size**2)
    half = z * float(np.sqrt(spread)) / (1 + z**2 / size)
    # At the ends they are exact, whatever the rounding.
    low = 0.0 if value == 0 else max(0.0, centre - half)
    high = 1.0 if value == 1 else min(1.0, centre + half)
    return low, high
