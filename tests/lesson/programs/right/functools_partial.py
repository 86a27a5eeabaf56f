# style: the three functions are functools.partial objects, without a __name__
from functools import partial

import numpy as np


def _initialize(layers_dims, *, scale):
    rng = np.random.RandomState(seed=3)
    parameters = dict()
    for l, (n_prev, n) in enumerate(zip(layers_dims[:-1], layers_dims[1:]), 1):
        s = scale(n_prev)
        parameters[f"W{l}"] = rng.standard_normal((n, n_prev)) * s if s else np.zeros((n, n_prev))
        parameters[f"b{l}"] = np.zeros((n, 1))
    return parameters


initialize_parameters_zeros = partial(_initialize, scale=lambda n: 0)
initialize_parameters_random = partial(_initialize, scale=lambda n: 10)
initialize_parameters_he = partial(_initialize, scale=lambda n: np.sqrt(2 / n))
