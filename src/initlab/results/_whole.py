"""What of a store is there and whole: lost chunks would read as networks that diverged.

Chunks that are missing are no error to Zarr: they read as fill values. So whoever makes
numbers of a store asks here first.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from numcodecs.zstd import Zstd

from initlab.errors import OutputError
from initlab.results._keys import Keys, keys_of
from initlab.results._layout import STATE, Layout
from initlab.results._lock import writer_of
from initlab.results._open import refuse_unreadable, root_attributes
from initlab.results._shards import Place, State, StudyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What of a store is there.

    Attributes:
        layout: Of its arrays.
        shards: In all.
        whole: What the markers say of shards that are there and whole.
        damaged: Shards that were there, or were begun by a writer that is gone.
        writer: Who writes now; None: nobody, or it cannot be told.
    """

    layout: Layout
    shards: int
    whole: dict[Place, State]
    damaged: int
    writer: str | None


def survey(store: str | Path, *, checksums: bool) -> Survey:
    """Return what of a store that fills shard by shard is there.

    Args:
        store: One of which `is_sharded`.
        checksums: Read every chunk of a local store, and not only its size. Of 2,000
            shards in 26,000 files, 159 MB, sizes take .6 s, this 1 s, and opening and
            loading everything 4.3 s.
    """
    keys = keys_of(store)
    writer = writer_of(keys)
    held = StudyStore(store, keys, layout_of(keys))
    asked = list(places(held.layout))
    sizes = held.listed()
    whole = held.verified(
        ((place, None) for place in asked), sizes=sizes, checksums=checksums
    )
    begun = (
        held.is_begun(place, sizes, marked=writer is not None)
        for place in asked
        if place not in whole
    )
    return Survey(
        layout=held.layout,
        shards=len(asked),
        whole=whole,
        damaged=sum(begun),
        writer=writer,
    )


def refuse_damaged(store: str | Path) -> None:
    """Make sure that what a store says it holds is there, byte for byte.

    Local stores are read once, whole; of object stores, which write a key whole or not
    at all, names and sizes are asked for. Whatever has no shards is passed by.

    Raises:
        OutputError: If chunks are damaged or missing.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import initlab as il
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Path(folder, "study.zarr")
        ...     il.run(il.Study(inits=["zeros"], steps=10), store=store).close()
        ...     refuse_damaged(store)
        ...     (store / "loss/c/0/0/0").unlink()
        ...     try:
        ...         refuse_damaged(store)
        ...     except OutputError as error:
        ...         print(str(error).split(": ")[-1])
        1 of 1 shards are damaged or miss chunks; run the study again to mend them
    """
    if not is_sharded(store):
        return
    found = survey(store, checksums=True)
    if found.damaged:
        raise OutputError(
            f"{store}: {found.damaged:,} of {found.shards:,} shards are damaged "
            "or miss chunks; run the study again to mend them",
            argument="store",
        )
    lost = list(_lost(keys_of(store), found.layout))
    if lost:
        raise OutputError(
            f"{store}: {', '.join(lost)} is damaged or missing; run the study "
            "again to mend it",
            argument="store",
        )


def is_sharded(store: str | Path) -> bool:
    """Return whether this is a store that fills shard by shard.

    Raises:
        InvalidValueError: If a newer initlab wrote it.
    """
    attributes = root_attributes(store)
    if attributes is None:
        return False
    refuse_unreadable(attributes)
    return STATE in arrays_of(keys_of(store))


def _lost(keys: Keys, layout: Layout) -> Iterator[str]:
    """Yield what describes the study and cannot be read: labels, and facts of data."""
    for name, array in arrays_of(keys).items():
        shape = array["shape"]
        if name in layout.recorded or name == STATE or 0 in shape:
            continue
        try:
            Zstd().decode(keys.get("/".join([name, "c", *["0"] * len(shape)])) or b"")
        except RuntimeError:
            yield name


def arrays_of(keys: Keys) -> dict[str, Any]:
    """Return what a store says of its arrays, by name."""
    document = json.loads(keys.get("zarr.json") or b"{}")
    found: dict[str, Any] = (document.get("consolidated_metadata") or {}).get(
        "metadata", {}
    )
    return found


def layout_of(keys: Keys) -> Layout:
    """Return a store's arrays as far as places of chunks need them."""
    found = arrays_of(keys)
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


def places(layout: Layout) -> Iterator[Place]:
    """Yield every shard of a study."""
    cells = product(*(range(layout.size(dim)) for dim in layout.grid))
    for cell in cells:
        for init in range(layout.size("init")):
            for block in range(layout.blocks):
                yield Place(cell=cell, init=init, block=block)
