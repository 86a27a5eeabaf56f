"""A study's statistics as rows of plain numbers, for frames and for JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from initlab import analysis


def grid_numbers(results: xr.Dataset) -> list[dict[str, Any]]:
    """Return a row for every init at every point of the grid: where training ends.

    Median final loss with the ends of its 95 % interval (NaN under 6 members), the
    share of members that diverged with Wilson's, and the number of members.

    Example:
        >>> import initlab as il
        >>> grid_numbers(il.run(il.Study(inits=["zeros"], steps=10)))[0]["members"]
        1
    """
    found = analysis.cell_statistics(results).sel(estimate="median")
    return [
        place
        | _estimate("median", here["final_loss"], here["final_loss_interval"])
        | _estimate("diverged", here["diverged"], here["diverged_interval"])
        | {"members": results.sizes["member"]}
        for place, here in _rows(found, found["diverged"].dims)
    ]


def target_numbers(
    results: xr.Dataset, target: float | None = None
) -> list[dict[str, Any]]:
    """Return a row for every init at every point: how long it takes to a loss.

    Args:
        results: What `initlab.run` returned.
        target: The loss; None: half the least loss of a constant output.

    Returns:
        `target`; `steps`, the median, infinite where that is not within the run, with
        the ends of its interval; `reached`, the share of members, with its own;
        `never`, members that did not arrive; `members`.
    """
    found = analysis.target_steps(results, target)
    return [
        place
        | {"target": float(here["target"])}
        | _estimate("steps", here["steps"], here["steps_interval"])
        | _estimate("reached", here["reached"], here["reached_interval"])
        | {"never": int(here["never"]), "members": results.sizes["member"]}
        for place, here in _rows(found, found["steps"].dims)
    ]


def profile_numbers(results: xr.Dataset) -> list[dict[str, Any]]:
    """Return a row per init and factor: how often it ends within it of the best."""
    return [
        {
            "init": each.init,
            "factor": factor,
            "within": within.value,
            "within_low": within.interval[0],
            "within_high": within.interval[1],
            "runs": within.members,
            "members": results.sizes["member"],
        }
        for each in analysis.performance_profiles(results)
        for factor, within in zip(each.factors, each.within, strict=True)
    ]


def _rows(
    found: xr.Dataset, dims: tuple[Any, ...]
) -> Iterator[tuple[dict[str, Any], Mapping[Any, xr.DataArray]]]:
    """Yield every place by its labels, and what was found there."""
    labels = [found[dim].values.tolist() for dim in dims]
    for index in np.ndindex(*(found.sizes[dim] for dim in dims)):
        place = {
            str(dim): values[i]
            for dim, values, i in zip(dims, labels, index, strict=True)
        }
        yield place, found.isel(dict(zip(dims, index, strict=True)))


def _estimate(name: str, value: xr.DataArray, interval: xr.DataArray) -> dict[str, Any]:
    low, high = interval.values.tolist()
    return {name: float(value), f"{name}_low": low, f"{name}_high": high}
