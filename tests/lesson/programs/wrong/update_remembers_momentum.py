# slip: a module-level momentum: the second call steps further
# function: update_parameters
# hint: momentum | second | call | twice | again | state | global | differ
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


VELOCITY = {}


def update_parameters(parameters, grads, learning_rate):
    L = len(parameters) // 2
    new = {}
    for k in range(1, L + 1):
        new["W" + str(k)] = parameters["W" + str(k)] - learning_rate * VELOCITY.setdefault(k, 0)
        VELOCITY[k] = 0.9 * VELOCITY[k] + grads["dW" + str(k)]
        new["W" + str(k)] = parameters["W" + str(k)] - learning_rate * VELOCITY[k]
        new["b" + str(k)] = parameters["b" + str(k)] - learning_rate * grads["db" + str(k)]
    return new
