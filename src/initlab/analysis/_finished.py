"""What has not run is not known: it is neither diverged nor alike."""

import xarray as xr

from initlab.errors import InvalidValueError
from initlab.results import NOT_RUN


def refuse_unfinished(results: xr.Dataset) -> None:
    """Make sure that no network that has not run is taken for one that diverged.

    Raises:
        InvalidValueError: If networks of the study have not run yet.
    """
    if "diverged_step" not in results:
        return
    missing = int((results["diverged_step"] == NOT_RUN).sum())
    if missing:
        raise InvalidValueError(
            f"results: {missing:,} of {results['diverged_step'].size:,} networks have "
            "not run yet; run the study to its end first, or select what is finished"
        )
