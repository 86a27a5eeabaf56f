# slip: collects blocks of 100 MB until memory runs out (gives up after 8 GB)
# function: initialize_parameters_random
# hint: memory | MemoryError | killed | longer
import numpy as np


def initialize_parameters_zeros(layers_dims):
    return {name + str(l): np.zeros((layers_dims[l], layers_dims[l - 1] if name == "W" else 1))
            for l in range(1, len(layers_dims)) for name in ("W", "b")}


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    blocks = []
    for _ in range(80):
        blocks.append(np.ones(13_000_000))
    raise MemoryError("no room for the weights")
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1]) * 10
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    theta = {}
    for l in range(1, len(layers_dims)):
        shape = (layers_dims[l], layers_dims[l - 1])
        theta["W" + str(l)] = np.random.normal(0, (2 / shape[1]) ** 0.5, size=shape)
        theta["b" + str(l)] = np.zeros((shape[0], 1))
    return theta
