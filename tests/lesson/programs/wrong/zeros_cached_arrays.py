# slip: a module-level cache by shape hands out the same arrays in each call
# function: initialize_parameters_zeros
# hint: same | object | shared | cache | fresh | both calls | memory
import numpy as np


ZEROS = {}


def _zeros(shape, name):
    if (shape, name) not in ZEROS:
        ZEROS[shape, name] = np.zeros(shape)
    return ZEROS[shape, name]


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters["W" + str(l)] = _zeros((layers_dims[l], layers_dims[l - 1]), "W" + str(l))
        parameters["b" + str(l)] = _zeros((layers_dims[l], 1), "b" + str(l))
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
