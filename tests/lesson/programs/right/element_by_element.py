# style: preallocated arrays filled one number at a time, row by row
from math import sqrt

import numpy as np


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters["W" + str(l)] = np.array([[0.0] * layers_dims[l - 1] for _ in range(layers_dims[l])])
        parameters["b" + str(l)] = np.array([[0.0] for _ in range(layers_dims[l])])
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        for i in range(layers_dims[l]):
            for j in range(layers_dims[l - 1]):
                parameters["W" + str(l)][i, j] = np.random.randn() * 10
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        factor = sqrt(2 / layers_dims[l - 1])
        for i, row in enumerate(parameters["W" + str(l)]):
            row[:] = [factor * np.random.randn() for _ in row]
    return parameters
