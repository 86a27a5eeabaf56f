"""Parts of a study united: every part's shards into one store, byte for byte."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from initlab.errors import OutputError
from initlab.results._keys import Keys, keys_of
from initlab.results._layout import STATE
from initlab.results._lock import sole_writer
from initlab.results._open import refuse_newer, refuse_unstorable, root_attributes
from initlab.results._shards import StudyStore, writing
from initlab.results._whole import layout_of, places


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

    Example:
        >>> import tempfile
        >>> import initlab as il
        >>> study = il.Study(inits=["zeros"], members=4, steps=10, shard_members=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     parts = [Path(folder, f"{number}.zarr") for number in (1, 2)]
        ...     for number, part in enumerate(parts, start=1):
        ...         il.run(study, store=part, part=(number, 2)).close()
        ...     il.merge(Path(folder, "whole.zarr"), parts)
        4
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
        whole = StudyStore(store, keys, layout_of(keys_of(first)))
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


def _describe(store: str | Path, keys: Keys, part: Keys) -> None:
    """Copy all of a part but its shards; the group's document makes it a store."""
    layout = layout_of(part)
    chunks = tuple(f"{name}/c/" for name in (*layout.recorded, STATE))
    sizes = [key for key in part.sizes("") if not key.startswith(chunks)]
    with writing(store):
        for key in sorted(sizes, key=lambda key: (key == "zarr.json", key)):
            keys.put(key, part.get(key) or b"", durable=True)


def _add(whole: StudyStore, part: StudyStore) -> int:
    copied = 0
    sizes = whole.listed()
    there = whole.verified(
        ((place, None) for place in places(whole.layout)), sizes=sizes
    )
    for place, state in part.verified(
        (place, None) for place in places(whole.layout)
    ).items():
        mine = there.get(place)
        if mine is None or mine.members < state.members:
            marked = whole.is_begun(place, sizes, marked=True)
            whole.copy(place, part, state, replaces=marked)
            copied += 1
        elif mine.members == state.members and mine.checksum != state.checksum:
            raise OutputError(
                f"merge: {part.name} has other numbers than {whole.name} of members "
                f"{place.block * whole.layout.shard_members} and on, init "
                f"{place.init}, cell {place.cell}: run on unlike processors?"
            )
    return copied
