# slip: the share of wrong predictions
# function: compute_loss
# hint: accuracy | cross | log | error | expected
import numpy as np


def initialize_parameters_zeros(layers_dims):
    return {name + str(l): np.zeros((layers_dims[l], layers_dims[l - 1] if name == "W" else 1))
            for l in range(1, len(layers_dims)) for name in ("W", "b")}


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    theta = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        theta["W" + str(l)] = 10 * np.random.standard_normal((layers_dims[l], layers_dims[l - 1]))
    return theta


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    theta = {}
    for l in range(1, len(layers_dims)):
        shape = (layers_dims[l], layers_dims[l - 1])
        theta["W" + str(l)] = np.random.normal(0, (2 / shape[1]) ** 0.5, size=shape)
        theta["b" + str(l)] = np.zeros((shape[0], 1))
    return theta


def compute_loss(a3, Y):
    m = Y.shape[1]
    logprobs = np.abs((a3 > 0.5) - Y)
    loss = 1. / m * np.nansum(logprobs)
    return loss
