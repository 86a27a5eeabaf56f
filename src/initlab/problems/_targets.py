"""Targets of any origin as plain arrays, and plain arrays as classes or numbers.

The rule, in one place: booleans, integers and text name classes; floats name classes
if they are integral and few, and are the numbers of a regression otherwise; the loss
decides where it can.
"""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from initlab.errors import DataError
from initlab.problems._data import Table, clipped, listed

# Integral floats, or integers under a squared error, are labels up to this many.
MOST_IMPLIED_CLASSES = 20

SQUARED_ERROR = "mean_squared_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Targets as an engine takes them, `Data.train_y` and `Data.test_y` in one."""

    values: np.ndarray
    classes: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


def target_array(y: Any, label: str, name: str, rows: int) -> np.ndarray:
    """Return targets as finite bool, integers or float64, or as str objects.

    Args:
        y: Anything that NumPy makes an array of.
        label: How messages name the origin.
        name: How messages name the targets.
        rows: Examples; tells a row of targets `(1, example)` from one example.

    Raises:
        DataError: If the rank is not 1 or 2, or a target is missing or of a type that
            is neither a class nor a number.
    """
    if np.ma.is_masked(y):
        raise DataError(f"{label}: {name} has masked values; drop or fill them first")
    try:
        # As objects, because NumPy would turn the missing one of ["a", nan] to text.
        array = np.asarray(y, dtype=object if isinstance(y, list | tuple) else None)
    except Exception as error:  # whatever the user's own array type raises
        raise DataError(
            f"{label}: {name} is not an array ({clipped(str(error), 100)})"
        ) from None
    if array.ndim == 2 and (array.shape[1] == 1 or (len(array) == 1 and rows != 1)):
        array = array.ravel()
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise DataError(
            f"{label}: {name} must have shape (example,) or (example, output), "
            f"got {array.shape}"
        )
    if array.dtype.kind in "OSU":
        array = _plain(array.astype(object), label, name)
    if array.dtype.kind not in "biufO":
        raise DataError(
            f"{label}: {name} must hold class names or real numbers, got {array.dtype}"
        )
    return _finite(array, label, name) if array.dtype.kind == "f" else array


def _plain(objects: np.ndarray, label: str, name: str) -> np.ndarray:
    """Return objects in the one type that they share."""
    import pandas

    missing = np.argwhere(pandas.isna(objects))
    if len(missing):
        raise DataError(f"{label}: {name} row {missing[0][0] + 1} is missing")
    cells = list(objects.flat)
    if all(isinstance(cell, str | bytes) for cell in cells):
        return _texts(cells, objects.shape)
    for kind, dtype in (
        (bool | np.bool_, np.bool_),
        (numbers.Integral | np.bool_, np.int64),
        (numbers.Real | Decimal | np.bool_, np.float64),
    ):
        if all(isinstance(cell, kind) for cell in cells):
            return _converted(objects, dtype, label, name)
    kinds = sorted({type(cell).__name__ for cell in cells})
    raise DataError(
        f"{label}: {name} must hold class names or real numbers, got {listed(kinds)}"
    )


