"""What notebooks import from `testCases`: small inputs with known answers.

Each draws its numbers from NumPy's global stream after seed 1, as the lesson does.
"""

import numpy as np

from initlab.lesson.modules._network import Cache, Parameters, forward_propagation, relu
from initlab.lesson.modules._network import sigmoid as _sigmoid

__all__ = [
    "backward_propagation_with_dropout_test_case",
    "backward_propagation_with_regularization_test_case",
    "compute_cost_with_regularization_test_case",
    "forward_propagation_with_dropout_test_case",
    "gradient_check_n_test_case",
]

_Y = ((1, 1, 0, 1, 0),)


def _drawn(*widths: int) -> Parameters:
    """Return W1, b1, W2, ... drawn in this order from the global stream."""
    parameters = {}
    for layer in range(1, len(widths)):
        rows, columns = widths[layer], widths[layer - 1]
        parameters[f"W{layer}"] = np.random.randn(rows, columns)
        parameters[f"b{layer}"] = np.random.randn(rows, 1)
    return parameters


def compute_cost_with_regularization_test_case() -> tuple[
    np.ndarray, np.ndarray, Parameters
]:
    """A3 `(1, 5)`, Y and parameters; with lambd = 0.1 the cost is 1.78648594516."""
    np.random.seed(1)
    a3 = np.array([[0.40682402, 0.01629284, 0.16722898, 0.10118111, 0.40682402]])
    return a3, np.array(_Y), _drawn(3, 2, 3, 1)


def backward_propagation_with_regularization_test_case() -> tuple[
    np.ndarray, np.ndarray, Cache
]:
    """X `(3, 5)`, Y `(1, 5)` and the cache of a 3-2-3-1 network."""
    np.random.seed(1)
    X = np.random.randn(3, 5)
    _, cache = forward_propagation(X, _drawn(3, 2, 3, 1))
    return X, np.array(_Y), cache


def forward_propagation_with_dropout_test_case() -> tuple[np.ndarray, Parameters]:
    """X `(3, 5)` and the parameters of a 3-2-3-1 network."""
    np.random.seed(1)
    X = np.random.randn(3, 5)
    return X, _drawn(3, 2, 3, 1)


def backward_propagation_with_dropout_test_case() -> tuple[
    np.ndarray, np.ndarray, Cache
]:
    """X `(3, 5)`, Y and the cache of a forward pass that kept half of the units."""
    np.random.seed(1)
    X = np.random.randn(3, 5)
    p = _drawn(3, 2, 3, 1)
    D1 = np.array([[1, 0, 1, 1, 1], [1, 1, 1, 1, 0]], dtype=bool)
    D2 = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0]], dtype=bool)
    Z1 = p["W1"] @ X + p["b1"]
    A1 = relu(Z1) * D1 / 0.5
    Z2 = p["W2"] @ A1 + p["b2"]
    A2 = relu(Z2) * D2 / 0.5
    Z3 = p["W3"] @ A2 + p["b3"]
    A3 = _sigmoid(Z3)
    cache = (
        *(Z1, D1, A1, p["W1"], p["b1"]),
        *(Z2, D2, A2, p["W2"], p["b2"]),
        *(Z3, A3, p["W3"], p["b3"]),
    )
    return X, np.array(_Y), cache


def gradient_check_n_test_case() -> tuple[np.ndarray, np.ndarray, Parameters]:
    """X `(4, 3)`, Y `(3,)` and the parameters of the 4-5-3-1 network."""
    np.random.seed(1)
    X = np.random.randn(4, 3)
    return X, np.array([1, 1, 0]), _drawn(4, 5, 3, 1)
