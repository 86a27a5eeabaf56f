"""A study cell by cell: one network, problem and learning rate each."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from initlab.analysis._finished import final_losses
from initlab.analysis._selection import OF_A_RUN
from initlab.analysis.statistics import Estimate, Share, iqm, mean, median, share
from initlab.spec import Study, from_toml, grid_label, to_toml

_ESTIMATES = {"median": median, "mean": mean, "iqm": iqm}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One point of a study's grid.

    Attributes:
        at: The point: a value for each dimension of the grid; empty without a grid.
        final_loss: By init, one number per member; NaN where it diverged.
    """

    at: Mapping[str, Any]
    final_loss: Mapping[str, Float[np.ndarray, "member"]]


def grid_of(results: xr.Dataset) -> tuple[str, ...]:
    """Return the dimensions of a study's grid, in the dataset's order."""
    return tuple(str(d) for d in results["loss"].dims if d not in OF_A_RUN)


def in_grid_order(results: xr.Dataset) -> xr.Dataset:
    """Return the results with the grid's numbers rising, as they are to be shown.

    A store that grew has its new values last.

    Example:
        >>> import initlab as il
        >>> study = il.Study(steps=10, grid={"learning_rate": [1.0, 0.1]})
        >>> in_grid_order(il.run(study)).learning_rate.values.tolist()
        [0.1, 1.0]
    """
    numeric = [
        name
        for name in grid_of(results)
        if np.issubdtype(results[name].dtype, np.number)
        and (np.diff(results[name].values) < 0).any()
    ]
    return results.sortby(numeric) if numeric else results


def cells(results: xr.Dataset) -> Iterator[Cell]:
    """Yield every point of the grid; a study without a grid is one.

    Raises:
        InvalidValueError: If networks of the study have not run yet.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros"], steps=10))
        >>> [list(cell.final_loss) for cell in cells(results)]
        [['zeros']]
    """
    grid = grid_of(results)
    final = final_losses(results).transpose(*grid, "init", "member")
    labels = [str(label) for label in results["init"].values]
    points = [results[name].values.tolist() for name in grid]
    for number, values in enumerate(product(*points)):
        where = np.unravel_index(number, tuple(len(each) for each in points))
        at_point = final.values[where] if grid else final.values
        yield Cell(
            at=dict(zip(grid, values, strict=True)),
            final_loss=dict(zip(labels, at_point, strict=True)),
        )


def cell_statistics(results: xr.Dataset) -> xr.Dataset:
    """Return what is estimated of every init in every cell, with 95 % intervals.

    Returns:
        `final_loss` `(grid..., init, estimate)` (median, mean and interquartile mean)
        with `final_loss_interval` `(..., end)`, NaN where nothing can be said; and
        `diverged`, the share of members, with `diverged_interval` (Wilson).

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros", "he_normal"], steps=10))
        >>> dict(cell_statistics(results).final_loss.sizes)
        {'init': 2, 'estimate': 3}
    """
    grid = grid_of(results)
    found = [
        [(_estimates(values), _diverged(values)) for values in cell.final_loss.values()]
        for cell in cells(results)
    ]
    shape = (*(results.sizes[name] for name in grid), results.sizes["init"])
    estimates = np.array([[_rows(each) for each, _ in cell] for cell in found])
    shares = np.array([[[d.value, *d.interval] for _, d in cell] for cell in found])
    estimates = estimates.reshape(*shape, len(_ESTIMATES), 3)
    shares = shares.reshape(*shape, 3)
    at = (*grid, "init")
    return xr.Dataset(
        {
            "final_loss": ((*at, "estimate"), estimates[..., 0]),
            # No loss is below 0: the part of a Student's interval below it means
            # nothing.
            "final_loss_interval": (
                (*at, "estimate", "end"),
                np.maximum(estimates[..., 1:], 0.0),
            ),
            "diverged": (at, shares[..., 0]),
            "diverged_interval": ((*at, "end"), shares[..., 1:]),
        },
        coords={name: results[name] for name in at}
        | {"estimate": list(_ESTIMATES), "end": ["low", "high"]},
    )


def _estimates(values: Float[np.ndarray, "member"]) -> list[Estimate]:
    return [estimate(values, worst=np.inf) for estimate in _ESTIMATES.values()]


def _rows(estimates: list[Estimate]) -> list[list[float]]:
    nothing = (np.nan, np.nan)
    return [[each.value, *(each.interval or nothing)] for each in estimates]


def _diverged(values: Float[np.ndarray, "member"]) -> Share:
    return share(int(np.isnan(values).sum()), len(values))


def as_run(results: xr.Dataset) -> xr.Dataset:
    """Return what is left of a grid, if that is one cell, as the study that ran there.

    Results of a larger grid, or of a study without one, are returned as they are.

    Args:
        results: Every dimension of the grid is there, of length 1 if it was selected.
    """
    if results.attrs.get("kind") != "grid":
        return results
    grid = grid_of(results)
    if any(results.sizes[name] > 1 for name in grid):
        return results
    study = from_toml(results.attrs["spec"])
    assert study.grid is not None
    place = tuple(
        [grid_label(value) for value in values].index(results[name].values.item())
        for name, values in zip(study.dimensions, study.grid.values(), strict=True)
    )
    (cell,) = (each.study for each in study.cells() if each.index == place)
    one = results.squeeze(grid, drop=True)
    if "units" in one:  # layers that only deeper networks have
        one = one.isel(layer=np.isfinite(one["units"].values))
        one = one.assign(units=one["units"].astype(np.int64))
        cell = _fitted(cell, one)
    tested = [name for name in one if str(name).startswith("test_")]
    has_tests = any(bool(one[name].notnull().any()) for name in tested)
    return one.assign_attrs(
        kind="run", spec=to_toml(cell), test_examples=int(has_tests)
    )


def _fitted(cell: Study, one: xr.Dataset) -> Study:
    """Return the cell's study with the widths and the loss that its data gave it."""
    units = one["units"].values.tolist()
    # A grid over problems keeps no features; causes ask for layers alone.
    features = len(json.loads(one.attrs["feature_names"])) or 1
    classified = "binary" if units[-1] == 1 else "softmax"
    natural = f"{classified}_cross_entropy"
    sizes = {"widths": (features, *units), "depth": None, "width": None}
    return cell.model_copy(
        update={
            "network": cell.network.model_copy(update=sizes),
            "loss": cell.loss
            or ("mean_squared_error" if "train_r2" in one else natural),
        }
    )
