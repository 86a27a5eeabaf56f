# style: divide and conquer, left half drawn before the right half
import numpy as np


def _fill(out, sizes, lo, hi, draw):
    if hi - lo == 1:
        out[f"W{hi}"] = draw(sizes[hi], sizes[lo])
        out[f"b{hi}"] = np.zeros([sizes[hi], 1])
    elif hi > lo:
        mid = (lo + hi) // 2
        _fill(out, sizes, lo, mid, draw)
        _fill(out, sizes, mid, hi, draw)
    return out


def initialize_parameters_zeros(layers_dims):
    return _fill({}, layers_dims, 0, len(layers_dims) - 1, lambda *shape: np.zeros(shape))


def initialize_parameters_random(layers_dims):
    r = np.random.RandomState(3)
    return _fill({}, layers_dims, 0, len(layers_dims) - 1, lambda *shape: 10.0 * r.randn(*shape))


def initialize_parameters_he(layers_dims):
    r = np.random.RandomState(3)
    return _fill({}, layers_dims, 0, len(layers_dims) - 1,
                 lambda *shape: r.randn(*shape) * (2 / shape[1]) ** 0.5)
