"""Two inits on the same members: how much, how often, and whether it is settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import scipy
from jaxtyping import Float

from initlab.analysis.statistics._members import CONFIDENCE
from initlab.analysis.statistics._shares import Share, share
from initlab.analysis.statistics._typical import Estimate, median


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How often one init ended below another, on the same members.

    Attributes:
        first, second: Labels.
        quantity: What ended below.
        below, ties, members: Counts.
        interval: 95 % confidence interval of the share that ends below (Wilson),
            among the members that are no tie; None without any.
    """

    first: str
    second: str
    quantity: str
    below: int
    ties: int
    members: int
    interval: tuple[float, float] | None


def pair(
    first: str,
    second: str,
    quantity: str,
    values: tuple[Float[np.ndarray, "member"], Float[np.ndarray, "member"]],
    *,
    worst: float,
) -> Pair:
    """Return how often the first's number is below the second's, member by member.

    Args:
        first: Label of the first.
        second: Label of the second.
        quantity: What is compared.
        values: One number per member each; NaN where a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.
    """
    a, b = (np.where(np.isnan(v), worst, v) for v in values)
    below, ties = int((a < b).sum()), int((a == b).sum())
    decided = len(a) - ties
    return Pair(
        first=first,
        second=second,
        quantity=quantity,
        below=below,
        ties=ties,
        members=len(a),
        interval=share(below, decided).interval if decided else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How the first's number differs from the second's, member by member.

    Attributes:
        first, second: Labels.
        difference: Median over members of first minus second.
        ratio: Median over members of first over second, the effect's size as a
            factor; None unless all numbers are positive.
        below: Members whose first is below their second, of those that differ: the
            probability of improvement, where less is better; None: all are ties.
        ties: Members without a difference.
        p_value: Of the sign test: as far from even, were the order a coin's toss.
        adjusted: The same, corrected for the number of pairs that are looked at.
    """

    first: str
    second: str
    difference: Estimate
    ratio: Estimate | None
    below: Share | None
    ties: int
    p_value: float
    adjusted: float

    @property
    def dominance(self) -> Estimate:
        """Share above minus share below, in [-1, 1]: the effect's size, unit-free.

        References:
            Cliff (1993), Dominance statistics, Psychol. Bull. 114, eq. 2, for pairs
        """
        if self.below is None:
            return Estimate(value=0.0, interval=None)
        low, high = self.below.interval
        return Estimate(
            value=1 - 2 * self.below.value, interval=(1 - 2 * high, 1 - 2 * low)
        )

    @property
    def settled(self) -> bool:
        """Whether the order holds up among all pairs, and in the share's interval."""
        if self.below is None:
            return False
        low, high = self.below.interval
        return self.adjusted < 1 - CONFIDENCE and not low <= 0.5 <= high


def differences(
    values: Mapping[str, Float[np.ndarray, "member"]], *, worst: float
) -> tuple[Difference, ...]:
    """Return how every two inits differ, corrected for their number.

    Args:
        values: By label, one number per member, members in the same order; NaN where
            a member diverged.
        worst: What NaN counts as: `inf` for a loss, `-inf` for a score.

    Example:
        >>> found, = differences(
        ...     {"a": np.arange(20.0), "b": np.arange(20.0) + 3}, worst=np.inf
        ... )
        >>> found.difference.value, found.below.count, found.settled
        (-3.0, 20, True)
    """
    pairs = [
        _difference(first, second, (values[first], values[second]), worst=worst)
        for first, second in combinations(values, 2)
    ]
    adjusted = holm([each.p_value for each in pairs])
    return tuple(
        replace(each, adjusted=p) for each, p in zip(pairs, adjusted, strict=True)
    )


def _difference(
    first: str,
    second: str,
    values: tuple[Float[np.ndarray, "member"], Float[np.ndarray, "member"]],
    *,
    worst: float,
) -> Difference:
    a, b = (np.where(np.isnan(each), worst, each) for each in values)
    same = a == b  # both diverged, too
    below, ties = int((a < b).sum()), int(same.sum())
    decided = len(a) - ties
    p_value = float(scipy.stats.binomtest(below, decided).pvalue) if decided else 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(same, 0.0, a - b)
        factors = np.where(same, 1.0, a / b)
    positive = bool((a > 0).all() and (b > 0).all())
    return Difference(
        first=first,
        second=second,
        difference=median(apart, worst=worst),
        ratio=median(factors, worst=worst) if positive else None,
        below=share(below, decided) if decided else None,
        ties=ties,
        p_value=p_value,
        adjusted=p_value,
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values corrected for their number: one error in 20 among them all.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]

    References:
        Holm (1979), A simple sequentially rejective multiple test procedure,
        Scand. J. Statist. 6, 65-70
    """
    ranked = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values)[ranked] * factors)
    adjusted = np.empty(len(p_values))
    adjusted[ranked] = np.minimum(stepped, 1)
    return tuple(adjusted.tolist())
