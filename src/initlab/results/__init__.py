"""The dataset: its schema, and how it is kept on disk."""

from initlab.results._schema import SCHEMA, SCHEMA_VERSION, pack
from initlab.results._store import (
    moved_into_place,
    refuse_existing,
    save,
    write_netcdf,
)

__all__ = [
    "SCHEMA",
    "SCHEMA_VERSION",
    "moved_into_place",
    "pack",
    "refuse_existing",
    "save",
    "write_netcdf",
]