def _texts(cells: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return text as str objects; HDF5 and fixed-width arrays hold it as bytes."""
    texts = np.empty(len(cells), dtype=object)
    texts[:] = [
        cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
        for cell in cells
    ]
    return texts.reshape(shape)


def _converted(
    objects: np.ndarray, dtype: type[np.generic], label: str, name: str
) -> np.ndarray:
    """Return numbers in the given type, or refuse those that it does not hold."""
    try:
        with np.errstate(all="ignore"):
            return objects.astype(dtype)
    except Exception as error:  # any subclass of numbers.Real may bring its own
        raise DataError(
            f"{label}: {name} holds a number that {dtype.__name__} does not "
            f"({clipped(str(error), 100)})"
        ) from None


def _finite(array: np.ndarray, label: str, name: str) -> np.ndarray:
    """Return floats as float64, or refuse the first that is not finite."""
    with np.errstate(over="ignore"):
        values = array.astype(np.float64)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        value = values[tuple(bad[0])]
        column = f", column {bad[0][1] + 1}" if values.ndim == 2 else ""
        raise DataError(
            f"{label}: {name} row {bad[0][0] + 1}{column}: {value} is not a finite "
            "number"
        )
    return values


def encode(table: Table, loss: str | None) -> Targets:
    """Return a table's targets as labels `0..K-1`, or as columns of a regression.

    Args:
        table: Targets in one of the types of `target_array`.
        loss: Decides where the targets leave it open; None if it is to be chosen.

    Raises:
        DataError: If the loss does not fit the targets, or there is only one class.
    """
    y, label = table.y, table.label
    needs_classes = loss not in (None, SQUARED_ERROR)
    if y.ndim == 2:
        return _encode_matrix(y, loss, label)
    values = sorted(set(y)) if y.dtype.kind == "O" else list(np.unique(y))
    is_integral = y.dtype.kind != "f" or bool((y == np.rint(y)).all())
    if needs_classes and not is_integral:
        row = int(np.argmax(y != np.rint(y)))
        raise DataError(
            f"{label}: loss {loss!r} needs class labels, and the target of row "
            f"{row + 1} is {y[row]}; for a regression use {SQUARED_ERROR!r}"
        )
    if _are_numbers(y, len(values), is_integral, loss):
        return Targets(values=y.astype(np.float64)[:, None], classes=None)
    if len(values) == 1:
        raise DataError(
            f"{label}: all {len(y)} targets are {_class_name(values[0])!r}; at least "
            "two classes are needed"
        )
    return _encode_labels(y, values, table.class_names)


def _are_numbers(
    y: np.ndarray, distinct: int, is_integral: bool, loss: str | None
) -> bool:
    """Return whether one column of targets is a regression's."""
    if not is_integral:
        return True
    many = distinct > MOST_IMPLIED_CLASSES
    if loss == SQUARED_ERROR:
        return many and y.dtype.kind in "iuf"
    return many and y.dtype.kind == "f" and loss is None


def _encode_labels(
    y: np.ndarray, values: Sequence[Any], names: tuple[str, ...] | None
) -> Targets:
    """Return one column of classes as labels, in sorted order."""
    is_text = y.dtype.kind == "O"
    if names and not is_text and values[0] >= 0 and values[-1] < len(names):
        return Targets(values=y.astype(np.int64), classes=names)
    classes = tuple(_class_name(value) for value in values)
    if is_text:
        index = {value: i for i, value in enumerate(values)}
        labels = np.array([index[value] for value in y], dtype=np.int64)
    else:
        labels = np.searchsorted(np.asarray(values), y).astype(np.int64)
    notes = []
    if y.dtype.kind == "b" or classes != tuple(str(i) for i in range(len(classes))):
        mapped = [f"{clipped(name)} -> {i}" for i, name in enumerate(classes)]
        notes.append(f"labels mapped: {listed(mapped)}")
    if y.dtype.kind in "iu" and len(classes) > MOST_IMPLIED_CLASSES:
        notes.append(
            f"{len(classes)} distinct integers are read as classes; loss "
            f"{SQUARED_ERROR!r} makes them a regression"
        )
    return Targets(values=labels, classes=classes, notes=tuple(notes))


def _class_name(value: Any) -> str:
    """Return a class's name; a float that names one is integral."""
    return str(int(value)) if isinstance(value, float) else str(value)


def _encode_matrix(y: np.ndarray, loss: str | None, label: str) -> Targets:
    """Return several columns as one-hot classes or as outputs of a regression."""
    is_float = y.dtype.kind == "f"
    if _is_one_hot(y) and not (is_float and loss == SQUARED_ERROR):
        labels = y.argmax(axis=1).astype(np.int64)
        if len(set(labels)) == 1:
            raise DataError(
                f"{label}: all {len(y)} one-hot targets are of class {labels[0]}; at "
                "least two classes are needed"
            )
        return Targets(
            values=labels,
            classes=tuple(str(i) for i in range(y.shape[1])),
            notes=(f"one-hot targets read as {y.shape[1]} classes",),
        )
    is_regression = loss == SQUARED_ERROR or (loss is None and is_float)
    if y.dtype.kind == "O" or not is_regression:
        raise DataError(
            f"{label}: targets of shape {y.shape} must be one-hot rows, or numbers "
            f"with loss {SQUARED_ERROR!r}; for classes give one label per example"
        )
    return Targets(values=y.astype(np.float64), classes=None)


def _is_one_hot(y: np.ndarray) -> bool:
    """Return whether every row has a single one among zeros."""
    if y.dtype.kind == "O":
        return False
    return bool(((y == 0) | (y == 1)).all() and ((y == 1).sum(axis=1) == 1).all())
