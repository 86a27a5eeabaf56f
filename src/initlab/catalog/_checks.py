"""What the public functions of the catalog refuse, in one line each."""

import math
import operator
from collections.abc import Iterable
from typing import TypeAlias

from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import LayerSpec

# What an initializer and its law take: a bare shape, or the layer that it belongs to.
Shape: TypeAlias = tuple[int, ...] | LayerSpec


def checked_shape(shape: object) -> tuple[int, ...]:
    """Return the shape of a weight: a tuple of at least two positive integers.

    A layer has been checked already: it gives its own.

    Raises:
        InvalidValueError: If it is anything else.

    Example:
        >>> checked_shape((10, 2))
        (10, 2)
        >>> checked_shape(LayerSpec(shape=(10, 2)))
        (10, 2)
    """
    if isinstance(shape, LayerSpec):
        return shape.shape
    if not isinstance(shape, tuple) or len(shape) < 2:
        raise _refused_shape(shape)
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        raise _refused_shape(shape) from None
    if min(sizes) < 1 or any(isinstance(size, bool) for size in shape):
        raise _refused_shape(shape)
    return sizes


def _refused_shape(shape: object) -> InvalidValueError:
    return InvalidValueError(
        "shape: give a tuple of at least two positive integers, (fan_out, fan_in) "
        f"or (out, in, *kernel), got {_one_line(shape)}"
    )


def checked_kernel(init: str, shape: Shape, instead: str) -> int:
    """Return the taps of a convolution's kernel: its size over all axes.

    Raises:
        InvalidValueError: If it has no kernel, or one of more than three axes; the
            message offers another init.

    Example:
        >>> checked_kernel("dirac", (4, 2, 3, 3), "identity")
        9
    """
    sizes = checked_shape(shape)
    if 3 <= len(sizes) <= 5:
        return math.prod(sizes[2:])
    raise InvalidValueError(
        f"{init}: needs a convolution's shape, (out, in, *kernel) with one to three "
        f"kernel axes, got {sizes}; for a linear layer take {instead}"
    )


def checked_number(
    name: str,
    value: float,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
) -> float:
    """Return a parameter that is finite and in its range.

    `initlab.spec` checks what users write as text; this is for direct calls.

    Raises:
        InvalidValueError: If it is not.

    Example:
        >>> checked_number("std", 10.0, at_least=0.0)
        10.0
    """
    if math.isfinite(value) and at_least <= value <= at_most and value > above:
        return value
    limits = [f"at least {at_least:g}"] if math.isfinite(at_least) else []
    limits += [f"above {above:g}"] if math.isfinite(above) else []
    limits += [f"at most {at_most:g}"] if math.isfinite(at_most) else []
    allowed = " ".join(["a finite number", " and ".join(limits)]).strip()
    raise InvalidValueError(f"{name}: give {allowed}, got {value!r}")


def checked_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a name that is one of those known.

    Raises:
        UnknownNameError: If it is not.

    Example:
        >>> checked_name("mode", "fan_in", ["fan_in", "fan_out"])
        'fan_in'
    """
    known = tuple(known)
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return name


def _one_line(value: object) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
