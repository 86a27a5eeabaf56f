# slip: the caller's list is written to: first size turned into a float, last size doubled
# function: initialize_parameters_he
# hint: mutat | chang | modif | argument | layers_dims
import numpy as np


def initialize_parameters_zeros(layers_dims):
    return {name + str(l): np.zeros((layers_dims[l], layers_dims[l - 1] if name == "W" else 1))
            for l in range(1, len(layers_dims)) for name in ("W", "b")}


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    theta = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        theta["W" + str(l)] = 10 * np.random.standard_normal((layers_dims[l], layers_dims[l - 1]))
    return theta


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1]) * np.sqrt(2./layers_dims[l-1])
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    layers_dims[0] = float(layers_dims[0])
    layers_dims[-1] *= 2
    return parameters
