# style: while loops that pop from their own copy of the sizes
import numpy as np


def initialize_parameters_zeros(layers_dims):
    rest = list(layers_dims)
    parameters = {}
    l = 0
    previous = rest.pop(0)
    while rest:
        l += 1
        n = rest.pop(0)
        parameters["W" + str(l)] = np.zeros((n, previous))
        parameters["b" + str(l)] = np.zeros((n, 1))
        previous = n
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = {}
    l = 1
    while l < len(layers_dims):
        parameters["W" + str(l)] = np.random.randn(layers_dims[l], layers_dims[l - 1]) * 10
        parameters["b" + str(l)] = np.zeros((layers_dims[l], 1))
        l = l + 1
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    stack = layers_dims[::-1]
    parameters = {}
    while len(stack) > 1:
        l = len(layers_dims) - len(stack) + 1
        n_prev = stack.pop()
        parameters["W" + str(l)] = np.random.randn(stack[-1], n_prev) * np.sqrt(2 / n_prev)
        parameters["b" + str(l)] = np.zeros((stack[-1], 1))
    return parameters
