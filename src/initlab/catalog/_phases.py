"""What strides do to a convolution: positions that see different numbers of taps."""

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float64, Int64

from initlab.errors import InvalidValueError
from initlab.spec import LayerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The taps of a kernel that meet at each position between two strides.

    Attributes:
        taps: By phase, one axis per axis of the kernel.
        variance: By phase, relative to the mean: what is 1 on average where weights
            have the variance 1 / fan.

    Example:
        >>> upsampling = LayerSpec(
        ...     kind="conv", shape=(8, 8, 3), stride=(2,), transposed=True
        ... )
        >>> phases(upsampling).variance.round(3).tolist()
        [1.333, 0.667]
    """

    taps: Int64[np.ndarray, "*stride"]
    variance: Float64[np.ndarray, "*stride"]

    @property
    def mean_taps(self) -> float:
        """Kernel size over stride: the factor of the fan.

        Example:
            >>> phases(LayerSpec(kind="conv", shape=(8, 8, 3), stride=(2,))).mean_taps
            1.5
        """
        return float(self.taps.mean())

    @property
    def holes(self) -> int:
        """Phases that no tap reaches: outputs that are bias alone, or inputs unread.

        Example:
            >>> phases(LayerSpec(kind="conv", shape=(8, 8, 2), stride=(3,))).holes
            1
        """
        return int((self.taps == 0).sum())


def phases(layer: LayerSpec) -> Phases:
    """How many taps meet at each phase of a strided convolution.

    Of a transposed convolution these are the taps that an output adds up, so that
    its forward variance differs from position to position (a checkerboard); of an
    ordinary one those through which an input is read, which does the same to the
    gradient. A kernel of 3 with stride 2 alternates 2 and 1; a kernel shorter than
    the stride leaves holes, and so does a dilation that shares a factor with it.

    Args:
        layer: A convolution. Padding only renames the phases.

    Raises:
        InvalidValueError: If the layer is no convolution.

    Example:
        >>> both = LayerSpec(kind="conv", shape=(8, 8, 3, 4), stride=(2, 2))
        >>> phases(both).taps.tolist()
        [[4, 4], [2, 2]]

    References:
        Dumoulin and Visin (2016), chapter 4, https://arxiv.org/abs/1603.07285;
        Odena, Dumoulin and Olah (2016), https://doi.org/10.23915/distill.00003
    """
    if layer.kind != "conv":
        raise InvalidValueError(
            f"layer: only convolutions have phases, got kind {layer.kind!r}"
        )
    axes = zip(layer.kernel, layer.strides, layer.dilations, strict=True)
    per_axis = [
        np.bincount(np.arange(size) * dilation % stride, minlength=stride)
        for size, stride, dilation in axes
    ]
    taps = reduce(np.multiply.outer, per_axis).astype(np.int64)
    mean = math.prod(layer.kernel) / math.prod(layer.strides)
    return Phases(taps=taps, variance=taps / mean)
