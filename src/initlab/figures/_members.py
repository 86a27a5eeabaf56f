"""Ensembles in pictures: the middle and the spread over members."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

LOW, HIGH = 0.05, 0.95
SPREAD_LABEL = "spread over members, 5-95 %"

# Stands for infinity in quantiles, which would otherwise compute inf - inf. A quantile
# between it and a finite number is still beyond every loss that fits a picture.
_INFINITE = np.finfo(np.float64).max / 4
_BEYOND = 1e250


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Quantiles over members; NaN where a quantile is not finite.

    Attributes:
        middle: The median.
        low: The 5 % quantile.
        high: The 95 % quantile.
    """

    middle: Float[np.ndarray, "..."]
    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]


def spread_over_members(values: xr.DataArray) -> Spread:
    """Return median and spread; a diverged member counts as infinitely large.

    To leave diverged members out would show the survivors' median.
    """
    axis = values.dims.index("member")
    numbers = values.values.astype(np.float64)
    filled = np.where(np.isfinite(numbers), numbers, _INFINITE)
    middle = np.quantile(filled, 0.5, axis=axis)
    # As in the table: a quantile is the number of a member.
    ends = np.quantile(filled, (LOW, HIGH), axis=axis, method="inverted_cdf")
    low, high = ends
    return Spread(
        middle=np.where(middle < _BEYOND, middle, np.nan),
        low=np.where(low < _BEYOND, low, np.nan),
        high=np.where(high < _BEYOND, high, np.nan),
    )
