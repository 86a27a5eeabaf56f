"""How often each init is near the best one, over a whole study."""

import numpy as np
import xarray as xr

from initlab.analysis._cells import cells
from initlab.analysis.statistics import FACTORS, Profile, profiles
from initlab.errors import InvalidValueError


def performance_profiles(
    results: xr.Dataset, *, factors: tuple[float, ...] = FACTORS
) -> tuple[Profile, ...]:
    """Return in how many runs each init ends within a factor of the best one.

    A run is a member in a cell of the grid; the best is the init whose final training
    loss is the least in that run. Cells count alike, so a profile is of this grid, and
    of no other. A member's runs share their random streams, so that intervals count
    them as one run, and are too wide rather than too narrow.

    Args:
        results: What `initlab.run` returned.
        factors: At least 1, rising.

    Returns:
        One profile per init; a share of all runs for every factor.

    Raises:
        InvalidValueError: If there is one init, which is always the best, or a factor
            is under 1.

    Example:
        >>> import initlab as il
        >>> study = il.Study(members=8, steps=200, grid={"learning_rate": [0.01, 0.1]})
        >>> [each.within[0].members for each in performance_profiles(il.run(study))]
        [16, 16, 16]

    References:
        Dolan & More (2002), Benchmarking optimization software with performance
        profiles, eq. 2.1, https://arxiv.org/abs/cs/0102001
    """
    if results.sizes["init"] < 2:
        raise InvalidValueError(
            "a profile needs at least 2, these results have 1", argument="inits"
        )
    if not all(factor >= 1 for factor in factors):
        raise InvalidValueError(f"each at least 1, got {factors}", argument="factors")
    runs: dict[str, list[np.ndarray]] = {}
    for cell in cells(results):
        for init, losses in cell.final_loss.items():
            runs.setdefault(init, []).append(losses)
    return profiles(
        {init: np.concatenate(each) for init, each in runs.items()},
        factors=factors,
        members=results.sizes["member"],
    )
