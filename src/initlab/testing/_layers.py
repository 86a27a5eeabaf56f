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
    fewer weights; where their number differs between positions, this is its mean. A
    packed matrix is a layer of its own, and an embedding looks one row up.

    Example:
        >>> taps((64, 32, 3, 3))
        (288.0, 576.0)
        >>> upsampling = {"kind": "conv", "stride": (2,), "transposed": True}
        >>> taps(LayerSpec(shape=(64, 32, 4), **upsampling))
        (128.0, 128.0)
    """
    layer = layer_of(target)
    first, second, *kernel = layer.shape
    if layer.kind == "embedding":
        return 1.0, float(second)
    size = math.prod(kernel)
    gathered = float(second * size)
    parts = layer.groups * layer.packed
    scattered = first / parts * size / math.prod(layer.strides)
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
    return propagate_each(layer, weight[None], signal[None], backward=backward)[0]


def propagate_each(
    layer: LayerSpec, weights: Array, signals: Array, *, backward: bool
) -> Array:
    """The same for many draws of the weight at once, each with signals of its own.

    Args:
        layer: The layer.
        weights: `(draw, *weight)`.
        signals: `(draw, example, channel, *positions)`.
        backward: Whether the signals are gradients of the outputs.
    """
    draws, examples, channels = signals.shape[:3]
    groups, (first, second) = layer.groups, weights.shape[1:3]
    parts = weights.reshape(draws, groups, first // groups, second, -1)
    # As matrices: (draw, group, channel, example and positions).
    grouped = signals.swapaxes(1, 2).reshape(
        draws, groups, channels // groups, examples, *signals.shape[3:]
    )
    if layer.transposed != backward:
        outputs = _scatter(layer, parts.swapaxes(2, 3), grouped)
    else:
        outputs = _gather(layer, parts, grouped)
    joined = outputs.reshape(draws, -1, examples, *outputs.shape[4:])
    return joined.swapaxes(1, 2)


def _gather(layer: LayerSpec, parts: Array, grouped: Array) -> Array:
    axes = tuple(range(4, 4 + len(layer.kernel)))
    every = (slice(None),) * 4 + tuple(slice(None, None, s) for s in layer.strides)
    total: Any = 0.0
    for place, offset in enumerate(np.ndindex(*layer.kernel)):
        shift = [-o * d for o, d in zip(offset, layer.dilations, strict=True)]
        seen = np.roll(grouped, shift, axes)[every]
        total = total + _multiplied(parts[..., place], seen)
    return np.asarray(total)


def _scatter(layer: LayerSpec, parts: Array, grouped: Array) -> Array:
    axes = tuple(range(4, 4 + len(layer.kernel)))
    every = (slice(None),) * 4 + tuple(slice(None, None, s) for s in layer.strides)
    sizes = [n * s for n, s in zip(grouped.shape[4:], layer.strides, strict=True)]
    outputs = (*grouped.shape[:2], parts.shape[2], grouped.shape[3], *sizes)
    total, spread = np.zeros(outputs), np.zeros(outputs)
    for place, offset in enumerate(np.ndindex(*layer.kernel)):
        spread[every] = _multiplied(parts[..., place], grouped)
        shift = [o * d for o, d in zip(offset, layer.dilations, strict=True)]
        total += np.roll(spread, shift, axes)
    return total


def _multiplied(matrices: Array, signals: Array) -> Array:
    flat = signals.reshape(*signals.shape[:3], -1)
    return (matrices @ flat).reshape(*matrices.shape[:3], *signals.shape[3:])
