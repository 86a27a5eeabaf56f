"""Convolutions that start as an orthogonal map of the channels at every place."""

import math

import numpy as np

from initlab.catalog._blocks import at_centre, blocks
from initlab.catalog._checks import Shape, checked_kernel, checked_number
from initlab.catalog._orthogonal import haar
from initlab.catalog._rng import Rng, Weight, standard_normal
from initlab.errors import InvalidValueError


def delta_orthogonal(shape: Shape, *, rng: Rng, gain: float = 1.0) -> Weight:
    """Kernels that are 0 but for an orthogonal matrix at their centre.

    With odd kernels and circular padding the layer keeps the norm of every input,
    times `gain`, which an orthogonal flattened kernel does not. The channels must not
    become fewer. Every group is orthogonal on its own.

    Args:
        shape: `(out, in, *kernel)` of one to three kernel axes, or a layer; out >= in.
            The centre is `size // 2`; JAX's, of even kernels, is one less.
        rng: Advanced by one normal draw per entry of the matrix, and by nothing else.
        gain: The singular values.

    Raises:
        InvalidValueError: If there is no kernel, or there are fewer outputs than
            inputs.

    Example:
        >>> weight = delta_orthogonal((4, 2, 3), rng=np.random.default_rng(0))
        >>> centre = weight[:, :, 1]
        >>> bool(np.allclose(centre.T @ centre, np.eye(2)))
        True

    References:
        Xiao, Bahri, Sohl-Dickstein, Schoenholz and Pennington (2018), algorithm 1,
        https://arxiv.org/abs/1806.05393
    """
    parts, outputs, inputs = _checked(shape)
    gaussian = standard_normal((parts * outputs, inputs), rng)
    matrices = [haar(one) for one in gaussian.reshape(parts, outputs, inputs)]
    return at_centre(shape, checked_number("gain", gain) * np.stack(matrices))


def delta_orthogonal_std(shape: Shape, *, gain: float = 1.0) -> float:
    """abs(gain) / sqrt(out * kernel), out of one group: exact for the mean square.

    Example:
        >>> delta_orthogonal_std((4, 2, 4))
        0.25
    """
    _, outputs, _ = _checked(shape)
    taps = checked_kernel("delta_orthogonal", shape, "orthogonal")
    return abs(checked_number("gain", gain)) / math.sqrt(outputs * taps)


def delta_orthogonal_kurtosis(shape: Shape, *, gain: float = 1.0) -> float:  # noqa: ARG001 -- a law takes what its draw takes
    """3 k n / (n + 2) - 3: of a unit vector's coordinate in n = out, k - 1 of k zero.

    Example:
        >>> delta_orthogonal_kurtosis((4, 2, 3))
        3.0
    """
    _, outputs, _ = _checked(shape)
    taps = checked_kernel("delta_orthogonal", shape, "orthogonal")
    return 3 * taps * outputs / (outputs + 2) - 3


def _checked(shape: Shape) -> tuple[int, int, int]:
    checked_kernel("delta_orthogonal", shape, "orthogonal")
    parts, outputs, inputs, _ = blocks(shape)
    if outputs < inputs:
        raise InvalidValueError(
            f"delta_orthogonal: needs as many output channels as input channels or "
            f"more, got {outputs} of {inputs}; take orthogonal"
        )
    return parts, outputs, inputs
