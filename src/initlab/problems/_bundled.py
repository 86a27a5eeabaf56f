"""Data sets that come with scikit-learn: nothing is downloaded."""

import numpy as np

from initlab.errors import DataError
from initlab.problems._data import Table
from initlab.rng import stream
from initlab.spec import Problem

REGRESSIONS = frozenset({"diabetes"})


def bundled(problem: Problem, label: str, loss: str | None) -> Table:
    """Return a bundled data set, with Gaussian noise on its features if asked for.

    The noise is drawn once for all examples, before the split, so that training and
    test examples follow one law.

    Args:
        problem: Names `digits`, `breast_cancer`, `wine` or `diabetes`.
        label: How messages name the problem.
        loss: Refused where it needs classes and the data set has none.

    Raises:
        DataError: If the loss does not fit, or the noise leaves the range of float64.
    """
    from sklearn import datasets

    if problem.name in REGRESSIONS and loss not in (None, "mean_squared_error"):
        raise DataError(
            f"{label}: a regression needs loss 'mean_squared_error', got {loss!r}"
        )
    bunch = getattr(datasets, f"load_{problem.name}")()
    x = np.asarray(bunch.data, dtype=np.float64)
    if problem.noise:
        rng = stream(problem.seed, "problem", problem.name)
        with np.errstate(over="ignore"):
            x = x + problem.noise * rng.standard_normal(x.shape)
    if not np.isfinite(x).all():
        raise DataError(f"{label}: noise {problem.noise} is too large for float64")
    names = bunch.get("target_names")
    return Table(
        label=label,
        x=x,
        y=np.asarray(bunch.target),
        feature_names=tuple(str(name) for name in bunch.feature_names),
        class_names=None if names is None else tuple(str(name) for name in names),
    )
