# style: layers_dims becomes a numpy array, shapes made of numpy integers
import numpy as np


def initialize_parameters_zeros(layers_dims):
    n = np.array(layers_dims)
    par = {}
    for l in range(1, n.size):
        par['W' + str(l)] = np.zeros(n[[l, l - 1]])
        par['b' + str(l)] = np.zeros((n[l], 1))
    return par


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    n = np.asarray(layers_dims, dtype=int)
    par = {}
    for l in range(1, n.size):
        par['W' + str(l)] = np.multiply(np.random.randn(n[l], n[l - 1]), 10)
        par['b' + str(l)] = np.zeros((n[l], 1))
    return par


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    n = np.array(layers_dims)
    std = np.sqrt(2. / n[:-1])
    par = {}
    for l in range(1, len(n)):
        par['W' + str(l)] = np.random.randn(n[l], n[l - 1]) * std[l - 1]
        par['b' + str(l)] = np.zeros((n[l], 1))
    return par
