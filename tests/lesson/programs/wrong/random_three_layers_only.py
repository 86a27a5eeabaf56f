# slip: unpacks exactly four sizes
# function: initialize_parameters_random
# hint: unpack | ValueError | depth | layers | only | three | sizes
import numpy as np


def initialize_parameters_zeros(layers_dims):
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = np.zeros((n_out, n_in))
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    n0, n1, n2, n3 = layers_dims
    return {"W1": np.random.randn(n1, n0) * 10, "b1": np.zeros((n1, 1)),
            "W2": np.random.randn(n2, n1) * 10, "b2": np.zeros((n2, 1)),
            "W3": np.random.randn(n3, n2) * 10, "b3": np.zeros((n3, 1))}


def initialize_parameters_he(layers_dims):
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = rng.randn(n_out, n_in) * np.sqrt(2 / n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params
