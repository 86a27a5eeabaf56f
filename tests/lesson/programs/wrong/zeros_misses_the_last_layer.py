# slip: range(1, L - 1)
# function: initialize_parameters_zeros
# hint: missing | last | key | W2 | lack | absent | range
import numpy as np


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L - 1):
        parameters['W' + str(l)] = np.zeros((layers_dims[l], layers_dims[l-1]))
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters


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
