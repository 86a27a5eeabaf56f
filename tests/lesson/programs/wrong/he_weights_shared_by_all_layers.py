# slip: layers of equal shape share one array
# function: initialize_parameters_he
# hint: same | share | object | memory | identical | W2
import numpy as np


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.zeros((layers_dims[l], layers_dims[l-1]))
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1]) * 10
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    made = {}
    L = len(layers_dims)

    for l in range(1, L):
        shape = (layers_dims[l], layers_dims[l-1])
        W = made.setdefault(shape, np.random.randn(*shape) * np.sqrt(2./shape[1]))
        parameters['W' + str(l)] = W
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters
