"""Weights of zeros and ones: partial identities, and Hadamard where a layer grows."""

# ruff: noqa: ARG001  -- one signature for every row of the table

import numpy as np
from jaxtyping import Float64
from scipy.linalg import hadamard

from initlab.catalog._blocks import at_centre, blocks
from initlab.catalog._checks import Shape
from initlab.catalog._rng import Rng, Weight


def zero_hadamard(shape: Shape, *, rng: Rng) -> Weight:
    """ZerO: a partial identity, or a normalized Hadamard matrix where the layer grows.

    With out <= in, units copy the first inputs. With out > in, the weight is the
    corner `(out, in)` of the Hadamard matrix of the next power of two P >= out, over
    sqrt(P): every unit gets a different mix, where a partial identity would leave the
    surplus ones at 0. It is an isometry only if out is P itself. Where P is more than
    twice in, units of the corner repeat. A convolution has it at its kernel's centre.

    The method also starts the last layer of every residual branch, and of the
    network, at 0: take `zeros` there.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Not used, not advanced.

    Example:
        >>> zero_hadamard((4, 2), rng=np.random.default_rng(0)).tolist()
        [[0.5, 0.5], [0.5, -0.5], [0.5, 0.5], [0.5, -0.5]]

    References:
        Zhao, Schaefer and Anandkumar (2022), algorithms 1 and 2,
        https://arxiv.org/abs/2110.12661. The scale 1 / sqrt(P) is that of the
        authors' code, https://github.com/jiaweizzhao/ZerO-initialization
    """
    parts, outputs, inputs, _ = blocks(shape)
    matrix = _matrix(outputs, inputs)
    return at_centre(shape, np.broadcast_to(matrix, (parts, outputs, inputs)))


def zero_hadamard_std(shape: Shape) -> float:
    """The population standard deviation of the entries, which are not random.

    Example:
        >>> zero_hadamard_std((2, 2))
        0.5
    """
    return float(zero_hadamard(shape, rng=np.random.default_rng(0)).std())


def _matrix(outputs: int, inputs: int) -> Float64[np.ndarray, "outputs inputs"]:
    if outputs <= inputs:
        return np.eye(outputs, inputs)
    power = 1 << (outputs - 1).bit_length()
    return hadamard(power, dtype=np.float64)[:outputs, :inputs] / np.sqrt(power)
