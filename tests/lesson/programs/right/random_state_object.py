# style: a private RandomState(3) in each function, the global stream untouched
import numpy as np
from numpy.random import RandomState


def initialize_parameters_zeros(dims):
    p = {}
    for i, n in enumerate(dims[1:]):
        p["W{}".format(i + 1)] = np.zeros((n, dims[i]), dtype=np.float64)
        p["b{}".format(i + 1)] = np.zeros((n, 1), dtype=np.float64)
    return p


def initialize_parameters_random(dims):
    rs, p = RandomState(3), {}
    for i, n in enumerate(dims[1:]):
        p["W{}".format(i + 1)] = rs.randn(n, dims[i]) * 10.
        p["b{}".format(i + 1)] = np.zeros((n, 1))
    return p


def initialize_parameters_he(dims):
    rs, p = RandomState(3), {}
    for i, n in enumerate(dims[1:]):
        p["W{}".format(i + 1)] = rs.randn(n, dims[i]) * np.sqrt(2. / dims[i])
        p["b{}".format(i + 1)] = np.zeros((n, 1))
    return p
