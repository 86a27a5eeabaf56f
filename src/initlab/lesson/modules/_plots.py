"""The lesson's two pictures: the data, and the decision boundary."""

from collections.abc import Callable
from typing import Any

import numpy as np


def scatter(X: np.ndarray, y: np.ndarray) -> None:
    """Draw points `(feature, example)` by class into the current axes."""
    import matplotlib.pyplot as plt

    plt.scatter(
        X[0], X[1], c=np.asarray(y).reshape(-1), s=40, cmap=plt.get_cmap("Spectral")
    )


def plot_decision_boundary(
    model: Callable[[np.ndarray], Any], X: np.ndarray, y: np.ndarray
) -> None:
    """Draw what a model says of every point around the data, and the data.

    Args:
        model: Takes points as rows `(point, 2)`, gives one value each.
        X: `(2, example)`.
        y: Classes, `(1, example)` or flat.
    """
    import matplotlib.pyplot as plt

    (left, bottom), (right, top) = X.min(axis=1) - 1, X.max(axis=1) + 1
    x1, x2 = np.meshgrid(np.arange(left, right, 0.01), np.arange(bottom, top, 0.01))
    says = np.asarray(model(np.c_[x1.ravel(), x2.ravel()])).reshape(x1.shape)
    plt.contourf(x1, x2, says, cmap=plt.get_cmap("Spectral"))
    plt.ylabel("x2")
    plt.xlabel("x1")
    scatter(X, y)
    plt.show()
