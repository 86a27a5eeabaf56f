"""Layers as plain NumPy, and how many weights a signal meets in each.

Convolutions are circular: there is no edge, so that every output meets as many inputs
as in the middle of a large picture. Weights are as PyTorch stores them.

Axes: example, channel (of the input or of the output), and the positions.
"""

import math
from typing import Any, TypeAlias

import numpy as np

from initlab.spec import LayerSpec

Target: TypeAlias = tuple[int, ...] | LayerSpec
Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def shape_of(target: Target) -> tuple[int, ...]:
    """The shape of the target's weight.

    Example:
        >>> shape_of(LayerSpec(shape=(10, 2)))
        (10, 2)
    """
    return target.shape if isinstance(target, LayerSpec) else target


def layer_of(target: Target) -> LayerSpec:
    """The layer that a bare shape stands for: an ordinary one.

    Example:
        >>> layer_of((10, 2, 3)).kind
        'conv'
    """
    if isinstance(target, LayerSpec):
        return target
    return LayerSpec(kind="conv" if len(target) > 2 else "linear", shape=target)


def taps(target: Target) -> tuple[float, float]:
    """How many weights an output sums over, and how many a gradient: the true fans.

    A stride gives a transposed convolution's outputs, and an ordinary one's gradients,
    fewer weights; where their number differs between positions, this is its mean.

    Example:
        >>> taps((64, 32, 3, 3))
        (288.0, 576.0)
        >>> upsampling = {"kind": "conv", "stride": (2,), "transposed": True}
        >>> taps(LayerSpec(shape=(64, 32, 4), **upsampling))
        (128.0, 128.0)
    """
    layer = layer_of(target)
    first, second, *kernel = layer.shape
    size = math.prod(kernel)
    gathered = float(second * size)
    scattered = first // layer.groups * size / math.prod(layer.strides)
    return (scattered, gathered) if layer.transposed else (gathered, scattered)


def input_shape(layer: LayerSpec, *, backward: bool) -> tuple[int, ...]:
    """Channels and positions of a signal that goes through the layer.

    Args:
        layer: The layer.
        backward: Whether the signal is a gradient.
    """
    first, second = layer.shape[:2]
    scatters = layer.transposed != backward
    channels = first if scatters else second * layer.groups
    # Long enough for a kernel to meet no position twice, and whole strides.
    reach = [
        (size - 1) * dilation + 1
        for size, dilation in zip(layer.kernel, layer.dilations, strict=True)
    ]
    cells = [
        max(3, math.ceil(n / s)) for n, s in zip(reach, layer.strides, strict=True)
    ]
    if not scatters:
        cells = [n * s for n, s in zip(cells, layer.strides, strict=True)]
    return (channels, *cells)


def propagate(
    layer: LayerSpec, weight: Array, signal: Array, *, backward: bool = False
) -> Array:
    """The layer's outputs for inputs, or its gradients for gradients.

    The gradient of a convolution is a transposed convolution with the same weight,
    and the other way round.

    Args:
        layer: The layer.
        weight: Its weight.
        signal: `(example, channel, *positions)`.
        backward: Whether `signal` is a gradient of the outputs.

    Example:
        >>> layer = LayerSpec(shape=(10, 2))
        >>> propagate(layer, np.ones((10, 2)), np.ones((5, 2)))[0, 0]
        np.float64(2.0)
    """
    if layer.transposed != backward:
        return _scatter(layer, weight, signal)
    return _gather(layer, weight, signal)


def _gather(layer: LayerSpec, weight: Array, signal: Array) -> Array:
    groups, axes = layer.groups, tuple(range(3, 3 + len(layer.kernel)))
    first, second = weight.shape[:2]
    parts = weight.reshape(groups, first // groups, second, *layer.kernel)
    grouped = signal.reshape(len(signal), groups, second, *signal.shape[2:])
    every = (slice(None),) * 3 + tuple(slice(None, None, s) for s in layer.strides)
    total: Any = 0.0
    for offset in np.ndindex(*layer.kernel):
        shift = [-o * d for o, d in zip(offset, layer.dilations, strict=True)]
        seen = np.roll(grouped, shift, axes)[every]
        matrix = parts[(slice(None),) * 3 + offset]
        total = total + np.einsum("bgi...,goi->bgo...", seen, matrix, optimize=True)
    return total.reshape(len(signal), first, *total.shape[3:])


def _scatter(layer: LayerSpec, weight: Array, signal: Array) -> Array:
    groups, axes = layer.groups, tuple(range(3, 3 + len(layer.kernel)))
    first, second = weight.shape[:2]
    parts = weight.reshape(groups, first // groups, second, *layer.kernel)
    grouped = signal.reshape(len(signal), groups, first // groups, *signal.shape[2:])
    sizes = [n * s for n, s in zip(signal.shape[2:], layer.strides, strict=True)]
    total = np.zeros((len(signal), groups, second, *sizes))
    every = (slice(None),) * 3 + tuple(slice(None, None, s) for s in layer.strides)
    for offset in np.ndindex(*layer.kernel):
        matrix = parts[(slice(None),) * 3 + offset]
        spread = np.zeros_like(total)
        spread[every] = np.einsum("bgo...,goi->bgi...", grouped, matrix, optimize=True)
        shift = [o * d for o, d in zip(offset, layer.dilations, strict=True)]
        total += np.roll(spread, shift, axes)
    return total.reshape(len(signal), groups * second, *sizes)
