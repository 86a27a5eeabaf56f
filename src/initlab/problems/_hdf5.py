"""HDF5 files: `X` and `y` like a NumPy archive, or the layout of the cat pictures.

The classic course keeps its pictures of cats in `train_catvnoncat.h5` (`train_set_x`,
`train_set_y`, `list_classes`) with the test set beside it in `test_catvnoncat.h5`.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from initlab.errors import DataError, MissingExtraError
from initlab.problems._archive import (
    joined,
    read_pair,
    reading,
    refuse_too_large,
    table_of_archive,
)
from initlab.problems._data import Table


def read_hdf5(path: Path, label: str) -> Table:
    """Return the table of an HDF5 file.

    Args:
        path: An existing file.
        label: How messages name it.

    Raises:
        MissingExtraError: If h5py is not installed.
        DataError: If the file is damaged, or cannot be learned from.
    """
    try:
        import h5py
    except ImportError:
        raise MissingExtraError(
            f"reading {label} needs h5py: pip install 'initlab[hdf5]'"
        ) from None
    with reading(label, "HDF5"), h5py.File(path, "r") as file:
        keys = _datasets(file)
        if "train_set_x" in keys:
            return _pictures(file, keys, path, label)
        return table_of_archive(keys, lambda key: _read(file, key, label), label)


def _datasets(file: Any) -> list[str]:
    """Return the names of the datasets at the top of a file."""
    import h5py

    # A link into another file would let a data file read whatever its user can.
    own = [
        key for key in file if isinstance(file.get(key, getlink=True), h5py.HardLink)
    ]
    return [key for key in own if isinstance(file[key], h5py.Dataset)]


def _read(file: Any, key: str, label: str) -> np.ndarray:
    """Return a dataset whose values are in the file itself."""
    dataset = file[key]
    if dataset.external or dataset.is_virtual:
        raise DataError(f"{label}: {key} keeps its values in other files")
    refuse_too_large(dataset.nbytes, label, key)
    return np.asarray(dataset[()])


def _pictures(file: Any, keys: list[str], path: Path, label: str) -> Table:
    """Return the pictures of a training file and of the test file beside it."""
    table = _picture_set(file, "train", label)
    beside = path.with_name(f"test{path.name.removeprefix('train')}")
    if "test_set_x" in keys:
        table = joined(table, _picture_set(file, "test", label))
    elif path.name.startswith("train") and beside.is_file():
        table = joined(table, _test_pictures(beside, label))
    if "list_classes" not in keys:
        return table
    names = _read(file, "list_classes", label).ravel().tolist()
    texts = [n.decode("utf-8", "replace") if isinstance(n, bytes) else n for n in names]
    return dataclasses.replace(table, class_names=tuple(str(text) for text in texts))


def _test_pictures(path: Path, label: str) -> Table:
    """Return the pictures of the test file beside a training file."""
    import h5py

    label = f"{label}: {path.name} beside it"
    with reading(label, "HDF5"), h5py.File(path, "r") as file:
        return _picture_set(file, "test", label)


def _picture_set(file: Any, part: str, label: str) -> Table:
    """Return one set of pictures, flattened and in the range 0 to 1."""
    names = f"{part}_set_x", f"{part}_set_y"
    absent = set(names) - set(_datasets(file))
    if absent:
        raise DataError(f"{label}: holds no array named {min(absent)}")
    table = read_pair(names[0], names[1], lambda key: _read(file, key, label), label)
    if file[names[0]].dtype != np.uint8:
        return table
    notes = (*table.notes, f"{names[0]}: divided by 255")
    return dataclasses.replace(table, x=table.x / 255, notes=notes)
