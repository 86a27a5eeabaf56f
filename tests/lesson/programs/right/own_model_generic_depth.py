# style: own model for any depth; cache is a list of tuples, gradients keyed dW1, db1, ...
import numpy as np


def _init(dims, scale):
    np.random.seed(3)
    p = {}
    for l in range(1, len(dims)):
        n, n_prev = dims[l], dims[l - 1]
        p[f"W{l}"] = np.random.randn(n, n_prev) * scale(n_prev) if scale else np.zeros((n, n_prev))
        p[f"b{l}"] = np.zeros((dims[l], 1))
    return p


def initialize_parameters_zeros(layers_dims):
    return _init(layers_dims, None)


def initialize_parameters_random(layers_dims):
    return _init(layers_dims, lambda n: 10)


def initialize_parameters_he(layers_dims):
    return _init(layers_dims, lambda n: np.sqrt(2 / n))


def forward_propagation(X, parameters):
    A, cache, L = X, [], len(parameters) // 2
    for l in range(1, L + 1):
        Z = parameters[f"W{l}"] @ A + parameters[f"b{l}"]
        cache.append((A, Z, parameters[f"W{l}"]))
        A = np.maximum(Z, 0) if l < L else 1 / (1 + np.exp(-Z))
    return A, (cache, A)


def compute_loss(a3, Y):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nansum(-np.log(a3) * Y - np.log(1 - a3) * (1 - Y)) / Y.shape[1]


def backward_propagation(X, Y, cache):
    layers, A = cache
    grads, dZ = {}, (A - Y) / Y.shape[1]
    for l in range(len(layers), 0, -1):
        A_prev, _, W = layers[l - 1]
        grads[f"dW{l}"], grads[f"db{l}"] = dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)
        if l > 1:
            dZ = (W.T @ dZ) * (layers[l - 2][1] > 0)
    return grads


def update_parameters(parameters, grads, learning_rate):
    return {key: value - learning_rate * grads["d" + key] for key, value in parameters.items()}


def model(X, Y, learning_rate=0.01, num_iterations=15000, print_cost=True, initialization="he"):
    parameters = globals()["initialize_parameters_" + initialization]([X.shape[0], 10, 5, 1])
    for i in range(num_iterations):
        a3, cache = forward_propagation(X, parameters)
        if print_cost and i % 1000 == 0:
            print(f"Cost after iteration {i}: {compute_loss(a3, Y)}")
        parameters = update_parameters(parameters, backward_propagation(X, Y, cache), learning_rate)
    return parameters
