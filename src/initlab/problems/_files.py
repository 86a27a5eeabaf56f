"""The user's files: refused where they are no files, and handed to their reader."""

from pathlib import Path

from initlab.errors import DataError
from initlab.problems._csv import read_csv
from initlab.problems._data import Table
from initlab.problems._hdf5 import read_hdf5
from initlab.problems._npz import read_npz


def read_file(name: str, *, label: str, target: str | None) -> Table:
    """Return the examples that a `.npz`, `.csv`, `.h5` or `.hdf5` file holds.

    Args:
        name: The path as typed.
        label: How messages name the file.
        target: The column of a CSV file that holds the targets; the last if None.

    Raises:
        DataError: If there is no such file, or it cannot be learned from.
    """
    path = Path(name)
    try:
        if path.is_dir():
            raise DataError(f"{label}: is a directory, not a file")
        # A pipe or a device would be waited for without end.
        if not path.is_file():
            raise DataError(f"{label}: no such file")
        if path.stat().st_size == 0:
            raise DataError(f"{label}: the file is empty")
    except OSError as error:
        raise DataError(f"{label}: {error.strerror}") from None
    match path.suffix.lower():
        case ".csv":
            return read_csv(path, label, target)
        case ".npz":
            return read_npz(path, label)
        case _:
            return read_hdf5(path, label)
