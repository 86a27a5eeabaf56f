# slip: appends a size to the caller's list
# function: initialize_parameters_zeros
# hint: mutat | chang | modif | append | argument | layers_dims
import numpy as np


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.zeros((layers_dims[l], layers_dims[l-1]))
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    layers_dims.append(L)
    return parameters


def initialize_parameters_random(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = 10 * rng.randn(n_out, n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    theta = {}
    for l in range(1, len(layers_dims)):
        shape = (layers_dims[l], layers_dims[l - 1])
        theta["W" + str(l)] = np.random.normal(0, (2 / shape[1]) ** 0.5, size=shape)
        theta["b" + str(l)] = np.zeros((shape[0], 1))
    return theta
