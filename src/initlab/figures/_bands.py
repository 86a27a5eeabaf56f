"""What is shaded around a curve: the members' spread, or the median's interval."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from initlab.analysis.statistics import Bands
from initlab.errors import InvalidValueError
from initlab.figures._members import SPREAD_LABEL

_LABELS = {"spread": SPREAD_LABEL, "interval": "95 % interval of the median"}
FEWEST_FOR_AN_INTERVAL = 6


def band_label(band: str) -> str:
    """Return what a picture calls the band."""
    return _LABELS[band]


def ends_of(found: Bands, band: str) -> Float[np.ndarray, "2 step"]:
    """Return the band's lower and upper end at every record."""
    if band == "spread":
        return found.spread
    assert found.interval is not None
    return found.interval


def refuse_unknown_band(results: xr.Dataset, band: str) -> None:
    """Make sure that the results have the band.

    Raises:
        InvalidValueError: If there is no such band, or too few members for it.
    """
    if band not in _LABELS:
        raise InvalidValueError(
            f"{' or '.join(_LABELS)}, got {band!r}", argument="band"
        )
    members = results.sizes["member"]
    if band == "interval" and members < FEWEST_FOR_AN_INTERVAL:
        raise InvalidValueError(
            f"interval needs at least {FEWEST_FOR_AN_INTERVAL} members, these "
            f"results have {members}; use band='spread'",
            argument="band",
        )
