# slip: lru_cache: the second call returns the same arrays
# function: initialize_parameters_random
# hint: same | object | shared | cache | fresh | both calls
from functools import lru_cache

import numpy as np


def initialize_parameters_zeros(layers_dims):
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = np.zeros((n_out, n_in))
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


@lru_cache(maxsize=None)
def _random(layers_dims):
    rng = np.random.RandomState(3)
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters["W%d" % l] = rng.randn(layers_dims[l], layers_dims[l - 1]) * 10
        parameters["b%d" % l] = np.zeros((layers_dims[l], 1))
    return parameters


def initialize_parameters_random(layers_dims):
    return _random(tuple(layers_dims))


def initialize_parameters_he(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = rng.randn(n_out, n_in) * np.sqrt(2 / n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params
