# style: a dict subclass with attribute access, defined inside a function (cannot be pickled)
import numpy as np


def _new():
    class Parameters(dict):
        def __getattr__(self, name):
            return self[name]

        def __repr__(self):
            return "Parameters(" + ", ".join(self) + ")"

    return Parameters()


def _fill(layers_dims, make):
    p = _new()
    for l in range(1, len(layers_dims)):
        p["W" + str(l)] = make(layers_dims[l], layers_dims[l - 1])
        p["b" + str(l)] = np.zeros((layers_dims[l], 1))
    return p


def initialize_parameters_zeros(layers_dims):
    return _fill(layers_dims, lambda a, b: np.zeros((a, b)))


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return _fill(layers_dims, lambda a, b: np.random.randn(a, b) * 10)


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    return _fill(layers_dims, lambda a, b: np.random.randn(a, b) * np.sqrt(2. / b))
