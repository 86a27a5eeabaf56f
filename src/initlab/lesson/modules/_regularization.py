"""Weight decay and dropout, as the lesson Regularization asks for them."""

import numpy as np

from initlab.lesson.modules._network import (
    Cache,
    Parameters,
    compute_loss,
    relu,
    sigmoid,
)


def initialize_parameters(layer_dims: list[int]) -> Parameters:
    """Weights of variance 1/fan_in after seed 3 of the global stream, biases 0."""
    np.random.seed(3)
    parameters = {}
    for layer in range(1, len(layer_dims)):
        rows, columns = layer_dims[layer], layer_dims[layer - 1]
        parameters[f"W{layer}"] = np.random.randn(rows, columns) / np.sqrt(columns)
        parameters[f"b{layer}"] = np.zeros((rows, 1))
    return parameters


def compute_cost_with_regularization(
    A3: np.ndarray, Y: np.ndarray, parameters: Parameters, lambd: float
) -> float:
    """The mean cross entropy plus lambd/(2m) times the sum of the squared weights."""
    squares = sum(np.sum(np.square(parameters[f"W{n}"])) for n in (1, 2, 3))
    return compute_loss(A3, Y) + lambd / (2 * Y.shape[1]) * squares


def backward_propagation_with_regularization(
    X: np.ndarray, Y: np.ndarray, cache: Cache, lambd: float
) -> Parameters:
    """The gradients of the regularized cost."""
    m = X.shape[1]
    Z1, A1, W1, _, Z2, A2, W2, _, _, A3, W3, _ = cache
    grads = {"dZ3": A3 - Y}
    grads["dA2"] = W3.T @ grads["dZ3"]
    grads["dZ2"] = grads["dA2"] * (Z2 > 0)
    grads["dA1"] = W2.T @ grads["dZ2"]
    grads["dZ1"] = grads["dA1"] * (Z1 > 0)
    for layer, below, weight in ((3, A2, W3), (2, A1, W2), (1, X, W1)):
        dZ = grads[f"dZ{layer}"]
        grads[f"dW{layer}"] = dZ @ below.T / m + lambd / m * weight
        grads[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
    return grads


def forward_propagation_with_dropout(
    X: np.ndarray, parameters: Parameters, keep_prob: float = 0.5
) -> tuple[np.ndarray, Cache]:
    """The outputs, with hidden units kept with that probability and scaled up.

    Seeds NumPy's global stream with 1. The cache is Z1, D1, A1, W1, b1, Z2, D2, A2, W2,
    b2, Z3, A3, W3, b3.
    """
    np.random.seed(1)
    W1, b1, W2, b2, W3, b3 = (
        parameters[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3")
    )
    Z1 = np.dot(W1, X) + b1
    D1 = np.random.rand(*Z1.shape) < keep_prob
    A1 = relu(Z1) * D1 / keep_prob
    Z2 = np.dot(W2, A1) + b2
    D2 = np.random.rand(*Z2.shape) < keep_prob
    A2 = relu(Z2) * D2 / keep_prob
    Z3 = np.dot(W3, A2) + b3
    A3 = sigmoid(Z3)
    return A3, (Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3)


def backward_propagation_with_dropout(
    X: np.ndarray, Y: np.ndarray, cache: Cache, keep_prob: float
) -> Parameters:
    """The gradients through the units that were kept."""
    m = X.shape[1]
    _, D1, A1, _, _, _, D2, A2, W2, _, _, A3, W3, _ = cache
    grads = {"dZ3": A3 - Y}
    grads["dA2"] = W3.T @ grads["dZ3"] * D2 / keep_prob
    grads["dZ2"] = grads["dA2"] * (A2 > 0)
    grads["dA1"] = W2.T @ grads["dZ2"] * D1 / keep_prob
    grads["dZ1"] = grads["dA1"] * (A1 > 0)
    for layer, below in ((3, A2), (2, A1), (1, X)):
        dZ = grads[f"dZ{layer}"]
        grads[f"dW{layer}"] = dZ @ below.T / m
        grads[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True) / m
    return grads
