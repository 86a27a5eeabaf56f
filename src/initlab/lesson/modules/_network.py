"""The lesson's network of three layers, in the lesson's conventions.

X is `(feature, example)`, Y `(1, example)`, `Wl` `(n_l, n_{l-1})`, `bl` `(n_l, 1)`.
The order of the operations is the lesson's too, so that costs agree to the last digits.
"""

import numpy as np

Parameters = dict[str, np.ndarray]
Cache = tuple[np.ndarray, ...]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), of any shape.

    Example:
        >>> float(sigmoid(np.array(0.0)))
        0.5
    """
    with np.errstate(over="ignore"):  # exp of a large number: the result is 0
        return 1 / (1 + np.exp(-x))


def relu(x: np.ndarray) -> np.ndarray:
    """max(0, x), of any shape.

    Example:
        >>> relu(np.array([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return np.maximum(0, x)


def forward_propagation(
    X: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, Cache]:
    """The outputs `(1, example)`, and the cache z1, a1, W1, b1, z2, ..., W3, b3.

    LINEAR - RELU - LINEAR - RELU - LINEAR - SIGMOID.
    """
    W1, b1, W2, b2, W3, b3 = (
        parameters[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3")
    )
    z1 = np.dot(W1, X) + b1
    a1 = relu(z1)
    z2 = np.dot(W2, a1) + b2
    a2 = relu(z2)
    z3 = np.dot(W3, a2) + b3
    a3 = sigmoid(z3)
    return a3, (z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3)


def backward_propagation(X: np.ndarray, Y: np.ndarray, cache: Cache) -> Parameters:
    """The gradients dz3, dW3, db3, da2, ..., dW1, db1 of the mean cross entropy."""
    m = X.shape[1]
    _, a1, _, _, _, a2, W2, _, _, a3, W3, _ = cache
    dz3 = 1.0 / m * (a3 - Y)
    dW3 = np.dot(dz3, a2.T)
    db3 = np.sum(dz3, axis=1, keepdims=True)
    da2 = np.dot(W3.T, dz3)
    dz2 = np.multiply(da2, a2 > 0)
    dW2 = np.dot(dz2, a1.T)
    db2 = np.sum(dz2, axis=1, keepdims=True)
    da1 = np.dot(W2.T, dz2)
    dz1 = np.multiply(da1, a1 > 0)
    dW1 = np.dot(dz1, X.T)
    db1 = np.sum(dz1, axis=1, keepdims=True)
    return {
        "dz3": dz3, "dW3": dW3, "db3": db3,
        "da2": da2, "dz2": dz2, "dW2": dW2, "db2": db2,
        "da1": da1, "dz1": dz1, "dW1": dW1, "db1": db1,
    }  # fmt: skip


def update_parameters(
    parameters: Parameters, grads: Parameters, learning_rate: float
) -> Parameters:
    """The parameters after one step down the gradient, for any number of layers.

    The dictionary handed in is the one that comes back, as in the lesson; its arrays
    are new.
    """
    for layer in range(1, len(parameters) // 2 + 1):
        for name in (f"W{layer}", f"b{layer}"):
            parameters[name] = parameters[name] - learning_rate * grads[f"d{name}"]
    return parameters


def compute_loss(a3: np.ndarray, Y: np.ndarray) -> float:
    """The mean cross entropy in nats, from the outputs.

    As the lesson does, it takes logarithms of outputs that may have rounded to 0 or 1:
    an output on the wrong side then costs `inf`, which is round-off, not the loss. From
    weights of randn x 10 the lesson's documents print `inf` first, where the loss from
    the logits is 1773.5859549373833.

    Example:
        >>> float(compute_loss(np.array([[0.5, 0.5]]), np.array([[1, 0]])).round(6))
        0.693147
    """
    m = Y.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        costs = np.multiply(-np.log(a3), Y) + np.multiply(-np.log(1 - a3), 1 - Y)
    return 1.0 / m * np.nansum(costs)


def predict(X: np.ndarray, y: np.ndarray, parameters: Parameters) -> np.ndarray:
    """The predicted classes `(1, example)`, 0 or 1; prints `Accuracy: x`."""
    a3, _ = forward_propagation(X, parameters)
    predicted = (a3 > 0.5).astype(int).reshape(1, -1)
    accuracy = np.mean(predicted[0, :] == np.asarray(y).reshape(-1))
    print("Accuracy: " + str(accuracy))
    return predicted


def predict_dec(parameters: Parameters, X: np.ndarray) -> np.ndarray:
    """For every column of X, whether the network says 1: booleans `(1, example)`."""
    a3, _ = forward_propagation(X, parameters)
    return a3 > 0.5
