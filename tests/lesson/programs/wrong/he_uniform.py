# slip: He's uniform variant, sqrt(6 / n_prev)
# function: initialize_parameters_he
# hint: uniform | normal | randn
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
    rng = np.random.RandomState(3)
    params = {}
    for k, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), start=1):
        params[f"W{k}"] = rng.uniform(-1, 1, (n_out, n_in)) * np.sqrt(6 / n_in)
        params[f"b{k}"] = np.zeros((n_out, 1))
    return params
