# style: OrderedDict, all weights first and then all biases
from collections import OrderedDict

import numpy as np


def initialize_parameters_zeros(layers_dims):
    L = len(layers_dims)
    params = OrderedDict(("W" + str(l), np.zeros((layers_dims[l], layers_dims[l - 1]))) for l in range(1, L))
    params.update(("b" + str(l), np.zeros((layers_dims[l], 1))) for l in range(1, L))
    return params


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    params = initialize_parameters_zeros(layers_dims)
    for name in [name for name in params if name[0] == "W"]:
        params[name] = np.random.randn(*params[name].shape) * 10
    return params


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    params = initialize_parameters_zeros(layers_dims)
    for name in [name for name in params if name[0] == "W"]:
        n_out, n_in = params[name].shape
        params[name] = np.random.randn(n_out, n_in) * np.sqrt(2 / n_in)
    return params
