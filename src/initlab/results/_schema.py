"""The one dataset schema: which variables, on which dimensions, in which units.

Dimensions are the vocabulary's: `init`, `member`, `step`, `layer`. Producers hand in
arrays; everything after this room reads datasets only.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

SCHEMA_VERSION = 1

_RUN = ("init", "member")
_TRACE = (*_RUN, "step")
_LAYER = (*_TRACE, "layer")
_HISTOGRAM = ("init", "stage", "layer")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's dimensions, unit, and what it is."""

    dims: tuple[str, ...]
    units: str
    about: str


SCHEMA: Mapping[str, Variable] = MappingProxyType(
    {
        "loss": Variable(_TRACE, "loss", "training loss before the step's update"),
        "train_accuracy": Variable(_TRACE, "1", "share of training examples right"),
        "test_accuracy": Variable(_TRACE, "1", "share of test examples right"),
        "train_r2": Variable(_TRACE, "1", "coefficient of determination, training"),
        "test_r2": Variable(_TRACE, "1", "coefficient of determination, test"),
        "activation_rms": Variable(_LAYER, "1", "root mean square of the outputs"),
        "activation_spread": Variable(
            _LAYER, "1", "root mean square deviation of the outputs over examples"
        ),
        "gradient_norm": Variable(
            _LAYER, "loss", "Frobenius norm of the weight's loss gradient"
        ),
        "weight_norm": Variable(_LAYER, "1", "Frobenius norm of the weight"),
        "weight_distance": Variable(
            _LAYER, "1", "Frobenius norm of the weight's change since step 0"
        ),
        "distinct_units": Variable(_LAYER, "units", "units that are no copy"),
        "inactive_units": Variable(
            _LAYER, "units", "units whose activation is flat on every example"
        ),
        "saturated_share": Variable(
            _LAYER, "1", "saturated entries; output: within 1e-6 of 0 or 1"
        ),
        "diverged_step": Variable(_RUN, "step", "first step not finite; -1: none"),
        "baseline_loss": Variable((), "loss", "least loss of a constant output"),
        "input_rms": Variable((), "1", "root mean square of the training inputs"),
        "units": Variable(("layer",), "units", "units per layer"),
        "activation_density": Variable(
            (*_HISTOGRAM, "bin"), "1", "share of member 0's outputs per bin"
        ),
        "activation_edge": Variable(
            (*_HISTOGRAM, "edge"), "1", "edges of the histogram's bins"
        ),
        "grid_output": Variable(
            ("init", "grid_y", "grid_x"), "1", "member 0's prediction on a grid"
        ),
        "train_x": Variable(("example", "feature"), "1", "training inputs"),
        "train_y": Variable(("example",), "1", "training targets"),
    }
)


def pack(
    variables: Mapping[str, Any],
    coordinates: Mapping[str, Sequence[Any] | np.ndarray],
    *,
    spec: str,
    attributes: Mapping[str, object],
) -> xr.Dataset:
    """Return the labelled dataset; a variable that no schema names is a bug.

    Args:
        variables: Arrays by the schema's names.
        coordinates: Labels by dimension.
        spec: The whole study as TOML; `initlab.spec.from_toml` reads it.
        attributes: What else says how the numbers were made. Values that are not
            text, numbers or booleans are kept as JSON.
    """
    data = {
        name: (
            SCHEMA[name].dims,
            np.asarray(values),
            {"units": SCHEMA[name].units, "long_name": SCHEMA[name].about},
        )
        for name, values in variables.items()
    }
    kept = {
        name: value if isinstance(value, str | int | float) else json.dumps(value)
        for name, value in attributes.items()
    }
    used = {dim for dims, _, _ in data.values() for dim in dims}
    return xr.Dataset(
        data,
        coords={dim: list(c) for dim, c in coordinates.items() if dim in used},
        attrs={"schema_version": SCHEMA_VERSION, "spec": spec, **kept},
    )
