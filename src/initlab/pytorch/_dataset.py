"""Readings of a model as the one labelled dataset."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from initlab import catalog, results
from initlab.capture import Reading
from initlab.results import SCHEMA
from initlab.spec import BuildFacts, WeightUse, facts_to_json

INIT = "as built"

# The n-th use of a parameter by a module, by which members' layers are matched.
Key = tuple[str, str, int]


def dataset_of(
    readings: Sequence[Reading], build: BuildFacts, *, name: str, seed: int
) -> xr.Dataset:
    """Return what was read of a model's members, with true fans.

    Members need not run the same layers: each may choose experts of its own, say. A
    layer that did not run in a member is nan there, and `use` tells each layer's place.

    Args:
        readings: One per member.
        build: What building it said.
        name: Of the model, for titles.
        seed: Of the first member.
    """
    keys = [_keys(reading.uses) for reading in readings]
    layers = _joined(keys)
    places = {key: place for place, key in enumerate(layers)}
    rows = [[places[key] for key in one] for one in keys]
    # The last member that has it decides: fans and units are the same in every member.
    uses = {
        key: use
        for one, reading in zip(keys, readings, strict=True)
        for key, use in zip(one, reading.uses, strict=True)
    }
    # Some measures, as of copies, exist only where a member has any.
    measured = dict.fromkeys(n for reading in readings for n in reading.measures)
    names = [n for n in measured if n in SCHEMA and n != "units"]
    shape = (1, len(readings), 1, len(layers))
    traces = {name: np.full(shape, np.nan) for name in names}
    units = np.zeros(len(layers) if "units" in measured else 0)
    for member, (reading, row) in enumerate(zip(readings, rows, strict=True)):
        for variable in reading.measures.keys() & traces.keys():
            traces[variable][0, member, 0, row] = reading.measures[variable]
        if "units" in reading.measures:
            units[row] = reading.measures["units"]
    if any(one != list(layers) for one in keys):
        traces["use"] = np.full(shape, np.nan)
        for member, row in enumerate(rows):
            traces["use"][0, member, 0, row] = range(len(row))
    fans = [catalog.fans(uses[key].layer) for key in layers]
    facts = [replace(reading.facts, build=build) for reading in readings]
    return results.pack(
        traces
        | {
            "units": units,
            "fan_in": np.array([float(f.fan_in) for f in fans]),
            "fan_out": np.array([float(f.fan_out) for f in fans]),
            "module": np.array([uses[key].module for key in layers], dtype=str),
            "parameter": np.array([uses[key].parameter for key in layers], dtype=str),
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
            "notes": list(dict.fromkeys(n for one in readings for n in one.notes)),
        },
    )


def _keys(uses: Sequence[WeightUse]) -> list[Key]:
    seen: Counter[tuple[str, str]] = Counter()
    keys = []
    for use in uses:
        place = (use.parameter, use.module)
        keys.append((*place, seen[place]))
        seen[place] += 1
    return keys


def _joined(members: Sequence[Sequence[Key]]) -> list[Key]:
    """Return all members' layers, each after the one that it follows in its member."""
    joined = list(members[0])
    for keys in members[1:]:
        known, after = set(joined), 0
        for key in keys:
            if key in known:
                after = joined.index(key) + 1
            else:
                joined.insert(after, key)
                after += 1
    return joined
