"""What notebooks of the lesson Gradient Checking import from `gc_utils`.

Its network is fixed: 4 features, layers of 5, 3 and 1 units, 47 parameters.
"""

from itertools import pairwise

import numpy as np

from initlab.lesson.modules._network import Parameters, relu, sigmoid

__all__ = [
    "dictionary_to_vector",
    "gradients_to_vector",
    "relu",
    "sigmoid",
    "vector_to_dictionary",
]

_NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")
_SHAPES = ((5, 4), (5, 1), (3, 5), (3, 1), (1, 3), (1, 1))


def dictionary_to_vector(parameters: Parameters) -> tuple[np.ndarray, list[str]]:
    """All parameters as one column `(47, 1)`, and the name that each entry is of."""
    columns = [np.reshape(parameters[name], (-1, 1)) for name in _NAMES]
    keys = [
        name
        for name, column in zip(_NAMES, columns, strict=True)
        for _ in range(len(column))
    ]
    return np.concatenate(columns), keys


def vector_to_dictionary(theta: np.ndarray) -> Parameters:
    """The parameters of a column `(47, 1)`, in their shapes."""
    ends = np.cumsum([0, *(rows * columns for rows, columns in _SHAPES)])
    return {
        name: theta[start:stop].reshape(shape)
        for name, shape, (start, stop) in zip(
            _NAMES, _SHAPES, pairwise(ends), strict=True
        )
    }


def gradients_to_vector(gradients: Parameters) -> np.ndarray:
    """The gradients dW1, db1, ..., db3 as one column `(47, 1)`."""
    return np.concatenate([np.reshape(gradients[f"d{n}"], (-1, 1)) for n in _NAMES])
