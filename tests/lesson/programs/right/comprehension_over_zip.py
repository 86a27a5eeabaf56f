# style: dict comprehensions merged with |, pairs from zip
import numpy as np


def _pairs(sizes):
    return list(enumerate(zip(sizes, sizes[1:]), start=1))


def initialize_parameters_zeros(layers_dims):
    return ({"W%d" % k: np.zeros((m, n)) for k, (n, m) in _pairs(layers_dims)}
            | {"b%d" % k: np.zeros((m, 1)) for k, (n, m) in _pairs(layers_dims)})


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return ({"W%d" % k: 10 * np.random.randn(m, n) for k, (n, m) in _pairs(layers_dims)}
            | {"b%d" % k: np.zeros((m, 1)) for k, (n, m) in _pairs(layers_dims)})


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    return ({"W%d" % k: np.sqrt(2 / n) * np.random.randn(m, n) for k, (n, m) in _pairs(layers_dims)}
            | {"b%d" % k: np.zeros((m, 1)) for k, (n, m) in _pairs(layers_dims)})
