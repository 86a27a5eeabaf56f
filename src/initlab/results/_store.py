"""Datasets on disk: NetCDF for small results, Zarr for stores; whole or not at all."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from initlab.errors import InvalidValueError, OutputError

# What a browser opens as a page; what other programs read; tensors, and no pickle.
PAGES = (".html", ".htm")
JSON = (".json",)
WEIGHTS = (".safetensors",)
_COMPRESSED = {"zlib": True, "complevel": 4}


def as_path(given: Any, name: str) -> Path:
    """Return a path.

    Args:
        given: What arrived.
        name: The argument or option that it arrived by.

    Raises:
        InvalidValueError: If it names no file.

    Example:
        >>> as_path("check.html", "path").suffix
        '.html'
    """
    try:
        return Path(given)
    except TypeError:
        raise InvalidValueError(
            f"a path, as text or pathlib.Path, got {given!r}", argument=name
        ) from None


def refuse_existing(store: str | Path) -> Path:
    """Return the path, if something can be stored there.

    Raises:
        InvalidValueError: If it names no known format.
        OutputError: If it exists already, or its folder does not.
    """
    path = as_path(store, "store")
    if path.suffix not in (".zarr", ".nc"):
        raise InvalidValueError(
            f"must end in .zarr or .nc, got {str(store)!r}", argument="store"
        )
    if path.exists():
        raise OutputError(
            f"{store} exists already; remove it or name another", argument="store"
        )
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist", argument="store")
    return path


def refuse_unwritable(
    path: Path,
    name: str,
    *,
    ends: Sequence[str] = (),
    inputs: Iterable[str | Path] = (),
) -> None:
    """Make sure that a file can be written, before any work is done for it.

    Args:
        path: The file.
        name: The argument or option that named it.
        ends: What its name may end in; none given: anything.
        inputs: Files and stores that are read for it: it may be none of them.

    Raises:
        InvalidValueError: If its name ends in something else.
        OutputError: If it is a folder, in none that can be written, or an input.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file", argument=name)
    if ends and path.suffix.lower() not in ends:
        raise InvalidValueError(
            f"must end in {' or '.join(ends)}, got {str(path)!r}", argument=name
        )
    whole = path.resolve()
    for each in map(Path, inputs):
        if each.resolve() in (whole, *whole.parents):
            raise OutputError(
                f"{path} is in {each}, which is read; name another file"
                if each.is_dir()
                else f"{path} is what is read; name another file",
                argument=name,
            )
    try:
        with moved_into_place(path, keep=False):
            pass
    except OutputError as error:
        raise OutputError(str(error), argument=name) from None


def refuse_not_text(path: Path, name: str) -> None:
    """Make sure that the NetCDF library can name a file.

    Args:
        path: The file, or a folder around it.
        name: The argument or option that named it.

    Raises:
        OutputError: If its path is not text in UTF-8.
    """
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        raise OutputError(
            f"{path.absolute()} is not text in UTF-8, which NetCDF needs; name another",
            argument=name,
        ) from None


def save(results: xr.Dataset, store: str | Path) -> None:
    """Write the dataset to a new `.zarr` folder or `.nc` file, whole or not at all.

    Raises:
        InvalidValueError: If the path names neither format.
        OutputError: If it exists, or cannot be written.
    """
    path = refuse_existing(store)
    write = _write_zarr if path.suffix == ".zarr" else write_netcdf
    with moved_into_place(path) as temporary:
        write(results, temporary)


def write_netcdf(results: xr.Dataset, path: Path) -> None:
    """Write one compressed NetCDF-4 file, in place."""
    encoding = {
        name: _COMPRESSED
        for name, variable in results.data_vars.items()
        if variable.ndim and variable.dtype.kind in "fiub"
    }
    try:
        results.to_netcdf(path, engine="netcdf4", encoding=encoding)
    except RuntimeError as error:  # how the NetCDF library reports a full disk
        raise OSError(str(error)) from None


def _write_zarr(results: xr.Dataset, path: Path) -> None:
    with warnings.catch_warnings():
        # Zarr v3 has no final specification for text yet; xarray reads it back.
        warnings.filterwarnings("ignore", message=".*Zarr (V3|format 3).*")
        results.to_zarr(path, consolidated=False, zarr_format=3)


@contextmanager
def moved_into_place(path: Path, *, keep: bool = True) -> Iterator[Path]:
    """Give a temporary name beside the path, and move what was written there.

    Args:
        path: Where it ends.
        keep: False only tries whether something could be written.

    Raises:
        OutputError: If it cannot be written; nothing is left behind.
    """
    path = path.resolve()  # a link's target is replaced, not the link
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OutputError(f"cannot write {path}: it is no regular file")
    try:
        folder = Path(tempfile.mkdtemp(prefix=".initlab-", dir=path.parent))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    try:
        yield folder / path.name
        if keep:
            os.replace(folder / path.name, path)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write {path}: {reason}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
