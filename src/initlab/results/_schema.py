"""The one dataset schema: which variables, on which dimensions, in which units.

Dimensions are the vocabulary's: `init`, `member`, `step`, `layer`. Producers hand in
arrays; everything after this room reads datasets only.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from initlab.results._model_schema import MODEL_SCHEMA
from initlab.results._variable import HISTOGRAM as _HISTOGRAM
from initlab.results._variable import LAYER as _LAYER
from initlab.results._variable import RUN as _RUN
from initlab.results._variable import TRACE as _TRACE
from initlab.results._variable import Variable

SCHEMA_VERSION = 2


def _signals() -> dict[str, Variable]:
    """Return what `initlab.signal` measures at initialization, and what is predicted.

    A delta is the derivative, by a pre-activation, of the outputs times random numbers.
    """
    measured = {
        f"{of}_{name}": (f"{about} of the {what}")
        for of, what in (
            ("preactivation", "pre-activations"),
            ("activation", "activations"),
            ("delta", "gradients by pre-activations"),
        )
        for name, about in (
            ("mean", "mean"),
            ("std", "standard deviation"),
            ("rms", "root mean square"),
        )
        if f"{of}_{name}" != "activation_rms"
    }
    measured |= {
        "bias_rms": "root mean square of the biases",
        "chi": "factor of the squared gradient norm from the next layer to this one",
        "cosine": "mean cosine between the activations of two examples",
        "centred_cosine": "the same, each example's mean over units taken off",
    }
    predicted = {
        f"predicted_{name}": f"wide network: {about}"
        for name, about in measured.items()
        if not name.endswith("_mean") or name == "activation_mean"
    } | {
        f"predicted_{name}": f"wide network: {about}"
        for name, about in (
            ("activation_rms", "root mean square of the activations"),
            ("gradient_norm", "Frobenius norm of the weight's gradient"),
            ("saturated_share", "saturated entries"),
            ("inactive_units", "units whose activation is flat on every example"),
        )
    }
    predicted |= {
        "forward_band": "factors of squared activations, 90 % of networks",
        "backward_band": "factors of squared gradient norms, 90 % of networks",
    }
    layer = ("init", "layer")
    found = {name: Variable(_LAYER, "1", about) for name, about in measured.items()}
    found |= {name: Variable(layer, "1", about) for name, about in predicted.items()}
    for name in ("forward_band", "backward_band"):
        found[name] = Variable((*layer, "end"), "1", predicted[name])
    return found | {
        "weight_variance": Variable(layer, "1", "fan_in times an entry's variance"),
        "bias_variance": Variable(layer, "1", "second moment of the biases"),
        "chi_1": Variable(
            ("init",), "1", "chi at the depth where the variance no longer changes"
        ),
        "gradient_budget": Variable(
            ("init",), "nats", "largest ln of squared gradients over a chain of layers"
        ),
        "correlation_budget": Variable(
            ("init",), "1", "depth in units of the scale on which inputs become alike"
        ),
        "delta_density": Variable(
            (*_HISTOGRAM, "bin"), "1", "share of member 0's gradients per bin"
        ),
        "delta_edge": Variable(
            (*_HISTOGRAM, "edge"), "1", "edges of the histogram's bins"
        ),
    }


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
        "diverged_step": Variable(
            _RUN, "step", "first step not finite; -1: none; -2: not run yet"
        ),
        "stopped_step": Variable(
            _RUN,
            "step",
            "recorded step at the loss where the study stops, which later records "
            "repeat; -1: never there; -2: not run yet",
        ),
        "final_weights": Variable(
            (*_RUN, "parameter"),
            "1",
            "parameters after the last step: layer after layer its weight, row by row, "
            "and its bias, then batch norm's scales",
        ),
        "shard": Variable(
            ("init", "block", "fact"),
            "1",
            "of every completed block of members; NaN: not run yet",
        ),
        "baseline_loss": Variable((), "loss", "least loss of a constant output"),
        "input_rms": Variable((), "1", "root mean square of the training inputs"),
        "input_cosine": Variable((), "1", "mean cosine between two inputs"),
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
        **_signals(),
        **MODEL_SCHEMA,
        "train_x": Variable(("example", "feature"), "1", "training inputs"),
        "train_y": Variable(("example",), "1", "training targets"),
    }
)


# Unit, if they have one, and meaning of the dimensions' labels.
_LABELS: Mapping[str, tuple[str | None, str]] = MappingProxyType(
    {
        "init": (None, "initializer of the starting weights"),
        "member": ("1", "network of an ensemble, from 0"),
        "step": ("updates", "parameter updates done"),
        "layer": ("1", "layer with weights, from 1"),
        "depth": ("hidden layers", "hidden layers of the network"),
        "width": ("units", "units of each hidden layer"),
        "widths": (None, "units per layer, input first"),
        "activation": (None, "activation of the hidden layers"),
        "batch_norm": (None, "whether hidden layers are batch-normalized"),
        "problem": (None, "what the network learns"),
        "noise": ("1", "noise of the problem's inputs"),
        "examples": ("examples", "examples of the problem"),
        "standardize": (None, "whether features are standardized"),
        "seed": (None, "seed of the problem's data"),
        "optimizer": (None, "rule of the parameter updates"),
        "learning_rate": ("1", "step size of the optimizer"),
        "batch_size": ("examples", "examples per update"),
        "precision": (None, "of the training's arithmetic"),
    }
)


def coordinate_attributes(dim: str) -> dict[str, Any]:
    """Return the attributes of a dimension's labels."""
    units, about = _LABELS.get(dim, (None, ""))
    found = {"units": units, "long_name": about}
    return {name: text for name, text in found.items() if text}


def attribute(value: object) -> str | int | float:
    """Return a value as files can keep it: text, a number, or JSON."""
    return value if isinstance(value, str | int | float) else json.dumps(value)


def pack(
    variables: Mapping[str, Any],
    coordinates: Mapping[str, Sequence[Any] | np.ndarray],
    *,
    spec: str,
    attributes: Mapping[str, object],
    grid: tuple[str, ...] = (),
) -> xr.Dataset:
    """Return the labelled dataset; a variable that no schema names is a bug.

    Args:
        variables: Arrays by the schema's names.
        coordinates: Labels by dimension.
        spec: The whole study as TOML; `initlab.spec.from_toml` reads it.
        attributes: What else says how the numbers were made. Values that are not
            text, numbers or booleans are kept as JSON.
        grid: Dimensions that every variable has before its own.
    """
    data = {
        name: (
            (*grid, *SCHEMA[name].dims),
            np.asarray(values),
            {"units": SCHEMA[name].units, "long_name": SCHEMA[name].about},
        )
        for name, values in variables.items()
    }
    kept = {name: attribute(value) for name, value in attributes.items()}
    used = {dim for dims, _, _ in data.values() for dim in dims}
    return xr.Dataset(
        data,
        coords={
            dim: (dim, list(labels), coordinate_attributes(dim))
            for dim, labels in coordinates.items()
            if dim in used
        },
        attrs={"schema_version": SCHEMA_VERSION, "spec": spec, **kept},
    )
