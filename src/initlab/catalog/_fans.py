"""How many inputs feed a unit and how many units an input feeds: the fans."""

import math
from typing import NamedTuple

from initlab.catalog._checks import checked_name, checked_shape
from initlab.spec import Mode


class Fans(NamedTuple):
    """The two fans of a weight."""

    fan_in: int
    fan_out: int


def fans(shape: tuple[int, ...]) -> Fans:
    """The fans that a bare shape implies, in PyTorch's convention.

    A shape `(fan_out, fan_in)` is a dense layer's, a longer one `(out, in, *kernel)`
    a convolution's, whose fans are its channels times the kernel's size.

    A bare shape assumes an ordinary layer. It cannot show that a convolution is
    transposed (its weights are `(in, out, *kernel)`: the fans swap), has groups
    (fan_out is too large by their number), or has a stride, nor that several
    matrices are packed in one. Where the module is at hand, take its fans instead.

    Raises:
        InvalidValueError: If `shape` is not a tuple of two or more positive integers.

    Example:
        >>> fans((10, 2))
        Fans(fan_in=2, fan_out=10)
        >>> fans((64, 32, 3, 3))
        Fans(fan_in=288, fan_out=576)

    References:
        `torch.nn.init`: `_calculate_fan_in_and_fan_out`,
        https://docs.pytorch.org/docs/stable/nn.init.html
    """
    out_channels, in_channels, *kernel = checked_shape(shape)
    receptive_field = math.prod(kernel)
    return Fans(in_channels * receptive_field, out_channels * receptive_field)


def fan(shape: tuple[int, ...], mode: Mode) -> float:
    """The fan that a variance is divided by.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`.
        mode: `"fan_in"` preserves the signal forward, `"fan_out"` the gradient
            backward, and `"fan_avg"`, (fan_in + fan_out) / 2, is the compromise.

    Raises:
        UnknownNameError: If `mode` is none of the three.

    Example:
        >>> fan((10, 2), "fan_avg")
        6.0
    """
    both = fans(shape)
    choices = {
        "fan_in": float(both.fan_in),
        "fan_out": float(both.fan_out),
        "fan_avg": (both.fan_in + both.fan_out) / 2,
    }
    return choices[checked_name("mode", mode, choices)]
