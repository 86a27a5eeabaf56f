# style: a generator yields (name, array) pairs, dict() collects them
import itertools

import numpy as np


def layers(layers_dims, weights):
    left, right = itertools.tee(layers_dims)
    next(right, None)
    for number, (n_in, n_out) in enumerate(zip(left, right), start=1):
        yield "W%i" % number, weights(n_out, n_in)
        yield "b%i" % number, np.zeros((n_out, 1))


def initialize_parameters_zeros(layers_dims):
    return dict(layers(layers_dims, lambda *s: np.zeros(s)))


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return dict(layers(layers_dims, lambda *s: np.random.randn(*s) * 10))


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    return dict(layers(layers_dims, lambda *s: np.random.randn(*s) * np.sqrt(2 / s[1])))
