# style: type hints, f-strings, an extra keyword argument with a default
from typing import Dict, List

import numpy as np
from numpy.typing import NDArray

Parameters = Dict[str, NDArray[np.float64]]


def initialize_parameters_zeros(layers_dims: List[int]) -> Parameters:
    parameters: Parameters = {}
    for l in range(1, len(layers_dims)):
        parameters[f"W{l}"] = np.zeros((layers_dims[l], layers_dims[l - 1]))
        parameters[f"b{l}"] = np.zeros((layers_dims[l], 1))
    return parameters


def initialize_parameters_random(layers_dims: List[int], seed: int = 3, scale: float = 10.0) -> Parameters:
    np.random.seed(seed)
    parameters: Parameters = {}
    for l in range(1, len(layers_dims)):
        parameters[f"W{l}"] = scale * np.random.randn(layers_dims[l], layers_dims[l - 1])
        parameters[f"b{l}"] = np.zeros((layers_dims[l], 1))
    return parameters


def initialize_parameters_he(layers_dims: List[int], seed: int = 3) -> Parameters:
    np.random.seed(seed)
    parameters: Parameters = {}
    for l in range(1, len(layers_dims)):
        n_in: int = layers_dims[l - 1]
        parameters[f"W{l}"] = np.random.randn(layers_dims[l], n_in) * np.sqrt(2 / n_in)
        parameters[f"b{l}"] = np.zeros((layers_dims[l], 1))
    return parameters
