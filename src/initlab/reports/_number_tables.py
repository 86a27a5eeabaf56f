"""A page's tables of numbers, each with its interval and its count of members."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from initlab import analysis
from initlab.messages import about_cells, about_profiles, about_target
from initlab.reports._html import PageTable

# The factors of a profile that have a column.
_FACTORS = (1.0, 1.5, 2.0, 10.0)
_ESTIMATES = {"median": "median", "iqm": "interquartile mean", "mean": "mean"}


def cell_table(results: xr.Dataset) -> PageTable:
    """Return where training ends, a row for every init at every point of the grid."""
    found = analysis.cell_statistics(results)
    grid = analysis.grid_of(results)
    members = results.sizes["member"]
    rows = []
    for at, place in _places(found["diverged"]):
        here = found.isel(at)
        rows.append(
            [
                *place,
                *(
                    _with_interval(
                        float(here["final_loss"].sel(estimate=name)),
                        here["final_loss_interval"].sel(estimate=name).values,
                    )
                    for name in _ESTIMATES
                ),
                _percent(float(here["diverged"]), here["diverged_interval"].values),
            ]
        )
    return PageTable(
        heading="Where training ends",
        about=about_cells(
            members=members, stop_at_loss=analysis.stopping_loss(results)
        ),
        headers=(*grid, "init", *_ESTIMATES.values(), "diverged"),
        rows=rows,
        labels=len(grid) + 1,
    )


def steps_table(results: xr.Dataset, target: float | None) -> PageTable:
    """Return how long every init takes to a loss, at every point of the grid."""
    found = analysis.target_steps(results, target)
    grid = analysis.grid_of(results)
    members = results.sizes["member"]
    recorded = results["step"].values
    last = int(recorded[-1])
    rows = []
    for at, place in _places(found["steps"]):
        here = found.isel(at)
        rows.append(
            [
                *place,
                f"{float(here['target']):.4g}",
                _steps_with_interval(
                    float(here["steps"]), here["steps_interval"].values, last
                ),
                _percent(float(here["reached"]), here["reached_interval"].values),
                f"{int(here['never'])} of {members}",
            ]
        )
    return PageTable(
        heading="Steps to a target loss",
        about=about_target(
            target,
            members=members,
            every=int(recorded[1] - recorded[0]),
            last=last,
            reached=bool((found["never"] < members).any()),
            stop_at_loss=analysis.stopping_loss(results),
        ),
        headers=(
            *grid, "init", "target", "median of steps", "reached",
            f"not within {last:,} steps",
        ),
        rows=rows,
        labels=len(grid) + 1,
    )  # fmt: skip


def profile_table(results: xr.Dataset) -> PageTable:
    """Return how often each init is near the best one, over the whole grid."""
    found = analysis.performance_profiles(results, factors=_FACTORS)
    return PageTable(
        heading="How often an init is near the best",
        about=about_profiles(
            members=results.sizes["member"], runs=found[0].within[0].members
        ),
        headers=(
            "init", "the best", *(f"within {f:g} times" for f in _FACTORS[1:]),
        ),
        rows=[
            [
                each.init,
                *(_percent(share.value, share.interval) for share in each.within),
            ]
            for each in found
        ],
        labels=1,
    )  # fmt: skip


def _places(
    values: xr.DataArray,
) -> Iterator[tuple[Mapping[str, int], list[str]]]:
    """Yield the index of every row's place, and its labels as text."""
    dims = [str(dim) for dim in values.dims]
    for index in np.ndindex(values.shape):
        at = dict(zip(dims, index, strict=True))
        yield at, [_label(values[dim].values[i]) for dim, i in at.items()]


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _with_interval(value: float, interval: np.ndarray) -> str:
    text = _number(value)
    if np.isnan(interval).any():
        return text
    return f"{text} [{', '.join(_number(float(end)) for end in interval)}]"


def _number(value: float) -> str:
    # Three digits of three estimates with their intervals fit a page's width.
    return f"{value:.3g}" if np.isfinite(value) else "not finite"


def _steps_with_interval(value: float, interval: np.ndarray, last: int) -> str:
    def steps(number: float) -> str:
        return f"{number:,.0f}" if np.isfinite(number) else f"> {last:,}"

    if np.isnan(interval).any():
        return steps(value)
    return f"{steps(value)} [{', '.join(steps(float(end)) for end in interval)}]"


def _percent(value: float, interval: Sequence[float] | np.ndarray) -> str:
    low, high = interval
    return f"{100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
