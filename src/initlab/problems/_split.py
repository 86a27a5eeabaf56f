"""Which examples train and which are held out, and the scale of their features."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from initlab.errors import DataError
from initlab.problems._data import Table, listed
from initlab.problems._targets import Targets
from initlab.spec import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Rows of the table that train, and rows that test."""

    train: Int[np.ndarray, "train"]
    test: Int[np.ndarray, "test"]
    notes: tuple[str, ...] = ()


def split(problem: Problem, table: Table, targets: Targets) -> Split:
    """Return the rows of training and test set.

    A source's own test set is kept. Otherwise the rows are shuffled by the problem's
    seed and `test_fraction` of them is held out, every class in proportion where the
    numbers allow it.

    Raises:
        DataError: If no training example is left, or fewer than `problem.examples`.
    """
    if table.trained is None:
        parts = _shuffled(problem, table, targets)
    else:
        rows = np.arange(len(table.x))
        parts = Split(train=rows[: table.trained], test=rows[table.trained :])
        wanted = problem.examples
        if wanted is not None and wanted < table.trained:
            order = shuffled_rows(problem, table.trained)
            parts = Split(train=order, test=parts.test)
    train = parts.train[: problem.examples]
    if problem.examples is not None and len(train) < problem.examples:
        raise DataError(
            f"{table.label}: examples must be at most {len(train)}, the size of the "
            f"training set, got {problem.examples}"
        )
    notes = parts.notes + _missing_classes(targets, train)
    return Split(train=train, test=parts.test, notes=notes)


def _shuffled(problem: Problem, table: Table, targets: Targets) -> Split:
    """Return shuffled rows, `test_fraction` of them held out."""
    from sklearn.model_selection import train_test_split

    count = len(table.x)
    tested = round(count * problem.test_fraction)
    if tested == count:
        raise DataError(
            f"{table.label}: test_fraction {problem.test_fraction} of {count} examples "
            "leaves none for training"
        )
    if tested == 0:
        order = shuffled_rows(problem, count)
        return Split(train=order, test=order[:0])
    strata: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    if targets.classes is not None:
        sizes = np.bincount(targets.values)
        sizes = sizes[sizes > 0]
        if sizes.min() >= 2 and min(tested, count - tested) >= len(sizes):
            strata = targets.values
        else:
            notes = ("the split is not stratified: too few examples of some class",)
    train, test = train_test_split(
        np.arange(count), test_size=tested, random_state=problem.seed, stratify=strata
    )
    return Split(train=train, test=test, notes=notes)


def shuffled_rows(problem: Problem, count: int) -> Int[np.ndarray, "example"]:
    """Return in which order rows train of which none is held out."""
    return np.random.RandomState(problem.seed).permutation(count)


def _missing_classes(
    targets: Targets, train: Int[np.ndarray, "train"]
) -> tuple[str, ...]:
    """Return a note on classes that no training example has."""
    if targets.classes is None:
        return ()
    present = set(targets.values[train].tolist())
    missing = [name for i, name in enumerate(targets.classes) if i not in present]
    return (f"no training example of class {listed(missing)}",) if missing else ()


def standardize(
    train: Float[np.ndarray, "train feature"],
    test: Float[np.ndarray, "test feature"],
    *,
    label: str,
    names: tuple[str, ...],
) -> tuple[
    Float[np.ndarray, "train feature"],
    Float[np.ndarray, "test feature"],
    tuple[str, ...],
]:
    """Return both sets with mean 0 and variance 1 over the training set, and notes.

    A feature that is constant in the training set is centred and keeps its scale.

    Args:
        train: The only set that mean and variance are taken of.
        test: Shifted and scaled like `train`.
        label: How messages name the problem.
        names: Names of the features, for messages and notes.

    Raises:
        DataError: If a variance is out of the range of float64.
    """
    is_constant = (train == train[0]).all(axis=0)
    with np.errstate(all="ignore"):
        # The sum of equal numbers need not be a multiple of them after rounding.
        mean = np.where(is_constant, train[0], train.mean(axis=0))
        std = np.where(is_constant, 1.0, train.std(axis=0))
        sets = (train - mean) / std, (test - mean) / std
    # An infinite spread would turn every value to a harmless-looking zero.
    is_finite = np.isfinite([std, *sets[0], *sets[1]]).all(axis=0)
    if not is_finite.all():
        raise DataError(
            f"{label}: feature {names[int(np.argmin(is_finite))]!r} cannot be "
            "standardized in float64: its values are too large or too small"
        )
    constant = [repr(names[i]) for i in np.flatnonzero(is_constant)]
    if not constant:
        return *sets, ()
    return *sets, (f"constant in training, centred but not scaled: {listed(constant)}",)
