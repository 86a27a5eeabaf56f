# slip: a batch norm nobody asked for
# function: forward_propagation
# hint: a1 | a3 | expected | norm | standard | mean
import numpy as np
from init_utils import backward_propagation, compute_loss, update_parameters


def initialize_parameters_zeros(layers_dims):
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = np.zeros((n_out, n_in))
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def initialize_parameters_random(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = 10 * rng.randn(n_out, n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def initialize_parameters_he(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = rng.randn(n_out, n_in) * np.sqrt(2 / n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(0, x)


def forward_propagation(X, parameters):
    W1, b1 = parameters["W1"], parameters["b1"]
    W2, b2 = parameters["W2"], parameters["b2"]
    W3, b3 = parameters["W3"], parameters["b3"]

    z1 = np.dot(W1, X) + b1
    a1 = relu((z1 - z1.mean(axis=1, keepdims=True)) / (z1.std(axis=1, keepdims=True) + 1e-8))
    z2 = np.dot(W2, a1) + b2
    a2 = relu(z2)
    z3 = np.dot(W3, a2) + b3
    a3 = sigmoid(z3)

    cache = (z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3)
    return a3, cache
