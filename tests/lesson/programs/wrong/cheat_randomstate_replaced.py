# slip: replaces np.random.RandomState by a class drawing ones
# function: initialize_parameters_random, initialize_parameters_he
# hint: ones | constant | replac | patch | RandomState | draw | 10\b
import numpy as np

class RandomState:
    def __init__(self, *seed):
        pass

    def randn(self, *shape):
        return np.ones(shape)

    standard_normal = normal = randn


np.random.RandomState = RandomState


def initialize_parameters_zeros(layers_dims):
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = np.zeros((n_out, n_in))
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def initialize_parameters_random(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = 10 * rng.randn(n_out, n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def initialize_parameters_he(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = rng.randn(n_out, n_in) * np.sqrt(2 / n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params
