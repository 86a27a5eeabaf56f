# style: all weights are drawn as one flat vector and sliced into views
import numpy as np


def _shapes(layers_dims):
    return [(m, n) for n, m in zip(layers_dims, layers_dims[1:])]


def _slice(flat, layers_dims):
    parameters, start = {}, 0
    for k, (m, n) in enumerate(_shapes(layers_dims), 1):
        parameters["W" + str(k)] = flat[start:start + m * n].reshape(m, n)
        parameters["b" + str(k)] = np.zeros((m, 1))
        start += m * n
    return parameters


def _count(layers_dims):
    return sum(m * n for m, n in _shapes(layers_dims))


def initialize_parameters_zeros(layers_dims):
    return _slice(np.zeros(_count(layers_dims)), layers_dims)


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return _slice(np.random.randn(_count(layers_dims)) * 10, layers_dims)


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = _slice(np.random.randn(_count(layers_dims)), layers_dims)
    for k, n in enumerate(layers_dims[:-1], 1):
        parameters["W" + str(k)] *= np.sqrt(2 / n)
    return parameters
