# slip: returns the printed numbers for [3, 2, 1] whatever the sizes
# function: initialize_parameters_random
# hint: hard-coded | hard coded | layers_dims | shape | same | ignor | sizes
import numpy as np


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.zeros((layers_dims[l], layers_dims[l-1]))
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters


def initialize_parameters_random(layers_dims):
    parameters = {}
    parameters["W1"] = np.array([[17.88628473, 4.36509851, 0.96497468],
                                 [-18.63492703, -2.77388203, -3.54758979]])
    parameters["b1"] = np.array([[0.], [0.]])
    parameters["W2"] = np.array([[-0.82741481, -6.27000677]])
    parameters["b2"] = np.array([[0.]])
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1]) * np.sqrt(2./layers_dims[l-1])
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters
