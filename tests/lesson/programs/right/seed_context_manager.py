# style: a context manager seeds the global stream and restores its state afterwards
from contextlib import contextmanager

import numpy as np


@contextmanager
def temporary_seed(seed):
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield np.random
    finally:
        np.random.set_state(state)


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters["W" + str(l)] = np.zeros((layers_dims[l], layers_dims[l - 1]))
        parameters["b" + str(l)] = np.zeros((layers_dims[l], 1))
    return parameters


def initialize_parameters_random(layers_dims):
    parameters = {}
    with temporary_seed(3) as random:
        for l in range(1, len(layers_dims)):
            parameters["W" + str(l)] = random.randn(layers_dims[l], layers_dims[l - 1]) * 10
            parameters["b" + str(l)] = np.zeros((layers_dims[l], 1))
    return parameters


def initialize_parameters_he(layers_dims):
    parameters = {}
    with temporary_seed(3) as random:
        for l in range(1, len(layers_dims)):
            parameters["W" + str(l)] = random.randn(layers_dims[l], layers_dims[l - 1]) * np.sqrt(2 / layers_dims[l - 1])
            parameters["b" + str(l)] = np.zeros((layers_dims[l], 1))
    return parameters
