# slip: a fresh dict each call, but with the same arrays from a cache
# function: initialize_parameters_random
# hint: same | object | shared | cache | fresh | both calls
import numpy as np


def initialize_parameters_zeros(layers_dims):
    return {name + str(l): np.zeros((layers_dims[l], layers_dims[l - 1] if name == "W" else 1))
            for l in range(1, len(layers_dims)) for name in ("W", "b")}


CACHE = {}


def initialize_parameters_random(layers_dims):
    key = tuple(layers_dims)
    if key not in CACHE:
        np.random.seed(3)
        CACHE[key] = {}
        for l in range(1, len(layers_dims)):
            CACHE[key]["W" + str(l)] = np.random.randn(layers_dims[l], layers_dims[l - 1]) * 10
            CACHE[key]["b" + str(l)] = np.zeros((layers_dims[l], 1))
    return dict(CACHE[key])


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    theta = {}
    for l in range(1, len(layers_dims)):
        shape = (layers_dims[l], layers_dims[l - 1])
        theta["W" + str(l)] = np.random.normal(0, (2 / shape[1]) ** 0.5, size=shape)
        theta["b" + str(l)] = np.zeros((shape[0], 1))
    return theta
