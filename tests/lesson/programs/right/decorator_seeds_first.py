# style: a decorator seeds before the call, another adds the biases
import functools

import numpy as np


def seeded(seed):
    def wrap(f):
        @functools.wraps(f)
        def inner(*args, **kwargs):
            np.random.seed(seed)
            return f(*args, **kwargs)
        return inner
    return wrap


def with_biases(f):
    @functools.wraps(f)
    def inner(layers_dims):
        parameters = f(layers_dims)
        for l, n in enumerate(layers_dims):
            if l:
                parameters["b" + str(l)] = np.zeros((n, 1))
        return parameters
    return inner


@with_biases
def initialize_parameters_zeros(layers_dims):
    return {"W" + str(l): np.zeros((layers_dims[l], layers_dims[l - 1])) for l in range(1, len(layers_dims))}


@with_biases
@seeded(3)
def initialize_parameters_random(layers_dims):
    return {"W" + str(l): np.random.randn(layers_dims[l], layers_dims[l - 1]) * 10
            for l in range(1, len(layers_dims))}


@seeded(seed=3)
@with_biases
def initialize_parameters_he(layers_dims):
    return {"W" + str(l): np.random.randn(layers_dims[l], layers_dims[l - 1]) * np.sqrt(2.0 / layers_dims[l - 1])
            for l in range(1, len(layers_dims))}
