"""From a problem to its data: find the source, then encode, split and standardize."""

import numpy as np

from initlab.errors import DataError, UnknownNameError
from initlab.problems._bundled import bundled
from initlab.problems._data import Data, Table
from initlab.problems._features import table_of_arrays
from initlab.problems._files import read_file
from initlab.problems._split import split, standardize
from initlab.problems._synthetic import GENERATORS, generate
from initlab.problems._targets import encode
from initlab.spec import ARRAYS, LOSS_NAMES, Problem

# RandomState, and so scikit-learn, takes seeds of 32 bits; test data have seed + 1.
LARGEST_SEED = 2**32 - 2
# Beyond it, squares of sums over a network overflow.
LARGEST_FEATURE = 1e100


def load(problem: Problem, *, loss: str | None = None) -> Data:
    """Return a problem's examples as arrays, split and standardized as it says.

    Equal problems give equal bytes, and no global random stream is read or moved. The
    default problem is the classic lesson's: its 300 training examples are those of
    `make_circles` after `np.random.seed(1)`, its 100 test examples those of seed 2.

    Args:
        problem: A generator, a bundled data set, a file, or arrays.
        loss: Settles whether numbers are classes or a regression; None lets the
            targets speak: text, booleans and integers are classes, and so are
            integral floats of at most 20 distinct values.

    Raises:
        DataError: If the data cannot be learned from: which file, where, and why.
        UnknownNameError: If `problem.target` names no column, or `loss` no loss.
        MissingExtraError: If an HDF5 file is given and h5py is not installed.

    Example:
        >>> data = load(Problem(name="circles"))
        >>> data.train_x.shape, data.test_x.shape, data.classes
        ((300, 2), (100, 2), ('outer', 'inner'))
    """
    if loss is not None and loss not in LOSS_NAMES:
        raise UnknownNameError("loss", loss, LOSS_NAMES)
    table = _table(problem, loss)
    targets = encode(table, loss)
    parts = split(problem, table, targets)
    train_x, test_x = table.x[parts.train], table.x[parts.test]
    notes = table.notes + targets.notes + parts.notes
    if problem.standardize:
        train_x, test_x, more = standardize(
            train_x, test_x, label=table.label, names=table.feature_names
        )
        notes += more
    _refuse_nothing_to_learn(train_x, targets.values[parts.train], table.label)
    return Data(
        train_x=np.ascontiguousarray(train_x),
        test_x=np.ascontiguousarray(test_x),
        train_y=targets.values[parts.train],
        test_y=targets.values[parts.test],
        classes=targets.classes,
        feature_names=table.feature_names,
        notes=notes,
    )


def _table(problem: Problem, loss: str | None) -> Table:
    """Return the examples of the problem's source."""
    label = _label(problem)
    _refuse_misfits(problem, label)
    if problem.name == ARRAYS:
        if problem.arrays is None:
            raise DataError(
                "problem 'arrays' names data that were handed in as (X, y) and that a "
                "spec cannot hold: pass problem=(X, y) again"
            )
        return table_of_arrays(*problem.arrays, label=label)
    if problem.is_file:
        return read_file(problem.name, label=label, target=problem.target)
    if problem.name in GENERATORS:
        return generate(problem, label)
    return bundled(problem, label, loss)


def _refuse_nothing_to_learn(x: np.ndarray, y: np.ndarray, label: str) -> None:
    """Refuse training examples that are all alike, or too large to compute with."""
    if np.abs(x).max() > LARGEST_FEATURE:
        raise DataError(
            f"{label}: features must lie within {LARGEST_FEATURE:g} of 0, "
            f"got {x.flat[np.abs(x).argmax()]:g}"
        )
    if y.dtype.kind == "f" and np.abs(y).max() > LARGEST_FEATURE:
        raise DataError(
            f"{label}: targets must lie within {LARGEST_FEATURE:g} of 0, "
            f"got {y.flat[np.abs(y).argmax()]:g}; divide them by a unit of their size"
        )
    if len(x) > 1 and (x == x[0]).all():
        raise DataError(f"{label}: no feature differs between the training examples")
    if y.dtype.kind == "f" and (y == y[0]).all():
        raise DataError(
            f"{label}: all training targets are {y.reshape(len(y), -1)[0].tolist()}; "
            "there is nothing to learn"
        )


def _label(problem: Problem) -> str:
    """Return how messages name the problem: a file as it was typed."""
    if problem.name == ARRAYS:
        return "problem (X, y)"
    if problem.is_file:
        return problem.name if problem.name.isprintable() else repr(problem.name)
    return f"problem {problem.name!r}"


def _refuse_misfits(problem: Problem, label: str) -> None:
    """Refuse choices that this source would silently ignore."""
    if problem.seed > LARGEST_SEED:
        raise DataError(
            f"{label}: seed must be at most {LARGEST_SEED}, got {problem.seed}"
        )
    if problem.noise is not None and (problem.is_file or problem.name == ARRAYS):
        raise DataError(
            f"{label}: noise is for generated and bundled data, got {problem.noise}"
        )
    if problem.target is not None and not problem.name.lower().endswith(".csv"):
        raise DataError(
            f"{label}: target names a column of a CSV file, got {problem.target!r}"
        )
