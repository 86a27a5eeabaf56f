# style: loss as a plain np.mean, backward with where() masks and einsum, helpers from init_utils
import numpy as np
from init_utils import forward_propagation


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l, n in enumerate(layers_dims[1:], start=1):
        parameters.update({"W" + str(l): np.zeros((n, layers_dims[l - 1])), "b" + str(l): np.zeros((n, 1))})
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = {}
    for l, n in enumerate(layers_dims[1:], start=1):
        parameters.update({"W" + str(l): np.random.randn(n, layers_dims[l - 1]) * 1e1, "b" + str(l): np.zeros((n, 1))})
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    for l, n in enumerate(layers_dims[1:], start=1):
        sd = (2 / layers_dims[l - 1]) ** .5
        parameters.update({"W" + str(l): np.random.randn(n, layers_dims[l - 1]) * sd, "b" + str(l): np.zeros((n, 1))})
    return parameters


def compute_loss(a3, Y):
    return -np.mean(Y * np.log(a3) + (1 - Y) * np.log(1 - a3))


def backward_propagation(X, Y, cache):
    z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3 = cache
    m = X.shape[1]
    d3 = a3 - Y
    d2 = np.where(z2 > 0, np.einsum("ji,jm->im", W3, d3), 0)
    d1 = np.where(z1 > 0, np.einsum("ji,jm->im", W2, d2), 0)
    g = {}
    for k, d, a in ((1, d1, X), (2, d2, a1), (3, d3, a2)):
        g["dW" + str(k)] = np.einsum("im,jm->ij", d, a) / m
        g["db" + str(k)] = d.mean(axis=1, keepdims=True)
    return g


def update_parameters(parameters, grads, learning_rate):
    step = {name[1:]: -learning_rate * grad for name, grad in grads.items()}
    return {name: parameters[name] + step[name] for name in parameters}
