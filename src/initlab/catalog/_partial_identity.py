"""Layers that start by handing their inputs on: the identity and its kernel, dirac."""

# ruff: noqa: ARG001  -- one signature for every row of the table

import math

import numpy as np

from initlab.catalog._blocks import at_centre, blocks
from initlab.catalog._checks import Shape, checked_kernel, checked_number, checked_shape
from initlab.catalog._rng import Rng, Weight


def identity(shape: Shape, *, rng: Rng, gain: float = 1.0) -> Weight:
    """Weights that hand each input on to the unit of the same index.

    A rectangular weight is a partial identity: surplus inputs are dropped, surplus
    units get zeros. A convolution's identity sits at the centre of its kernel, so
    that with odd kernels and "same" padding channels pass unchanged. Every group and
    every packed matrix is an identity of its own.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Not used, not advanced.
        gain: What the inputs are multiplied by.

    Example:
        >>> identity((2, 3), rng=np.random.default_rng(0), gain=2.0).tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]

    References:
        Le, Jaitly and Hinton (2015), https://arxiv.org/abs/1504.00941
    """
    parts, outputs, inputs, _ = blocks(shape)
    matrix = np.eye(outputs, inputs) * checked_number("gain", gain)
    return at_centre(shape, np.broadcast_to(matrix, (parts, outputs, inputs)))


def identity_std(shape: Shape, *, gain: float = 1.0) -> float:
    """The population standard deviation of a partial identity's entries.

    With a share p of entries equal to the gain and the others 0, it is
    abs(gain) * sqrt(p * (1 - p)).

    Example:
        >>> identity_std((2, 2))
        0.5
    """
    parts, outputs, inputs, _ = blocks(shape)
    share = parts * min(outputs, inputs) / math.prod(checked_shape(shape))
    return abs(checked_number("gain", gain)) * math.sqrt(share * (1 - share))


def dirac(shape: Shape, *, rng: Rng) -> Weight:
    """Kernels that pass each channel on unchanged: PyTorch's `dirac_`.

    Channel c of every group is copied to channel c of that group's outputs, by a 1 at
    the kernel's centre; outputs beyond the inputs start at 0 and alike.

    Args:
        shape: `(out, in, *kernel)` of one to three kernel axes, or a layer.
        rng: Not used, not advanced.

    Raises:
        InvalidValueError: If there is no kernel.

    Example:
        >>> dirac((2, 2, 3), rng=np.random.default_rng(0))[:, :, 1].tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    References:
        Zagoruyko and Komodakis (2017), https://arxiv.org/abs/1706.00388
    """
    checked_kernel("dirac", shape, "identity")
    return identity(shape, rng=rng)


def dirac_std(shape: Shape) -> float:
    """As of an identity: sqrt(p * (1 - p)), p the share of ones.

    Example:
        >>> round(dirac_std((2, 2, 3)), 6)
        0.372678
    """
    checked_kernel("dirac", shape, "identity")
    return identity_std(shape)
