"""A weight as matrices, one per group and packed part, at the centre of its kernel."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from initlab.catalog._checks import Shape, checked_shape
from initlab.catalog._rng import Weight
from initlab.errors import InvalidValueError
from initlab.spec import LayerSpec


class Blocks(NamedTuple):
    """How many matrices a weight holds, and what each maps to what.

    Attributes:
        parts: Groups times packed matrices: each is initialized on its own.
        outputs: Units of one part.
        inputs: Inputs of one part, without the kernel.
        transposed: Whether the weight stores inputs before outputs.
    """

    parts: int
    outputs: int
    inputs: int
    transposed: bool


def blocks(shape: Shape) -> Blocks:
    """The matrices of a layer; a bare shape is one matrix.

    Raises:
        InvalidValueError: If groups and packed matrices together do not divide the
            first axis.

    Example:
        >>> blocks(LayerSpec(kind="conv", shape=(8, 3, 5), groups=2))
        Blocks(parts=2, outputs=4, inputs=3, transposed=False)
    """
    first, second, *_ = checked_shape(shape)
    if not isinstance(shape, LayerSpec):
        return Blocks(1, first, second, False)
    parts = shape.groups * shape.packed
    if first % parts:
        raise InvalidValueError(
            f"packed, groups: their product must divide the first axis of shape "
            f"{shape.shape}, got {shape.packed} * {shape.groups}"
        )
    share = first // parts
    if shape.transposed:
        return Blocks(parts, second, share, True)
    return Blocks(parts, share, second, False)


def at_centre(
    shape: Shape, matrices: Float64[np.ndarray, "parts outputs inputs"]
) -> Weight:
    """The weight that applies these matrices at its kernel's centre, `size // 2`.

    With odd kernels and "same" padding the layer is then the matrix at every place.

    Example:
        >>> at_centre((1, 1, 3), np.full((1, 1, 1), 7.0)).tolist()
        [[[0.0, 7.0, 0.0]]]
    """
    first, second, *kernel = checked_shape(shape)
    stored = matrices.swapaxes(1, 2) if blocks(shape).transposed else matrices
    weight = np.zeros((first, second, *kernel))
    centre: tuple[Any, ...] = tuple(size // 2 for size in kernel)
    weight[(..., *centre)] = stored.reshape(first, second)
    return weight
