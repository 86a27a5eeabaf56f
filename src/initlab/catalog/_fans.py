"""How many inputs feed a unit and how many units an input feeds: the fans."""

import math
from typing import NamedTuple

from initlab.catalog._checks import Shape, checked_name, checked_shape
from initlab.catalog._dialects import framework_fans
from initlab.spec import Dialect, LayerSpec, Mode


class Fans(NamedTuple):
    """The two fans of a weight; means where a stride makes positions differ."""

    fan_in: int | float
    fan_out: int | float


def fans(shape: Shape, dialect: Dialect = "initlab") -> Fans:
    """The fans of a layer, or those that a bare shape implies.

    Of a layer they are what its units see:

    - linear `(out, in)`: in and out; `packed` matrices are layers of their own, so
      that fan_out is one part's.
    - convolution `(out, in / groups, *kernel)`: in / groups * kernel, and
      out / groups * kernel / stride, as an input is met by every stride-th position.
    - transposed `(in, out / groups, *kernel)`: in / groups * kernel / stride, and
      out / groups * kernel.
    - embedding `(rows, features)`: 1 and features: a lookup adds nothing up.

    Strides make these means: `phases` tells what each position sees. Padding is
    ignored, as at a point far from the border.

    A bare shape assumes an ordinary layer, in PyTorch's convention: `(fan_out,
    fan_in)` is a linear layer's, `(out, in, *kernel)` a convolution's without groups
    or stride. It cannot show that a convolution is transposed (the fans swap), has
    groups (fan_out is too large by their number), or a stride, nor that several
    matrices are packed in one. Where the layer is known, give a `LayerSpec`.

    Args:
        shape: Of the weight, or the layer.
        dialect: `"initlab"` counts as above; `"torch"`, `"keras"` and `"jax"` count
            as the framework does, mistakes included.

    Raises:
        InvalidValueError: If a shape is not a tuple of two or more positive integers.

    Example:
        >>> fans((10, 2))
        Fans(fan_in=2, fan_out=10)
        >>> fans((64, 32, 3, 3))
        Fans(fan_in=288, fan_out=576)
        >>> upsampling = LayerSpec(
        ...     kind="conv", shape=(64, 32, 4, 4), stride=(2, 2), transposed=True
        ... )
        >>> fans(upsampling)
        Fans(fan_in=256, fan_out=512)
        >>> fans(upsampling, dialect="torch")
        Fans(fan_in=512, fan_out=1024)

    References:
        `torch.nn.init`: `_calculate_fan_in_and_fan_out`,
        https://docs.pytorch.org/docs/stable/nn.init.html;
        Dumoulin and Visin (2016), https://arxiv.org/abs/1603.07285
    """
    if checked_dialect(dialect) != "initlab":
        return Fans(*framework_fans(shape, dialect))
    if isinstance(shape, LayerSpec):
        return _of_layer(shape)
    return Fans(*framework_fans(shape, "torch"))


def fan(shape: Shape, mode: Mode, dialect: Dialect = "initlab") -> float:
    """The fan that a variance is divided by.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        mode: `"fan_in"` preserves the signal forward, `"fan_out"` the gradient
            backward; the compromises are `"fan_avg"`, (fan_in + fan_out) / 2, and
            `"fan_geometric"`, sqrt(fan_in * fan_out).
        dialect: Who counts, as for `fans`.

    Raises:
        UnknownNameError: If `mode` is none of the four.

    Example:
        >>> fan((10, 2), "fan_avg")
        6.0
        >>> fan((8, 2), "fan_geometric")
        4.0
    """
    both = fans(shape, dialect)
    choices = {
        "fan_in": float(both.fan_in),
        "fan_out": float(both.fan_out),
        "fan_avg": (both.fan_in + both.fan_out) / 2,
        "fan_geometric": math.sqrt(both.fan_in * both.fan_out),
    }
    return choices[checked_name("mode", mode, choices)]


def checked_dialect(dialect: str) -> str:
    """Return a dialect that is one of the four.

    Raises:
        UnknownNameError: If it is not.

    Example:
        >>> checked_dialect("torch")
        'torch'
    """
    return checked_name("dialect", dialect, ("initlab", "torch", "keras", "jax"))


def _of_layer(layer: LayerSpec) -> Fans:
    first, second, *kernel = checked_shape(layer)
    if layer.kind == "embedding":
        return Fans(1, second)
    # The first axis holds every part of a packed weight and every group.
    first_share = _quotient(first, layer.packed * layer.groups)
    taps = math.prod(kernel)
    strided = math.prod(layer.strides)
    if layer.transposed:
        return Fans(_quotient(first_share * taps, strided), second * taps)
    return Fans(second * taps, _quotient(first_share * taps, strided))


def _quotient(number: int | float, divisor: int) -> int | float:
    """Return the quotient, a whole number as an int."""
    quotient = number / divisor
    return int(quotient) if quotient.is_integer() else quotient
