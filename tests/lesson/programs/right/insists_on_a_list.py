# style: checks that layers_dims is a list of ints, as the docstring of the lesson says, and copies it to a tuple
import numpy as np


def _checked(layers_dims):
    if not isinstance(layers_dims, list):
        raise TypeError("layers_dims -- python array (list) containing the size of each layer")
    if any(not isinstance(n, int) or n < 1 for n in layers_dims):
        raise ValueError("sizes must be positive whole numbers")
    return tuple(layers_dims)


def initialize_parameters_zeros(layers_dims):
    dims = _checked(layers_dims)
    parameters = {}
    for l in range(1, len(dims)):
        parameters["W" + str(l)] = np.zeros((dims[l], dims[l - 1]))
        parameters["b" + str(l)] = np.zeros((dims[l], 1))
    return parameters


def initialize_parameters_random(layers_dims):
    dims = _checked(layers_dims)
    np.random.seed(3)
    parameters = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(dims)):
        parameters["W" + str(l)] = np.random.randn(dims[l], dims[l - 1]) * 10
    return parameters


def initialize_parameters_he(layers_dims):
    dims = _checked(layers_dims)
    np.random.seed(3)
    parameters = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(dims)):
        parameters["W" + str(l)] = np.random.randn(dims[l], dims[l - 1]) * np.sqrt(2 / dims[l - 1])
    return parameters
