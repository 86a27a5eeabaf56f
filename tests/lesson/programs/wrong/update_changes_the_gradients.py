# slip: scales the gradients in place
# function: update_parameters
# hint: mutat | chang | modif | grads | in place | argument
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
    L = len(parameters) // 2
    new = {}
    for name in grads:
        grads[name] *= learning_rate
    for k in range(1, L + 1):
        new["W" + str(k)] = parameters["W" + str(k)] - grads["dW" + str(k)]
        new["b" + str(k)] = parameters["b" + str(k)] - grads["db" + str(k)]
    return new
