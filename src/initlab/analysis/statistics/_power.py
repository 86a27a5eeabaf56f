"""How many members it takes until the order of two inits is settled."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
import scipy

from initlab.analysis.statistics._members import CONFIDENCE
from initlab.analysis.statistics._paired import Pair
from initlab.errors import InvalidValueError

POWER = 0.9
MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Whether two inits' order is settled, and with how many members it would be.

    Attributes:
        pair: What was counted.
        settled: Whether the order holds up among all comparisons, and in the share's
            interval, as for `Difference.settled`.
        needed: Members, if the share is the one that was seen; None: more than a
            million, or the share is one half.
        needed_range: The same at the two ends of the share's interval, fewest first;
            None as the second: one end is one half, so no number is enough there.
    """

    pair: Pair
    settled: bool
    needed: int | None
    needed_range: tuple[int | None, int | None]


def order(
    pair: Pair,
    *,
    power: float = POWER,
    adjusted: float | None = None,
    comparisons: int = 1,
) -> Order:
    """Return how settled a pair's order is.

    Args:
        pair: Counts, with the interval of the share.
        power: How often a study of so many members would settle the order, in (0, 1).
        adjusted: The p-value of its sign test, corrected for all comparisons that are
            looked at (`holm`); None: this pair is the only one.
        comparisons: How many these are.

    Example:
        >>> from initlab.analysis.statistics import pair
        >>> seen = (np.arange(50.0), np.arange(50.0) + np.tile([1, 1, 1, 1, -1], 10))
        >>> found = order(pair("a", "b", "loss", seen, worst=np.inf))
        >>> found.settled, found.needed, found.needed_range
        (True, 30, (15, 97))
    """
    decided = pair.members - pair.ties
    if pair.interval is None:
        return Order(pair=pair, settled=False, needed=None, needed_range=(None, None))
    low, high = pair.interval
    if adjusted is None:
        adjusted = float(scipy.stats.binomtest(pair.below, decided).pvalue)
    apart = not low <= 0.5 <= high
    seen, *ends = (
        _over_ties(
            members_needed(share, power=power, comparisons=comparisons),
            decided / pair.members,
        )
        for share in (pair.below / decided, low, high)
    )
    known = sorted(each for each in ends if each is not None)
    return Order(
        pair=pair,
        settled=adjusted < 1 - CONFIDENCE and apart,
        needed=seen,
        needed_range=(
            known[0] if known else None,
            known[-1] if apart and None not in ends else None,
        ),
    )


def _over_ties(decided: int | None, deciding: float) -> int | None:
    """Return members for so many that are no tie."""
    return None if decided is None else int(np.ceil(decided / deciding))


def members_needed(
    share: float, *, power: float = POWER, comparisons: int = 1
) -> int | None:
    """Return how many members settle the order of two inits.

    From this number on, a study finds that the order holds up in `power` of the cases
    (exact binomial probabilities of the sign test). Among several comparisons that is
    so whatever the others show: Holm's correction multiplies a p-value by their number
    at most.

    Args:
        share: Of the members in which one init truly ends below the other, in [0, 1].
        power: In (0, 1).
        comparisons: How many orders the study looks at.

    Returns:
        None if it is more than a million, as it is at one half.

    Raises:
        InvalidValueError: If an argument is out of its range.

    Example:
        >>> members_needed(0.79), members_needed(0.55), members_needed(0.5)
        (33, 1080, None)
        >>> members_needed(0.79, comparisons=3)
        38
    """
    if comparisons < 1:
        raise InvalidValueError(
            f"at least 1, got {comparisons}", argument="comparisons"
        )
    if not (isinstance(share, Real) and 0 <= share <= 1):
        raise InvalidValueError(
            f"a number from 0 to 1, got {share!r}", argument="share"
        )
    if not (isinstance(power, Real) and 0 < power < 1):
        raise InvalidValueError(
            f"a number between 0 and 1, got {power!r}", argument="power"
        )
    larger = max(share, 1 - share)
    # A normal approximation says where to look; a power that wavers with the number
    # of members (counts are whole) is looked at member by member around there.
    effect = larger - 0.5
    if effect <= 0:
        return None
    level = (1 - CONFIDENCE) / 2 / comparisons
    quantiles = scipy.stats.norm.isf(level), scipy.stats.norm.ppf(power)
    spread = np.sqrt(larger * (1 - larger))
    about = ((0.5 * quantiles[0] + spread * max(quantiles[1], 0)) / effect) ** 2
    if about > MOST:
        return None
    # A count more or less is worth 1 / effect members, at most the root of `about`, and
    # the approximation is a few counts off. Of 390 shares and powers, looking at twice
    # as many members as `about` found no other number (and took 20 times as long).
    reach = int(8 * np.sqrt(about)) + 50
    stop = int(about) + reach
    while stop > 1:
        members = np.arange(max(1, stop - 2 * reach), stop)
        least = _least_settling(members, level)
        short = np.flatnonzero(scipy.stats.binom.sf(least - 1, members, larger) < power)
        if len(short):
            return int(members[short[-1]] + 1)
        stop = int(members[0])  # of a small power, it is further down
    return 1


def _least_settling(members: np.ndarray, level: float) -> np.ndarray:
    """Return, for these members, the least counts that a coin rarely reaches."""
    return scipy.stats.binom.isf(level, members, 0.5).astype(np.int64) + 1
