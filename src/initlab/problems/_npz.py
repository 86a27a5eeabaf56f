"""NumPy archives; never a pickle."""

import zipfile
from pathlib import Path

import numpy as np

from initlab.errors import DataError
from initlab.problems._archive import reading, refuse_too_large, table_of_archive
from initlab.problems._data import Table, clipped

# Of a zip file, also an empty one, and of a single array.
_BEGINNINGS = (b"PK", b"\x93NUMPY")


def read_npz(path: Path, label: str) -> Table:
    """Return the table of a `.npz` file.

    Args:
        path: An existing file.
        label: How messages name it.

    Raises:
        DataError: If it is damaged, or cannot be learned from.
    """
    # Opened here, because np.load leaves a damaged archive open.
    with reading(label, ".npz"), path.open("rb") as file:
        if not file.read(8).startswith(_BEGINNINGS):
            raise DataError(
                f"{label}: is no archive of NumPy's; write it with "
                "np.savez(file, X=X, y=y)"
            )
        file.seek(0)
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(
                f"{label}: holds a single array; write it with np.savez(file, X=X, y=y)"
            )
        with archive, zipfile.ZipFile(file) as entries:
            sizes = {entry.filename: entry.file_size for entry in entries.filelist}

            def read(key: str) -> np.ndarray:
                refuse_too_large(sizes.get(f"{key}.npy", 0), label, key)
                try:
                    return np.asarray(archive[key])
                except ValueError as error:
                    if "allow_pickle" not in str(error):
                        raise
                    raise DataError(
                        f"{label}: {clipped(key)} holds Python objects, which are not "
                        "read; save numbers as .astype(float), text as .astype(str)"
                    ) from None

            return table_of_archive(archive.files, read, label)
