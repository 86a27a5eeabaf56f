# style: collections.defaultdict whose factory is a lambda (cannot be pickled)
from collections import defaultdict

import numpy as np


def initialize_parameters_zeros(layers_dims):
    out = defaultdict(lambda: None)
    for l in range(1, len(layers_dims)):
        out["W" + str(l)] = np.zeros((layers_dims[l], layers_dims[l - 1]))
        out["b" + str(l)] = np.zeros((layers_dims[l], 1))
    return out


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    out = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        out["W" + str(l)] = np.random.randn(layers_dims[l], layers_dims[l - 1]) * 10
    return out


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    out = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        out["W" + str(l)] = np.random.randn(layers_dims[l], layers_dims[l - 1]) * np.sqrt(2 / layers_dims[l - 1])
    return out
