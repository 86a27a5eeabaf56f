"""Shares of members, with Wilson's interval."""

from dataclasses import dataclass

from scipy import stats

from initlab.analysis.statistics._members import CONFIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the members something is true of.

    Attributes:
        count: Of these it is true.
        members: Of so many.
        interval: Where the share lies, with 95 % confidence.
    """

    count: int
    members: int
    interval: tuple[float, float]

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.count / self.members


def share(count: int, members: int) -> Share:
    """Return a share of members with Wilson's interval.

    Example:
        >>> found = share(42, 200)
        >>> found.value, [round(end, 2) for end in found.interval]
        (0.21, [0.16, 0.27])

    References:
        Wilson (1927), Probable inference, J. Am. Statist. Assoc. 22, 209-212
    """
    assert 0 <= count <= members > 0
    bounds = stats.binomtest(count, members).proportion_ci(CONFIDENCE, "wilson")
    interval = (float(bounds.low), float(bounds.high))
    return Share(count=count, members=members, interval=interval)
