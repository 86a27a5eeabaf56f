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
    refused = InvalidValueError(
        "shape: give a tuple of at least two positive integers, (fan_out, fan_in) "
        f"or (out, in, *kernel), got {_one_line(shape)}"
    )
    if not isinstance(shape, tuple) or len(shape) < 2:
        raise refused
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        raise refused from None
    if min(sizes) < 1 or any(isinstance(size, bool) for size in shape):
        raise refused
    return sizes


def checked_number(
    name: str, value: float, *, at_least: float = -math.inf, above: float = -math.inf
) -> float:
    """Return a parameter that is finite and in its range.

    `initlab.spec` checks what users write as text; this is for direct calls.

    Raises:
        InvalidValueError: If it is not.

    Example:
        >>> checked_number("std", 10.0, at_least=0.0)
        10.0
    """
    if math.isfinite(value) and value >= at_least and value > above:
        return value
    limits = [f"at least {at_least:g}"] if math.isfinite(at_least) else []
    limits += [f"above {above:g}"] if math.isfinite(above) else []
    allowed = " ".join(["a finite number", *limits])
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
