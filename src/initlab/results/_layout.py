"""Which arrays a study's results have: dimensions, sizes, chunks; before any is filled.

A shard is so many members of one init in one cell; every array that has members has one
chunk per shard, and what is recorded of member 0 alone belongs to an init's first.
"""

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from zarr.codecs import ZstdCodec
from zarr.storage import MemoryStore

from initlab.results._chunks import LEVEL, Form
from initlab.results._schema import (
    SCHEMA,
    SCHEMA_VERSION,
    attribute,
    coordinate_attributes,
)

STATE = "shard"
# What the marker of a completed shard says.
FACTS = ("members", "diverged", "seconds", "ended", "bytes", "identity", "checksum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The arrays of a dataset.

    Attributes:
        grid: Dimensions of the grid, in its order.
        coordinates: Labels by dimension.
        shard_members: Members per shard.
        recorded: Arrays with members or of member 0, and the type of their numbers.
        facts: Arrays that are known before anything is trained.
        sizes: Of dimensions without labels.
    """

    grid: tuple[str, ...]
    coordinates: Mapping[str, Sequence[Any] | np.ndarray]
    shard_members: int
    recorded: Mapping[str, str]
    facts: Mapping[str, np.ndarray]
    sizes: Mapping[str, int]

    def dims(self, name: str) -> tuple[str, ...]:
        """Return a variable's dimensions, the grid's first."""
        return (*self.grid, *SCHEMA[name].dims)

    def size(self, dim: str) -> int:
        """Return how long a dimension is."""
        if dim in self.coordinates:
            return len(self.coordinates[dim])
        return self.sizes[dim]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a variable's shape."""
        return tuple(self.size(dim) for dim in self.dims(name))

    @property
    def blocks(self) -> int:
        """Shards per init and cell."""
        return -(-self.size("member") // self.shard_members)

    @property
    def forms(self) -> dict[str, Form]:
        """The chunks of what is recorded, by array."""
        return {name: self._form(name, kind) for name, kind in self.recorded.items()}

    def _form(self, name: str, kind: str) -> Form:
        dims = [dim for dim in SCHEMA[name].dims if dim != "init"]
        shape = [
            self.shard_members if dim == "member" else self.size(dim) for dim in dims
        ]
        return Form(shape=tuple(shape), dtype=kind, by_member="member" in dims)

    def chunk_key(self, name: str, cell: tuple[int, ...], init: int, block: int) -> str:
        """Return where a shard's chunk of an array is."""
        form = self._form(name, self.recorded[name])
        rest = [0] * (len(form.shape) - form.by_member)
        here = (*cell, init, *([block] if form.by_member else []), *rest)
        return f"{name}/c/{'/'.join(map(str, here))}"

    def state_key(self, cell: tuple[int, ...], init: int, block: int) -> str:
        """Return where a shard's marker is."""
        return f"{STATE}/c/{'/'.join(map(str, (*cell, init, block, 0)))}"

    @property
    def bytes_at_most(self) -> int:
        """Size of everything recorded, without compression."""
        return sum(
            math.prod(self.shape(name)) * np.dtype(kind).itemsize
            for name, kind in self.recorded.items()
        )


def documents(
    layout: Layout, spec: str, attributes: Mapping[str, object]
) -> dict[str, bytes]:
    """Return all of a store but its shards, by key; the last key makes it a store."""
    store = MemoryStore()
    root = zarr.create_group(
        store,
        zarr_format=3,
        attributes={
            "schema_version": SCHEMA_VERSION,
            "spec": spec,
            **{name: attribute(value) for name, value in attributes.items()},
        },
    )
    for name, kind in layout.recorded.items():
        form = layout._form(name, kind)
        leading = [1] * (len(layout.dims(name)) - len(form.shape))
        _array(
            root, name, layout.shape(name), (*leading, *form.shape), kind, form.fill,
            layout.dims(name), _about(name), compressed=True,
        )  # fmt: skip
    state_dims = (*layout.grid, "init", "block", "fact")
    sizes = [*map(layout.size, (*layout.grid, "init")), layout.blocks, len(FACTS)]
    _array(
        root, STATE, tuple(sizes), (*[1] * (len(sizes) - 1), len(FACTS)), "float64",
        np.nan, state_dims, _about(STATE), compressed=False,
    )  # fmt: skip
    for name, values in layout.facts.items():
        values = np.asarray(values)
        fill = np.nan if values.dtype.kind == "f" else 0
        array = _array(
            root, name, values.shape, tuple(max(1, n) for n in values.shape),
            values.dtype.name, fill, layout.dims(name), _about(name), compressed=True,
        )  # fmt: skip
        array[...] = values
    used = {dim for name in layout.recorded for dim in layout.dims(name)}
    coordinates = {
        dim: labels for dim, labels in layout.coordinates.items() if dim in used
    } | {"fact": FACTS}
    for dim, labels in coordinates.items():
        _coordinate(root, dim, labels)
    return _bytes(store)


def _about(name: str) -> dict[str, Any]:
    return {"units": SCHEMA[name].units, "long_name": SCHEMA[name].about}


def _array(
    root: zarr.Group,
    name: str,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    kind: str,
    fill: float,
    dims: tuple[str, ...],
    attributes: dict[str, Any],
    *,
    compressed: bool,
) -> Any:
    compressor = ZstdCodec(level=LEVEL, checksum=False) if compressed else None
    return root.create_array(
        name, shape=shape, chunks=chunks, dtype=kind, fill_value=fill,
        compressors=compressor, dimension_names=dims, attributes=attributes,
        config={"write_empty_chunks": True},
    )  # fmt: skip


def _coordinate(root: zarr.Group, dim: str, labels: Sequence[Any] | np.ndarray) -> None:
    values = np.asarray(labels)
    if values.dtype.kind in "UO":
        array = root.create_array(
            dim, shape=values.shape, dtype=str, chunks=values.shape,
            dimension_names=(dim,), attributes=coordinate_attributes(dim),
        )  # fmt: skip
        array[:] = values.astype(object)
        return
    array = _array(
        root, dim, values.shape, values.shape, values.dtype.name, 0, (dim,),
        coordinate_attributes(dim), compressed=True,
    )  # fmt: skip
    array[:] = values


def _bytes(store: MemoryStore) -> dict[str, bytes]:
    """Return every key, arrays before the group that lists them."""
    with warnings.catch_warnings():
        # In no specification yet; xarray looks for it, and warns where it is missing.
        warnings.filterwarnings("ignore", message="Consolidated metadata")
        zarr.consolidate_metadata(store, zarr_format=3)
    found = {key: value.to_bytes() for key, value in store._store_dict.items()}
    root = json.loads(found.pop("zarr.json"))
    return found | {"zarr.json": json.dumps(root, indent=1).encode()}
