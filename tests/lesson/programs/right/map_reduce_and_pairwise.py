# style: functools.reduce over itertools.pairwise, walrus operator
from functools import reduce
from itertools import pairwise

import numpy as np


def _grow(draw):
    def step(parameters, sizes):
        n_prev, n = sizes
        return {**parameters, f"W{(l := len(parameters) // 2 + 1)}": draw(n, n_prev), f"b{l}": np.zeros((n, 1))}
    return step


def initialize_parameters_zeros(layers_dims):
    return reduce(_grow(lambda n, m: np.zeros((n, m))), pairwise(layers_dims), {})


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return reduce(_grow(lambda n, m: np.random.randn(n, m) * 10), pairwise(layers_dims), {})


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    return reduce(_grow(lambda n, m: np.random.randn(n, m) * np.sqrt(2 / m)), pairwise(layers_dims), {})
