"""Readings of a model as the one labelled dataset."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from initlab import catalog, results
from initlab.capture import Reading
from initlab.errors import InvalidValueError
from initlab.results import SCHEMA
from initlab.spec import BuildFacts, facts_to_json

INIT = "as built"


def dataset_of(
    readings: Sequence[Reading], build: BuildFacts, *, name: str, seed: int
) -> xr.Dataset:
    """Return what was read of a model's members, with true fans.

    Args:
        readings: One per member, all with the same layers.
        build: What building it said.
        name: Of the model, for titles.
        seed: Of the first member.

    Raises:
        InvalidValueError: If members do not have the same layers.
    """
    first = readings[0]
    layers = [use.parameter for use in first.uses]
    for reading in readings[1:]:
        if [use.parameter for use in reading.uses] != layers:
            raise InvalidValueError(
                "model: the function must make the same layers each time, got "
                f"{len(layers)} and then {len(reading.uses)} uses of weights"
            )
    # A measure of copies, say, is there only where a member has some.
    measured = dict.fromkeys(n for reading in readings for n in reading.measures)
    names = [n for n in measured if n in SCHEMA and n != "units"]
    nothing = np.full(len(layers), np.nan)
    shape = (1, len(readings), 1, len(layers))
    traces = {
        n: np.stack([r.measures.get(n, nothing) for r in readings]).reshape(shape)
        for n in names
    }
    fans = [catalog.fans(use.layer) for use in first.uses]
    facts = [replace(reading.facts, build=build) for reading in readings]
    return results.pack(
        traces
        | {
            "units": first.measures.get("units", np.zeros(0)),
            "fan_in": np.array([float(f.fan_in) for f in fans]),
            "fan_out": np.array([float(f.fan_out) for f in fans]),
            "module": np.array([use.module for use in first.uses], dtype=str),
            "parameter": np.array(layers, dtype=str),
        },
        coordinates={
            "init": [INIT],
            "member": range(len(readings)),
            "step": [0],
            "layer": range(1, len(layers) + 1),
        },
        spec="",
        attributes={
            "kind": "check",
            "engine": "pytorch",
            "model": name,
            "seed": seed,
            "facts": facts_to_json(facts),
            "notes": list(first.notes),
        },
    )
