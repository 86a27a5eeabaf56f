"""Performance profiles: how often an init is within a factor of the best."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from initlab.analysis.statistics._shares import Share, share

FACTORS = (1.0, 1.1, 1.5, 2.0, 5.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Of one init, the runs that end within each factor of the best init's.

    Attributes:
        init: Label.
        factors: At least 1, rising.
        within: One share of all runs per factor.
    """

    init: str
    factors: tuple[float, ...]
    within: tuple[Share, ...]


def profiles(
    losses: Mapping[str, Float[np.ndarray, "run"]],
    *,
    factors: tuple[float, ...] = FACTORS,
    members: int | None = None,
) -> tuple[Profile, ...]:
    """Return one profile per init.

    Args:
        losses: By label, one number per run (member of a cell, the same order for
            all), not negative; NaN where it diverged: within no factor.
        factors: At least 1, rising.
        members: Of whom the runs are, several each; None: one run per member. A
            member's runs share random streams, so intervals count them as one.

    Example:
        >>> found = profiles({"a": np.array([1.0, 3.0]), "b": np.array([2.0, 2.0])})
        >>> [each.within[0].count for each in found]
        [1, 1]

    References:
        Dolan & More (2002), Benchmarking optimization software with performance
        profiles, eq. 2.1, https://arxiv.org/abs/cs/0102001
    """
    table = np.stack(
        [np.where(np.isnan(each), np.inf, each) for each in losses.values()]
    )
    best = table.min(axis=0)
    return tuple(
        Profile(
            init=init,
            factors=factors,
            within=tuple(
                share(
                    int((np.isfinite(row) & (row <= factor * best)).sum()),
                    len(row),
                    independent=members,
                )
                for factor in factors
            ),
        )
        for init, row in zip(losses, table, strict=True)
    )
