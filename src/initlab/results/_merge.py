"""Parts of a study united: every part's shards into one store, byte for byte."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from initlab.errors import OutputError
from initlab.results._keys import Keys, keys_of
from initlab.results._layout import STATE, Layout
from initlab.results._lock import sole_writer
from initlab.results._open import refuse_newer, refuse_unstorable, root_attributes
from initlab.results._shards import Place, StudyStore, writing


def merge(
    store: str | Path,
    parts: Sequence[str | Path],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Copy the parts' shards into one store, and return how many were copied.

    A store that is there is added to, so that a merge that was stopped is resumed by
    the same call.

    Args:
        store: New, or one of the same study.
        parts: Stores that `initlab run --shard i/n` wrote; they are only read.
        progress: Called with (parts done, parts in all).

    Raises:
        OutputError: If a part is no store, of another study, engine or version, or
            holds other numbers of a shard than another part.
    """
    if not parts:
        raise OutputError("merge: name at least one part")
    described = {str(part): _described(part) for part in parts}
    first = str(parts[0])
    for name, attributes in described.items():
        _refuse_unlike(first, described[first], name, attributes)
    refuse_unstorable(store)
    there = root_attributes(store)
    if there is not None:
        _refuse_unlike(first, described[first], str(store), there)
    keys = keys_of(store)
    copied = 0
    with sole_writer(store, keys):
        whole = StudyStore(store, keys, _layout_of(keys_of(first)))
        if there is None:
            _describe(store, keys, keys_of(first))
        for number, part in enumerate(parts):
            copied += _add(whole, StudyStore(part, keys_of(part), whole.layout))
            if progress is not None:
                progress(number + 1, len(parts))
    return copied


def _described(part: str | Path) -> dict[str, Any]:
    attributes = root_attributes(part)
    if attributes is None:
        raise OutputError(f"merge: there is no store of initlab's at {part}")
    refuse_newer(attributes)
    return attributes


def _refuse_unlike(
    first: str, expected: dict[str, Any], part: str, found: dict[str, Any]
) -> None:
    for name in expected:
        if found.get(name) != expected[name]:
            raise OutputError(
                f"merge: {name} of {part} and of {first} differ; parts are of one "
                "study, run by one engine and the same versions"
            )


def _layout_of(keys: Keys) -> Layout:
    """Return a store's arrays as far as places of chunks need them."""
    arrays = json.loads(keys.get("zarr.json") or b"{}")
    found = arrays["consolidated_metadata"]["metadata"]
    dims = {name: each.get("dimension_names") or [] for name, each in found.items()}
    sizes = {
        dim: size
        for name, each in found.items()
        for dim, size in zip(dims[name], each["shape"], strict=True)
    }
    recorded = {
        name: each["data_type"]
        for name, each in found.items()
        if name != STATE and name not in sizes and "init" in dims[name]
    }
    chunk = found["loss"]["chunk_grid"]["configuration"]["chunk_shape"]
    grid = tuple(dims["loss"][: dims["loss"].index("init")])
    return Layout(
        grid=grid,
        coordinates={dim: range(size) for dim, size in sizes.items()},
        shard_members=chunk[dims["loss"].index("member")],
        recorded=recorded,
        facts={},
        sizes={},
    )


def _describe(store: str | Path, keys: Keys, part: Keys) -> None:
    """Copy all of a part but its shards; the group's document makes it a store."""
    layout = _layout_of(part)
    chunks = tuple(f"{name}/c/" for name in (*layout.recorded, STATE))
    sizes = [key for key in part.sizes("") if not key.startswith(chunks)]
    with writing(store):
        for key in sorted(sizes, key=lambda key: (key == "zarr.json", key)):
            keys.put(key, part.get(key) or b"", durable=True)


def _add(whole: StudyStore, part: StudyStore) -> int:
    copied = 0
    there = whole.verified((place, None) for place in _places(whole.layout))
    for place, state in part.verified(
        (place, None) for place in _places(whole.layout)
    ).items():
        mine = there.get(place)
        if mine is None or mine.members < state.members:
            whole.copy(place, part, state)
            copied += 1
        elif mine.members == state.members and mine.checksum != state.checksum:
            raise OutputError(
                f"merge: {part.name} has other numbers than {whole.name} of members "
                f"{place.block * whole.layout.shard_members} and on, init "
                f"{place.init}, cell {place.cell}: run on unlike processors?"
            )
    return copied


def _places(layout: Layout) -> Iterator[Place]:
    cells = product(*(range(layout.size(dim)) for dim in layout.grid))
    for cell in cells:
        for init in range(layout.size("init")):
            for block in range(layout.blocks):
                yield Place(cell=cell, init=init, block=block)
