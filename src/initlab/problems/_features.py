"""Inputs of any origin as a finite float64 matrix, and a table of inputs and targets.

Arrays, nested lists, data frames and the contents of files all pass here.
"""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from initlab.errors import DataError
from initlab.problems._data import Table, clipped
from initlab.problems._targets import target_array

# Dtypes that may hold numbers: bool, integers, floats, and objects and text as the
# arrays of lists and data frames with columns of several types have them.
NUMERIC_KINDS = "biufOUS"


def table_of_arrays(
    X: Any, y: Any, label: str, names: tuple[str, str] = ("X", "y")
) -> Table:
    """Return inputs and targets as a table, once they fit each other.

    Args:
        X: Inputs `(example, feature)`, or of higher rank, then flattened.
        y: Targets `(example,)`, `(example, 1)`, `(1, example)` or `(example, output)`.
        label: How messages name the origin.
        names: How messages name the two arrays.

    Raises:
        DataError: If shapes or values cannot be learned from.
    """
    x = _as_array(X, label, names[0])
    targets = target_array(y, label, names[1], rows=len(x))
    if len(x) != len(targets):
        raise DataError(_mismatch(x, len(targets), label, names))
    notes: tuple[str, ...] = ()
    if x.ndim > 2:
        shape = " x ".join(str(size) for size in x.shape[1:])
        x = x.reshape(len(x), -1)
        notes = (f"{names[0]}: {shape} values flattened to {x.shape[1]} features",)
    columns = _column_names(X, x.shape[1])
    return Table(
        label=label,
        x=_as_float64(x, label, names[0], columns),
        y=targets,
        feature_names=columns,
        notes=notes,
    )


def _as_array(X: Any, label: str, name: str) -> np.ndarray:
    """Return the inputs as an array with rows and columns, of a dtype for numbers."""
    if np.ma.is_masked(X):
        raise DataError(f"{label}: {name} has masked values; drop or fill them first")
    try:
        x = np.asarray(X)
    except Exception as error:  # whatever the user's own array type raises
        raise DataError(
            f"{label}: {name} is not an array ({clipped(str(error), 100)})"
        ) from None
    if x.dtype.kind not in NUMERIC_KINDS:
        raise DataError(f"{label}: {name} must hold real numbers, got {x.dtype}")
    if x.ndim < 2:
        hint = f"; for one feature give {name}.reshape(-1, 1)" if x.ndim else ""
        raise DataError(
            f"{label}: {name} must have shape (example, feature), got {x.shape}{hint}"
        )
    if not len(x):
        raise DataError(f"{label}: {name} has no rows")
    if not x.size:
        raise DataError(f"{label}: {name} has no feature columns")
    return x


def _mismatch(x: np.ndarray, targets: int, label: str, names: tuple[str, str]) -> str:
    """Return why inputs and targets do not go together, and the usual repair."""
    message = f"{label}: {names[0]} has {len(x)} rows and {names[1]} has {targets}"
    if x.ndim == 2 and x.shape[1] == targets:
        return (
            f"{message}; {names[0]} must be (example, feature): give {names[0]}.T, "
            "its transpose"
        )
    return message


def _column_names(X: Any, count: int) -> tuple[str, ...]:
    """Return a data frame's column names, or x1, x2, ..."""
    columns = getattr(X, "columns", None)
    if columns is not None and len(columns) == count:
        return tuple(clipped(str(column)) for column in columns)
    return tuple(f"x{i + 1}" for i in range(count))


def _as_float64(
    x: np.ndarray, label: str, name: str, columns: tuple[str, ...]
) -> Float[np.ndarray, "example feature"]:
    """Return the inputs as float64, or refuse the first cell that is no number."""
    try:
        with warnings.catch_warnings(), np.errstate(over="ignore"):
            # An object that is complex would lose its imaginary part with a warning.
            warnings.simplefilter("error")
            matrix = np.ascontiguousarray(x, dtype=np.float64)
    except Exception:  # objects bring their own; the cell is found below
        matrix = None
    if matrix is not None and np.isfinite(matrix).all():
        return matrix
    row, column = _first_bad(x if matrix is None else matrix)
    cell = clipped(str(x[row, column])) if matrix is None else matrix[row, column]
    raise DataError(
        f"{label}: {name} row {row + 1}, column {columns[column]!r}: "
        f"{cell} is not a finite number"
    )


def _first_bad(x: np.ndarray) -> tuple[int, int]:
    """Return row and column of the first cell that is not a finite number."""
    if x.dtype.kind == "f":
        row, column = np.argwhere(~np.isfinite(x))[0]
        return int(row), int(column)
    return next(
        (row, column)
        for row in range(x.shape[0])
        for column in range(x.shape[1])
        if not _is_number(x[row, column])
    )


def _is_number(cell: Any) -> bool:
    """Return whether the cell converts to a finite float without loss."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return bool(np.isfinite(np.asarray(cell).astype(np.float64)).all()) and (
                np.ndim(cell) == 0
            )
    except Exception:  # objects bring their own
        return False
