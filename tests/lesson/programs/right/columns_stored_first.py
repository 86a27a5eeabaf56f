# style: arrays in Fortran order (np.asfortranarray), values and shapes as always
import numpy as np


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters["W" + str(l)] = np.zeros((layers_dims[l], layers_dims[l - 1]), order="F")
        parameters["b" + str(l)] = np.zeros((1, layers_dims[l])).T
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters["W" + str(l)] = np.asfortranarray(np.random.randn(layers_dims[l], layers_dims[l - 1])) * 10
        parameters["b" + str(l)] = np.zeros(layers_dims[l]).reshape(-1, 1)
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    for l in range(1, len(layers_dims)):
        W = np.random.randn(layers_dims[l], layers_dims[l - 1]) * np.sqrt(2 / layers_dims[l - 1])
        parameters["W" + str(l)] = np.array(W, order="F")
        parameters["b" + str(l)] = np.zeros(layers_dims[l])[:, np.newaxis]
    return parameters
