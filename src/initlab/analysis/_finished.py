"""Where training ended, for the networks that have run.

Nothing is known of the others: they have neither diverged nor ended level.
"""

import xarray as xr

from initlab.errors import InvalidValueError
from initlab.results import NOT_RUN
from initlab.spec import from_toml


def refuse_unfinished(results: xr.Dataset) -> None:
    """Make sure that every network has run: others would look as if they had diverged.

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

    A member that stopped at the study's `stop_at_loss` counts as having that loss. How
    far below it the member was at the next record is chance, and ranks no init.

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
