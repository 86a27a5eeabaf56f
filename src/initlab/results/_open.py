"""Stores and files as datasets, older ones brought up to date."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import xarray as xr

from initlab.errors import InvalidValueError, OutputError
from initlab.results._keys import LocalKeys, is_remote, keys_of
from initlab.results._layout import STATE
from initlab.results._schema import SCHEMA_VERSION
from initlab.results._store import refuse_not_text


def open_store(store: str | Path) -> xr.Dataset:
    """Return a store's or a file's dataset; its numbers are read when they are used.

    Chunks that were lost read as networks that diverged: of a copy that may not be
    whole, ask `initlab.results.refuse_damaged` first, as `export` and the commands do.

    Args:
        store: A `.zarr` folder, an address that fsspec knows, or a `.nc` file.

    Raises:
        OutputError: If there is none, or the file is no whole NetCDF file.
        InvalidValueError: If a newer initlab wrote it.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import initlab as il
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Path(folder, "study.zarr")
        ...     il.run(il.Study(inits=["zeros"], steps=10), store=store).close()
        ...     with il.open_store(store) as results:
        ...         dict(results.loss.sizes)
        {'init': 1, 'member': 1, 'step': 2}
    """
    if str(store).endswith(".nc"):
        if not Path(store).is_file():
            raise OutputError(f"there is no file {store}", argument="store")
        return migrated(_opened_file(store))
    if root_attributes(store) is None:
        raise no_store(store)
    where = str(store) if is_remote(store) else str(store).removeprefix("file://")
    opened = xr.open_zarr(where, chunks=None, consolidated=_is_consolidated(store))
    return migrated(opened)


def _opened_file(store: str | Path) -> xr.Dataset:
    refuse_not_text(Path(store), "store")
    try:
        return xr.open_dataset(store, engine="netcdf4")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"{store} is no whole NetCDF file ({reason}); it was cut off or is "
            "something else: write it again",
            argument="store",
        ) from None


def no_store(store: str | Path) -> OutputError:
    """Return what is said where a store was expected and none is."""
    is_study = str(store).endswith(".toml")
    study = ", and that is a study: run it first" if is_study else ""
    return OutputError(
        f"there is no store of initlab's at {str(store) or 'an empty name'}"
        f"{study}; name a .zarr folder that initlab run wrote, or a .nc file",
        argument="store",
    )


def root_attributes(store: str | Path) -> dict[str, Any] | None:
    """Return what a store says of itself; None: there is no whole one."""
    document = _root(store)
    attributes = None if document is None else document.get("attributes")
    if not isinstance(attributes, dict) or "spec" not in attributes:
        return None
    return attributes


def refuse_newer(attributes: Mapping[str, Any]) -> None:
    """Make sure that a store can be resumed by this version.

    Raises:
        OutputError: If its schema is another one.
    """
    version = int(attributes.get("schema_version", 1))
    if version != SCHEMA_VERSION:
        raise OutputError(
            f"has schema {version}, and this initlab writes {SCHEMA_VERSION}: "
            "it can be read and exported, and resumed by the version that began it",
            argument="store",
        )


def refuse_unstorable(store: str | Path) -> None:
    """Make sure that a store is there, or that one can be made.

    Raises:
        InvalidValueError: If the name says no known format.
        OutputError: If something else is there, or the folder around it is not.
    """
    name = str(store).rstrip("/")
    if not name.endswith(".zarr"):
        raise InvalidValueError(
            f"must end in .zarr or .nc, got {str(store)!r}", argument="store"
        )
    keys = keys_of(store)
    if not isinstance(keys, LocalKeys):
        return
    folder = keys.folder
    if not folder.absolute().parent.is_dir():
        raise OutputError(
            f"the folder {folder.absolute().parent} does not exist", argument="store"
        )
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{store} is a file; name another", argument="store")
    ours = root_attributes(store) is not None or (folder / STATE).is_dir()
    if folder.is_dir() and any(folder.iterdir()) and not ours:
        raise OutputError(
            f"{store} exists already, and holds no study; name another",
            argument="store",
        )


def _root(store: str | Path) -> dict[str, Any] | None:
    keys = keys_of(store)
    if isinstance(keys, LocalKeys) and not keys.folder.is_dir():
        return None
    data = keys.get("zarr.json")
    try:
        document = json.loads(data) if data else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _is_consolidated(store: str | Path) -> bool:
    return bool((_root(store) or {}).get("consolidated_metadata"))


def migrated(dataset: xr.Dataset) -> xr.Dataset:
    """Return the dataset as this version's schema has it.

    Raises:
        InvalidValueError: If a newer initlab wrote it.
    """
    for older in range(refuse_unreadable(dataset.attrs), SCHEMA_VERSION):
        dataset = _MIGRATIONS[older](dataset)
    return dataset


def refuse_unreadable(attributes: Mapping[str, Any]) -> int:
    """Return the schema's version, if this initlab can read it.

    Raises:
        InvalidValueError: If a newer initlab wrote it.
    """
    version = int(attributes.get("schema_version", 1))
    if version > SCHEMA_VERSION:
        raise InvalidValueError(
            f"schema_version: this initlab reads up to {SCHEMA_VERSION}, got "
            f"{version}; install a newer one"
        )
    return version


def _from_1(dataset: xr.Dataset) -> xr.Dataset:
    """Version 2 has units on labels, and says of what a dataset is."""
    units = {"step": "updates", "member": "1", "layer": "1"}
    labels = {
        dim: (dim, dataset[dim].values, {"units": units[dim]})
        for dim in units
        if dim in dataset.coords
    }
    kind = dataset.attrs.get("kind", "run")
    return dataset.assign_coords(labels).assign_attrs(schema_version=2, kind=kind)


# From each older version to the next.
_MIGRATIONS: Mapping[int, Callable[[xr.Dataset], xr.Dataset]] = MappingProxyType(
    {1: _from_1}
)
