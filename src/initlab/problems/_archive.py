"""Archives of named arrays, `.npz` or HDF5: which name is what, and what is refused."""

import contextlib
import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from initlab.errors import DataError, InitlabError
from initlab.problems._data import Table, clipped, listed
from initlab.problems._features import table_of_arrays

INPUT_NAMES = frozenset({"x", "data"})
TARGET_NAMES = frozenset({"y", "targets", "labels", "target"})

# Of one array, as stored and as float64: a few kilobytes of a crafted archive can
# unfold to any size, and a lab for small networks needs no more.
LARGEST_BYTES = 2 * 2**30

Read = Callable[[str], np.ndarray]


@contextlib.contextmanager
def reading(label: str, kind: str) -> Iterator[None]:
    """Turn whatever damaged bytes make a reader raise into one line.

    Every exception, because the bytes reach zipfile, zlib, ast, struct and libhdf5,
    and each has its own.

    Raises:
        DataError: If anything is raised inside.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on files of older versions
            yield
    except InitlabError:
        raise
    except Exception as error:
        reason = clipped(str(error), 100) or type(error).__name__
        raise DataError(f"{label}: not a readable {kind} file ({reason})") from None


def refuse_too_large(size: int, label: str, key: str) -> None:
    """Refuse an array before it fills the memory."""
    if size > LARGEST_BYTES:
        raise DataError(
            f"{label}: {clipped(key)} takes {size / 2**30:.1f} GiB, and at most "
            f"{LARGEST_BYTES // 2**30} are read"
        )


def table_of_archive(keys: Sequence[str], read: Read, label: str) -> Table:
    """Return the table of an archive with `X, y` or `X_train, y_train, X_test, y_test`.

    Args:
        keys: Names of the arrays in the archive; capitals do not matter.
        read: Returns the array of a name.
        label: How messages name the file.

    Raises:
        DataError: If an array is missing or named twice, or cannot be learned from.
    """
    lower = [key.lower() for key in keys]
    if "x_train" not in lower:
        x, y = _one(keys, INPUT_NAMES, label), _one(keys, TARGET_NAMES, label)
        return read_pair(x, y, read, label)
    names = [_one(keys, {name}, label) for name in ("x_train", "y_train")]
    train = read_pair(names[0], names[1], read, label)
    if not {"x_test", "y_test"} & set(lower):
        return train
    names = [_one(keys, {name}, label) for name in ("x_test", "y_test")]
    return joined(train, read_pair(names[0], names[1], read, label))


def _one(keys: Sequence[str], wanted: frozenset[str] | set[str], label: str) -> str:
    """Return the only key that is wanted."""
    found = [key for key in keys if key.lower() in wanted]
    if len(found) == 1:
        return found[0]
    has = listed([repr(clipped(key)) for key in keys]) or "none"
    problem = "holds several arrays" if found else "holds no array"
    raise DataError(
        f"{label}: {problem} named {' or '.join(sorted(wanted))} (any case); "
        f"arrays: {has}"
    )


def read_pair(x: str, y: str, read: Read, label: str) -> Table:
    """Return the table of two arrays of an archive."""
    inputs = read(x)
    refuse_too_large(8 * np.size(inputs), label, f"{x} as float64")
    return table_of_arrays(inputs, read(y), label, names=(clipped(x), clipped(y)))


def joined(train: Table, test: Table) -> Table:
    """Return one table of a training set and the test set that comes with it.

    Raises:
        DataError: If the two differ in features or in the kind of their targets.
    """
    if train.x.shape[1] != test.x.shape[1]:
        raise DataError(
            f"{train.label}: training examples have {train.x.shape[1]} features and "
            f"test examples {test.x.shape[1]}"
        )
    texts = [part.y.dtype.kind == "O" for part in (train, test)]
    if train.y.shape[1:] != test.y.shape[1:] or texts[0] != texts[1]:
        raise DataError(
            f"{train.label}: training targets are {train.y.dtype} of shape "
            f"{train.y.shape}, test targets {test.y.dtype} of shape {test.y.shape}"
        )
    return dataclasses.replace(
        train,
        x=np.concatenate([train.x, test.x]),
        y=np.concatenate([train.y, test.y]),
        trained=len(train.x),
        notes=(*train.notes, "training and test set are the file's own"),
    )
