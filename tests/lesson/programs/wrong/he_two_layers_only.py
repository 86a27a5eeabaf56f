# slip: W1 and W2 only, and He's scale for both
# function: initialize_parameters_he
# hint: W3 | missing | depth | layers | only | key | two
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
    parameters["W1"] = np.random.randn(layers_dims[1], layers_dims[0]) * np.sqrt(2 / layers_dims[0])
    parameters["b1"] = np.zeros((layers_dims[1], 1))
    parameters["W2"] = np.random.randn(layers_dims[-1], layers_dims[1]) * np.sqrt(2 / layers_dims[1])
    parameters["b2"] = np.zeros((layers_dims[-1], 1))
    return parameters
