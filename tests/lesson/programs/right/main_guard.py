# style: everything but the functions under if __name__ == "__main__"
import sys

import numpy as np


def weights(shape, factor):
    return np.random.randn(*shape) * factor


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for index in range(len(layers_dims) - 1):
        parameters["W" + str(index + 1)] = np.zeros((layers_dims[index + 1], layers_dims[index]))
        parameters["b" + str(index + 1)] = np.zeros((layers_dims[index + 1], 1))
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = {}
    for index in range(len(layers_dims) - 1):
        parameters["W" + str(index + 1)] = weights((layers_dims[index + 1], layers_dims[index]), 10)
        parameters["b" + str(index + 1)] = np.zeros((layers_dims[index + 1], 1))
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    for index in range(len(layers_dims) - 1):
        shape = layers_dims[index + 1], layers_dims[index]
        parameters["W" + str(index + 1)] = weights(shape, np.sqrt(2 / shape[-1]))
        parameters["b" + str(index + 1)] = np.zeros((layers_dims[index + 1], 1))
    return parameters


def main():
    for function in initialize_parameters_zeros, initialize_parameters_random, initialize_parameters_he:
        print(function.__name__, function([3, 2, 1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
