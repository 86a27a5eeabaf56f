"""What the lesson asks for, computed: draws, the network, its gradients, its training.

Conventions of the lesson: W1, b1, ..., weights `(n_l, n_{l-1})`, biases `(n_l, 1)`;
X `(feature, example)`, Y `(1, example)`.
"""

from collections.abc import Callable, Sequence

import numpy as np

Parameters = dict[str, np.ndarray]
Rows = tuple[int, int]

EPSILON = 1e-6  # of central differences; their error is about EPSILON squared


def zeros(layers_dims: Sequence[int]) -> Parameters:
    """All weights and biases 0."""
    return _filled(layers_dims, lambda shape: np.zeros(shape))


def random(layers_dims: Sequence[int], seed: int) -> Parameters:
    """Standard normal weights times 10, drawn layer by layer."""
    rng = np.random.RandomState(seed)
    return _filled(layers_dims, lambda shape: rng.randn(*shape) * 10)


def he(layers_dims: Sequence[int], seed: int) -> Parameters:
    """Standard normal weights times sqrt(2 / fan_in), drawn layer by layer."""
    rng = np.random.RandomState(seed)
    return _filled(layers_dims, lambda shape: rng.randn(*shape) * np.sqrt(2 / shape[1]))


def _filled(
    layers_dims: Sequence[int], draw: Callable[[Rows], np.ndarray]
) -> Parameters:
    parameters = {}
    for layer in range(1, len(layers_dims)):
        shape = (layers_dims[layer], layers_dims[layer - 1])
        parameters[f"W{layer}"] = draw(shape)
        parameters[f"b{layer}"] = np.zeros((shape[0], 1))
    return parameters


INITIALIZATIONS: dict[str, Callable[[Sequence[int], int], Parameters]] = {
    "zeros": lambda layers_dims, _: zeros(layers_dims),
    "random": random,
    "he": he,
}


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z))."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def relu(z: np.ndarray) -> np.ndarray:
    """max(0, z)."""
    return np.maximum(0, z)


def identity(z: np.ndarray) -> np.ndarray:
    """The layer's sum as it is."""
    return z


LESSON_ACTIVATIONS = (relu, relu, sigmoid)
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "no activation": identity,
}


def forward(
    X: np.ndarray,
    parameters: Parameters,
    activations: Sequence[Callable[[np.ndarray], np.ndarray]] = LESSON_ACTIVATIONS,
    *,
    biases: bool = True,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return `(z, a)` of each layer."""
    a, layers = X, []
    for layer, activation in enumerate(activations, start=1):
        z = parameters[f"W{layer}"] @ a
        if biases:
            z = z + parameters[f"b{layer}"]
        a = activation(z)
        layers.append((z, a))
    return layers


def cache_of(X: np.ndarray, parameters: Parameters) -> tuple[np.ndarray, ...]:
    """Return the lesson's cache: z1, a1, W1, b1, z2, ..., b3."""
    return tuple(
        each
        for layer, (z, a) in enumerate(forward(X, parameters), start=1)
        for each in (z, a, parameters[f"W{layer}"], parameters[f"b{layer}"])
    )


def loss(a3: np.ndarray, Y: np.ndarray) -> float:
    """Mean cross entropy in nats."""
    return float(np.mean(-Y * np.log(a3) - (1 - Y) * np.log(1 - a3)))


def gradients(X: np.ndarray, Y: np.ndarray, parameters: Parameters) -> Parameters:
    """Return the loss's gradient by central differences, under dW1, db1, ..."""
    found = {}
    for name, values in parameters.items():
        gradient = np.zeros_like(values)
        for place in np.ndindex(values.shape):
            changed = {key: each.copy() for key, each in parameters.items()}
            ends = []
            for sign in (1, -1):
                changed[name][place] = values[place] + sign * EPSILON
                ends.append(loss(forward(X, changed)[-1][1], Y))
            gradient[place] = (ends[0] - ends[1]) / (2 * EPSILON)
        found[f"d{name}"] = gradient
    return found


def backward(
    X: np.ndarray,
    Y: np.ndarray,
    parameters: Parameters,
    *,
    masks: tuple[str, str] = ("z1", "z2"),
) -> Parameters:
    """Return the gradient by formulas.

    `masks` names whose sign decides in layers 1 and 2; `"none"` is a slip: no mask.
    """
    layers = forward(X, parameters)
    (z1, a1), (z2, a2), (_, a3) = layers
    m = X.shape[1]
    by_name = {"z1": z1 > 0, "z2": z2 > 0, "none": np.ones(1, dtype=bool)}
    dz3 = (a3 - Y) / m
    dz2 = parameters["W3"].T @ dz3 * by_name[masks[1]]
    dz1 = parameters["W2"].T @ dz2 * by_name[masks[0]]
    found = {}
    for layer, dz, below in ((3, dz3, a2), (2, dz2, a1), (1, dz1, X)):
        found[f"dW{layer}"] = dz @ below.T
        found[f"db{layer}"] = dz.sum(axis=1, keepdims=True)
    return found


def updated(
    parameters: Parameters, grads: Parameters, learning_rate: float
) -> Parameters:
    """Return every parameter minus learning_rate times its gradient."""
    return {
        name: values - learning_rate * grads[f"d{name}"]
        for name, values in parameters.items()
    }


def trained(
    X: np.ndarray,
    Y: np.ndarray,
    start: Parameters,
    learning_rate: float,
    iterations: int,
) -> Parameters:
    """Return the parameters after that many full-batch steps."""
    parameters = start
    with np.errstate(all="ignore"):  # uphill, as one slip has it, they overflow
        for _ in range(iterations):
            grads = backward(X, Y, parameters)
            parameters = updated(parameters, grads, learning_rate)
    return parameters
