# slip: dz1 masked with a2: works for layers of equal size only, and wrongly
# function: backward_propagation
# hint: relu | mask | ValueError | broadcast | shape | W1 | layer 1
import numpy as np
from init_utils import compute_loss, forward_propagation, update_parameters


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


def backward_propagation(X, Y, cache):
    m = X.shape[1]
    (z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3) = cache

    dz3 = 1. / m * (a3 - Y)
    dW3 = np.dot(dz3, a2.T)
    db3 = np.sum(dz3, axis=1, keepdims=True)

    da2 = np.dot(W3.T, dz3)
    dz2 = np.multiply(da2, np.int64(a2 > 0))
    dW2 = np.dot(dz2, a1.T)
    db2 = np.sum(dz2, axis=1, keepdims=True)

    da1 = np.dot(W2.T, dz2)
    dz1 = np.multiply(da1, np.int64(a2 > 0))
    dW1 = np.dot(dz1, X.T)
    db1 = np.sum(dz1, axis=1, keepdims=True)

    return {"dz3": dz3, "dW3": dW3, "db3": db3, "da2": da2, "dz2": dz2, "dW2": dW2, "db2": db2,
            "da1": da1, "dz1": dz1, "dW1": dW1, "db1": db1}
