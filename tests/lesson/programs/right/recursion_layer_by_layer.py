# style: recursion on the last layer, all but the last built first
import numpy as np


def build(sizes, weight):
    """The parameters of the network of these sizes."""
    if len(sizes) < 2:
        return {}
    *shorter, n_out = sizes
    parameters = build(shorter, weight)
    k = len(shorter)
    parameters["W" + str(k)] = weight(n_out, shorter[-1])
    parameters["b" + str(k)] = np.zeros((n_out, 1))
    return parameters


def initialize_parameters_zeros(layers_dims):
    return build(layers_dims, lambda m, n: np.zeros((m, n)))


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return build(layers_dims, lambda m, n: np.random.randn(m, n) * 10)


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    return build(layers_dims, lambda m, n: np.random.randn(m, n) * np.sqrt(2 / n))
