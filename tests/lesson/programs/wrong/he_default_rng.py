# slip: default_rng(3) instead of seed 3
# function: initialize_parameters_he
# hint: default_rng | Generator | legacy | np\.random\.seed | stream | draw
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
    rng = np.random.default_rng(3)
    parameters = {}
    L = len(layers_dims)

    for l in range(1, L):
        parameters['W' + str(l)] = rng.standard_normal((layers_dims[l], layers_dims[l-1])) * np.sqrt(2./layers_dims[l-1])
        parameters['b' + str(l)] = np.zeros((layers_dims[l], 1))

    return parameters
