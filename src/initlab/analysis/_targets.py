"""How long every init takes to a target loss, in every cell of a study."""

import math
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from initlab.analysis._cells import grid_of
from initlab.analysis._finished import refuse_unfinished, stopping_loss
from initlab.analysis.statistics import StepsTo, steps_to
from initlab.errors import InvalidValueError

# A constant output has learned nothing; half of its loss is well under way, and is
# known before any network is trained, so that no init's result decides the target.
SHARE_OF_CONSTANT = 0.5


def target_losses(results: xr.Dataset, target: float | None = None) -> xr.DataArray:
    """Return the loss to reach in every cell, in the loss's unit, `(grid...)`.

    Args:
        results: What `initlab.run` returned.
        target: The same for all cells; None: half the least loss of a constant
            output, which differs between problems, or where the study's members stop
            if that is more.

    Raises:
        InvalidValueError: If it is no loss, or under the one where members stop.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros"], steps=10))
        >>> round(float(target_losses(results)), 4)  # of ln 2
        0.3466
    """
    if target is not None and not _is_loss(target):
        raise InvalidValueError(
            f"a finite loss of 0 or more, got {target!r}", argument="target"
        )
    limit = stopping_loss(results) or 0.0
    constant = results["baseline_loss"].transpose(*grid_of(results))
    if target is None:
        return (constant * SHARE_OF_CONSTANT).clip(min=limit)
    if target < limit:
        raise InvalidValueError(
            f"members of this study stop at a loss of {limit:g}, so nothing is "
            f"known of less, got {target:g}",
            argument="target",
        )
    return xr.full_like(constant, target, dtype=np.float64)


def target_steps(results: xr.Dataset, target: float | None = None) -> xr.Dataset:
    """Return when the members of every init reach a loss, in every cell.

    Members that did not arrive within the run, diverged ones among them, are censored
    at its last record: of them it is known only that they take longer. All are
    censored at the same step, so quantiles need no model; one that falls among them is
    infinite, "not within the run".

    Args:
        results: What `initlab.run` returned.
        target: The loss; None: of `target_losses`.

    Returns:
        `target` `(grid...)`; `steps` `(grid..., init)`, the median of the members'
        first recorded step at or under it, with `steps_interval` `(..., end)`, NaN
        under 6 members; `reached`, the share of members that arrived, with
        `reached_interval` (Wilson); `never`, how many did not.

    Raises:
        InvalidValueError: If the target is no loss, or networks of the study have not
            run yet.

    Example:
        >>> import initlab as il
        >>> inits = ["zeros", "he_normal"]
        >>> study = il.Study(problem="moons", inits=inits, members=8, steps=200,
        ...                  learning_rate=0.5)
        >>> results = il.run(study)
        >>> target_steps(results, 0.3).never.values.tolist()
        [8, 0]

    References:
        Kaplan & Meier (1958), J. Am. Statist. Assoc. 53, 457-481: with one common
        step of censoring their estimate is the share of all members that arrived
    """
    refuse_unfinished(results)
    grid = grid_of(results)
    at = (*grid, "init")
    targets = target_losses(results, target)
    loss = results["loss"].transpose(*at, "member", "step").values
    recorded = results["step"].values
    shape = loss.shape[:-2]
    steps, reached = np.empty((*shape, 3)), np.empty((*shape, 3))
    never = np.empty(shape, dtype=np.int64)
    for place in np.ndindex(shape):
        found = steps_to(float(targets.values[place[:-1]]), loss[place], recorded)
        steps[place] = _steps(found)
        reached[place] = (found.reached.value, *found.reached.interval)
        never[place] = found.reached.members - found.reached.count
    updates = {"units": "updates"}
    return xr.Dataset(
        {
            "target": targets.variable,
            "steps": (at, steps[..., 0], updates),
            "steps_interval": ((*at, "end"), steps[..., 1:], updates),
            "reached": (at, reached[..., 0], {"units": "1"}),
            "reached_interval": ((*at, "end"), reached[..., 1:], {"units": "1"}),
            "never": (at, never, {"units": "members"}),
        },
        coords={name: results[name] for name in at} | {"end": ["low", "high"]},
    )


def _steps(found: StepsTo) -> tuple[float, float, float]:
    return (found.steps.median, *(found.steps.interval or (np.nan, np.nan)))


def _is_loss(target: Any) -> bool:
    is_number = isinstance(target, Real) and not isinstance(target, bool)
    return is_number and math.isfinite(target) and target >= 0
