# style: model and update_parameters copy the arrays and then subtract in place
import copy

import numpy as np
from init_utils import forward_propagation, backward_propagation, compute_loss


def _initialize(layers_dims, scale):
    np.random.seed(3)
    W = [np.random.randn(m, n) for n, m in zip(layers_dims, layers_dims[1:])]
    parameters = {}
    for l, w in enumerate(W, 1):
        w *= scale(w.shape[1])
        parameters["W" + str(l)], parameters["b" + str(l)] = w, np.zeros((len(w), 1))
    return parameters


def initialize_parameters_zeros(layers_dims):
    return {k: np.zeros(v.shape) for k, v in _initialize(layers_dims, lambda n: 1).items()}


def initialize_parameters_random(layers_dims):
    return _initialize(layers_dims, lambda n: 10)


def initialize_parameters_he(layers_dims):
    return _initialize(layers_dims, lambda n: np.sqrt(2 / n))


def update_parameters(parameters, grads, learning_rate):
    parameters = copy.deepcopy(parameters)
    for l in range(1, len(parameters) // 2 + 1):
        parameters["W" + str(l)] -= learning_rate * grads["dW" + str(l)]
        parameters["b" + str(l)] -= learning_rate * grads["db" + str(l)]
    return parameters


def model(X, Y, learning_rate=0.01, num_iterations=15000, print_cost=True, initialization="he"):
    choose = dict(zeros=initialize_parameters_zeros, random=initialize_parameters_random, he=initialize_parameters_he)
    parameters = choose[initialization]([len(X), 10, 5, 1])
    i = 0
    while i < num_iterations:
        a3, cache = forward_propagation(X, parameters)
        grads = backward_propagation(X, Y, cache)
        parameters = update_parameters(parameters, grads, learning_rate)
        if print_cost and not i % 1000:
            print("Cost after iteration", i, compute_loss(a3, Y))
        i += 1
    return parameters
