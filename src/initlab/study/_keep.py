"""Where finished shards go: arrays in memory, or a store."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from initlab import results
from initlab.errors import OutputError
from initlab.spec import (
    Study,
    differences,
    extension,
    from_toml,
    in_order_of,
    to_toml,
)
from initlab.study._plan import Plan, Shard
from initlab.study._work import Done


class InMemory:
    """Arrays of all members, filled shard by shard."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        layout = plan.layout
        forms = layout.forms
        self._arrays = {
            name: np.full(layout.shape(name), forms[name].fill, dtype=kind)
            for name, kind in layout.recorded.items()
        }

    def keep(self, shard: Shard, done: Done) -> None:
        """Enter a shard's arrays."""
        forms = self._plan.layout.forms
        for name, values in done.arrays.items():
            here: tuple[Any, ...] = (*shard.place.cell, shard.place.init)
            first = (shard.first,) if forms[name].by_member else (0,)
            begins = (*first, *[0] * (values.ndim - 1))
            inside = (
                slice(begin, begin + size)
                for begin, size in zip(begins, values.shape, strict=True)
            )
            self._arrays[name][(*here, *inside)] = values

    def dataset(self) -> xr.Dataset:
        """Return all of it, labelled."""
        layout = self._plan.layout
        return results.pack(
            {**self._arrays, **layout.facts},
            layout.coordinates,
            spec=to_toml(self._plan.study),
            attributes=self._plan.attributes(),
            grid=layout.grid,
        )


class InStore:
    """A store, filled shard by shard; for its one writer."""

    def __init__(self, plan: Plan, store: str | Path, keys: Any) -> None:
        self._plan = plan
        self._store = results.StudyStore(store, keys, plan.layout)
        self._there: dict[results.Place, results.State] = {}

    def establish(self) -> None:
        """Make, grow or mend the store, and see what is there."""
        self._store.establish(to_toml(self._plan.study), self._plan.attributes())
        self._there = self._store.verified(
            (shard.place, self._plan.identity(shard)) for shard in self._plan.shards()
        )

    def missing(self, part: tuple[int, int] | None) -> list[Shard]:
        """Return what is left to do, of one part of so many, if one is asked for."""
        left = []
        for number, shard in enumerate(self._plan.shards()):
            if part is not None and number % part[1] != part[0] - 1:
                continue
            state = self._there.get(shard.place)
            first = shard.first + (int(state.members) if state else 0)
            if first < shard.stop:
                left.append(shard.without(first))
        return left

    @property
    def members_there(self) -> int:
        """How many networks are there."""
        return int(sum(state.members for state in self._there.values()))

    def old(self, shard: Shard) -> dict[str, bytes] | None:
        """Return the chunks so far of a shard that grows."""
        if shard.place not in self._there:
            return None
        return self._store.chunks(shard.place)

    def keep(self, shard: Shard, done: Done) -> None:
        """Write a shard, its marker last."""
        state = self._there.get(shard.place)
        block_first = shard.place.block * self._plan.study.shard_members
        self._store.write(
            shard.place,
            done.chunks,
            members=shard.stop - block_first,
            diverged=done.diverged + int(state.diverged if state else 0),
            seconds=done.seconds + (state.seconds if state else 0.0),
            identity=self._plan.identity(shard),
            replaces=state is not None,
        )


def agreed(
    study: Study, store: str | Path, attributes: Mapping[str, Any], *, extend: bool
) -> Study:
    """Return the study as the store has it, or as it will have it once extended.

    Raises:
        OutputError: If the store holds another study; the message says what differs.
    """
    held = from_toml(attributes["spec"])
    ordered = in_order_of(held, study)
    found = differences(held, ordered)
    if not found:
        return ordered
    try:
        grown = extension(held, study)
    except ValueError as error:
        raise OutputError(
            f"{store} holds another study ({error}); name another store",
            argument="store",
        ) from None
    if not extend:
        raise OutputError(
            f"{store} holds a smaller study ({'; '.join(found)}); add --extend "
            "(extend=True) to grow it",
            argument="store",
        )
    return grown


def refuse_changed(
    store: str | Path, attributes: Mapping[str, Any], plan: Plan
) -> None:
    """Make sure that a resumed study computes what is in the store.

    Raises:
        OutputError: If engine, versions or data are others.
    """
    here = plan.attributes()
    found = []
    if attributes["engine"] != plan.engine:
        found.append(f"engine: {attributes['engine']} there, {plan.engine} here")
    for what in ("versions", "data"):
        there = json.loads(attributes[what])
        found += [
            f"{what}, {name}: {_short(there.get(name))} there, {_short(value)} here"
            for name, value in here[what].items()
            if name in there and there[name] != value
        ]
        if what == "versions":
            found += [f"{what}: {n} there only" for n in there if n not in here[what]]
    if found:
        raise OutputError(
            f"{store} was computed otherwise ({'; '.join(found)}); resume it "
            "as it was begun, or name another store",
            argument="store",
        )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 20 else text[:8]
