# style: np.random.normal(loc, scale, size), biases by np.full
import math

import numpy as np


def _draw(layers_dims, std):
    np.random.seed(3)
    theta = {}
    for l in range(len(layers_dims) - 1):
        n_in, n_out = layers_dims[l], layers_dims[l + 1]
        theta.update({"W" + str(l + 1): np.random.normal(loc=0.0, scale=std(n_in), size=(n_out, n_in)),
                      "b" + str(l + 1): np.full((n_out, 1), 0.0)})
    return theta


def initialize_parameters_zeros(layers_dims):
    theta = _draw(layers_dims, lambda n: 1)
    return {key: np.zeros_like(value) for key, value in theta.items()}


def initialize_parameters_random(layers_dims):
    return _draw(layers_dims, lambda n: 10)


def initialize_parameters_he(layers_dims):
    return _draw(layers_dims, lambda n: math.sqrt(2 / n))
