# slip: makes W1 and W2 whatever the number of sizes
# function: initialize_parameters_random
# hint: W3 | missing | depth | layers | only | key | two
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
    n_x, n_h, n_y = layers_dims[0], layers_dims[1], layers_dims[2]
    W1 = np.random.randn(n_h, n_x) * 10
    b1 = np.zeros((n_h, 1))
    W2 = np.random.randn(n_y, n_h) * 10
    b2 = np.zeros((n_y, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1]) * np.sqrt(2./layers_dims[l-1])
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters
