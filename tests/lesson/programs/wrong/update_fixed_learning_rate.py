# slip: 0.01 whatever is given
# function: update_parameters
# hint: learning | rate | ignor | 0\.01
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
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1]) * np.sqrt(2./layers_dims[l-1])
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters


def update_parameters(parameters, grads, learning_rate):
    learning_rate = 0.01
    L = len(parameters) // 2
    new = {}
    for k in range(1, L + 1):
        new["W" + str(k)] = parameters["W" + str(k)] - learning_rate * grads["dW" + str(k)]
        new["b" + str(k)] = parameters["b" + str(k)] - learning_rate * grads["db" + str(k)]
    return new
