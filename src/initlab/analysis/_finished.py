"""Where training ended, of whatever has run.

What has not run is not known: it is neither diverged nor alike.
"""

import xarray as xr

from initlab.errors import InvalidValueError
from initlab.results import NOT_RUN
from initlab.spec import from_toml


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
            f"{missing:,} of {results['diverged_step'].size:,} networks have "
            "not run yet; run the study to its end first, or select what is finished",
            argument="results",
        )


def final_losses(results: xr.Dataset) -> xr.DataArray:
    """Return the training losses of the last record, without `step`.

    A member that stopped at the study's `stop_at_loss` has that loss: how far below it
    is at the record where this is seen is chance, and no init ends below another there.

    Raises:
        InvalidValueError: If networks of the study have not run yet.

    Example:
        >>> import initlab as il
        >>> study = il.Study(inits=["he_normal"], steps=500, stop_at_loss=0.75)
        >>> final_losses(il.run(study)).values.tolist()
        [[0.75]]
    """
    refuse_unfinished(results)
    final = results["loss"].isel(step=-1)
    limit = stopping_loss(results)
    return final if limit is None else final.where(results["stopped_step"] < 0, limit)


def stopping_loss(results: xr.Dataset) -> float | None:
    """Return the loss at which the study's members stop; None: nowhere."""
    if "stopped_step" not in results:
        return None
    return from_toml(results.attrs["spec"]).stop_at_loss
