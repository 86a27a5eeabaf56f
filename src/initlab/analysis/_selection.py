"""What may be asked about: results as they came, or an ordinary selection of them."""

from typing import Any

import numpy as np
import xarray as xr

from initlab.analysis._run import SUMMARIES
from initlab.errors import InvalidValueError
from initlab.results import SCHEMA
from initlab.spec import from_toml

# What every run has; whatever else a loss is spread over is the study's grid.
OF_A_RUN = ("init", "member", "step")
_TRAINED = ("run", "grid")
# The dataset of a checked model has no inits to select.
_AS_IT_IS = "check"
_OF_MEMBER_0 = tuple(
    name
    for name, variable in SCHEMA.items()
    if {"stage", "grid_x"} & set(variable.dims)
)
_NEEDED = ("loss", "diverged_step", "baseline_loss")


def selected(results: Any) -> xr.Dataset:
    """Return the results with the dimensions that selecting a single value dropped.

    `results.sel(init="zeros")` no longer has the dimension `init`, only a label; here
    it gets it back, of length 1, so that no reader of a dataset needs to ask.

    Args:
        results: What `initlab.run` or `initlab.signal` returned, or a selection of it.

    Raises:
        InvalidValueError: If it is something else, as a mean over members or records
            that do not begin at step 0; the message names the dimension.

    Example:
        >>> import initlab as il
        >>> results = il.run(il.Study(inits=["zeros", "he_normal"], steps=10))
        >>> dict(selected(results.sel(init="zeros", member=0)).loss.sizes)
        {'init': 1, 'member': 1, 'step': 2}
    """
    if not isinstance(results, xr.Dataset):
        raise InvalidValueError(
            f"what initlab.run returned, got {type(results).__name__}",
            argument="results",
        )
    kind = results.attrs.get("kind", "run")
    if kind == _AS_IT_IS:
        return results
    for dim in OF_A_RUN:
        _refuse_without(results, dim)
    if "spec" not in results.attrs or kind not in (*_TRAINED, "signal"):
        raise InvalidValueError(
            "attributes of initlab's are missing, which computing with a "
            "dataset may drop; give what initlab.run returned, or a selection of it",
            argument="results",
        )
    grid = from_toml(results.attrs["spec"]).dimensions if kind == "grid" else ()
    for dim in grid:
        _refuse_without(results, dim)
    whole = _restored(results, grid)
    if kind in _TRAINED:
        _refuse_unusable(whole, kind)
        return _without_pictures_of_others(whole)
    return whole


def _refuse_without(results: xr.Dataset, dim: str) -> None:
    if dim not in results.coords:
        raise InvalidValueError(
            f"{dim} is missing, as after a mean over it; give what "
            f"initlab.run returned, or a selection of it, without drop=True",
            argument="results",
        )
    if dim in results.dims and not results.sizes[dim]:
        raise InvalidValueError(
            f"no {dim} is left; select at least one", argument="results"
        )


def _restored(results: xr.Dataset, grid: tuple[str, ...]) -> xr.Dataset:
    lost = [dim for dim in (*grid, *OF_A_RUN) if dim not in results.dims]
    variables = {}
    for name, array in results.data_vars.items():
        if name not in SCHEMA:
            continue
        own = (*grid, *SCHEMA[str(name)].dims)
        found = [dim for dim in own if dim in lost or dim in array.dims]
        if tuple(found) != array.dims and set(array.dims) <= set(found):
            gone = [dim for dim in found if dim not in array.dims]
            wide: xr.Variable = array.variable.set_dims(  # type: ignore[no-untyped-call]
                [*gone, *map(str, array.dims)]
            )
            variables[name] = wide.transpose(*found)
    if not variables:
        return results
    labels = {
        dim: (dim, results[dim].values.reshape(1), results[dim].attrs) for dim in lost
    }
    return results.drop_vars(lost).assign(variables).assign_coords(labels)


def _without_pictures_of_others(results: xr.Dataset) -> xr.Dataset:
    """Drop what was recorded of member 0 alone, where member 0 was not selected."""
    if 0 in results["member"].values:
        return results
    return results.drop_vars([name for name in _OF_MEMBER_0 if name in results])


def _refuse_unusable(results: xr.Dataset, kind: str) -> None:
    needed = _NEEDED if kind == "grid" else (*_NEEDED, *SUMMARIES, "units")
    for name in needed:
        if name not in results:
            raise InvalidValueError(
                f"{name} is missing; give all variables of what initlab.run "
                "returned for a study that records scores and layers",
                argument="results",
            )
    if kind == "run":
        _refuse_part_of_a_network(results)
    steps = results["step"].values
    if len(steps) < 2 or steps[0] != 0 or (np.diff(steps) <= 0).any():
        raise InvalidValueError(
            "step must begin with 0, which is where networks start, and have "
            f"a later record, got {', '.join(map(str, steps[:3]))}",
            argument="results",
        )


def _refuse_part_of_a_network(results: xr.Dataset) -> None:
    layers = from_toml(results.attrs["spec"]).network.layers
    if results["units"].dims != ("layer",) or results.sizes["layer"] != layers:
        raise InvalidValueError(
            f"layer: all {layers} layers are needed, got {results['units'].size}",
            argument="results",
        )
    if not {"train_accuracy", "train_r2"} & set(results):
        raise InvalidValueError(
            "train_accuracy, or train_r2, is missing; give all variables of "
            "what initlab.run returned for a study that records scores and layers",
            argument="results",
        )
