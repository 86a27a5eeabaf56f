# style: SEED, SCALE and GAIN are module constants; a global layers_dims exists but is not used inside
import numpy as np

SEED = 3
SCALE = 10
GAIN = 2.0
layers_dims = [3, 2, 1]


def shapes_of(sizes):
    return {l: (sizes[l], sizes[l - 1]) for l in range(1, len(sizes))}


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for l, shape in shapes_of(layers_dims).items():
        parameters["W" + str(l)] = np.zeros(shape)
        parameters["b" + str(l)] = np.zeros((shape[0], 1))
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(SEED)
    parameters = {}
    for l, shape in shapes_of(layers_dims).items():
        parameters["W" + str(l)] = np.random.randn(*shape) * SCALE
        parameters["b" + str(l)] = np.zeros((shape[0], 1))
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(SEED)
    parameters = {}
    for l, shape in shapes_of(layers_dims).items():
        parameters["W" + str(l)] = np.random.randn(*shape) * np.sqrt(GAIN / shape[1])
        parameters["b" + str(l)] = np.zeros((shape[0], 1))
    return parameters


parameters = initialize_parameters_zeros(layers_dims)
