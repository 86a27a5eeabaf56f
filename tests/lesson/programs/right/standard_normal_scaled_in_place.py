# style: standard_normal(size=...), scaled afterwards with *= in a second loop
import numpy as np
import numpy.random as npr


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l in range(1, len(layers_dims)):
        W = np.empty((layers_dims[l], layers_dims[l - 1]))
        W.fill(0)
        b = np.empty((layers_dims[l], 1))
        b[:] = 0
        parameters["W" + str(l)], parameters["b" + str(l)] = W, b
    return parameters


def _unit(layers_dims):
    npr.seed(3)
    parameters = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        W = parameters["W" + str(l)]
        W[...] = npr.standard_normal(size=W.shape)
    return parameters


def initialize_parameters_random(layers_dims):
    parameters = _unit(layers_dims)
    for key in parameters:
        parameters[key] *= 10
    return parameters


def initialize_parameters_he(layers_dims):
    parameters = _unit(layers_dims)
    for key, value in parameters.items():
        if key.startswith("W"):
            value *= np.sqrt(2 / value.shape[1])
    return parameters
