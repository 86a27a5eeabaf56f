"""What the public functions of theory refuse, in one line each."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from initlab.activations import ACTIVATIONS, Activation
from initlab.errors import InvalidValueError, UnknownNameError

# What users write as numbers: one, or an array of them.
Number = float | int
Numbers = Number | Sequence[Number] | np.ndarray


def checked_activation(name: str) -> Activation:
    """Return the activation of this name.

    Raises:
        UnknownNameError: If there is none.

    Example:
        >>> checked_activation("tanh").saturates
        True
    """
    return ACTIVATIONS[checked_name("activation", name, ACTIVATIONS)]


def checked_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return a name that is one of those known.

    Raises:
        UnknownNameError: If it is not.

    Example:
        >>> checked_name("ensemble", "gaussian", ["gaussian", "orthogonal"])
        'gaussian'
    """
    known = tuple(known)
    if name not in known:
        raise UnknownNameError(kind, str(name), known)
    return name


def checked_array(
    name: str,
    values: Numbers,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    finite: bool = True,
) -> Float[np.ndarray, "..."]:
    """Return numbers that are all in their range, as an array of float64.

    Raises:
        InvalidValueError: If one is not, or is not a number.

    Example:
        >>> checked_array("q", [1, 2], at_least=0.0)
        array([1., 2.])
    """
    allowed = _allowed(at_least, above, at_most, finite)
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidValueError(
            f"give {allowed}, got {_one_line(values)}", argument=name
        ) from None
    bad = np.isnan(numbers) | (numbers < at_least) | (numbers > at_most)
    bad |= (numbers <= above) & (above > -math.inf)
    if finite:
        bad |= np.isinf(numbers)
    if bad.any():
        raise InvalidValueError(
            f"give {allowed}, got {float(numbers[bad][0])!r}", argument=name
        )
    return numbers


def checked_number(
    name: str,
    value: Number,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
) -> float:
    """Return one number that is finite and in its range.

    Raises:
        InvalidValueError: If it is not, or is not one number.

    Example:
        >>> checked_number("q", 1, above=0.0)
        1.0
    """
    number = checked_array(name, value, at_least=at_least, above=above, at_most=at_most)
    if number.ndim:
        raise InvalidValueError(
            f"give one number, got {_one_line(value)}", argument=name
        )
    return float(number)


def checked_layers(
    name: str,
    values: Numbers,
    layers: int | None = None,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
) -> Float[np.ndarray, "layer"]:
    """Return one number per layer; a single number stands for every layer.

    Args:
        name: The argument, as the user typed it.
        values: One number, or one per layer.
        layers: How many there must be; None: as many as are given, at least one.
        at_least: Lower limit, itself allowed.
        above: Lower limit, itself not allowed.

    Raises:
        InvalidValueError: If there is another number of them, or one is out of range.

    Example:
        >>> checked_layers("bias_variances", 0.0, 3)
        array([0., 0., 0.])
    """
    numbers = checked_array(name, values, at_least=at_least, above=above)
    if layers is not None and numbers.ndim == 0:
        return np.full(layers, numbers)
    wanted = "one number per layer" if layers is None else f"{layers} numbers"
    if numbers.ndim != 1 or numbers.size != (layers or numbers.size or 1):
        raise InvalidValueError(
            f"give {wanted}, got {_one_line(values)}", argument=name
        )
    return numbers


def _allowed(at_least: float, above: float, at_most: float, finite: bool) -> str:
    limits = ["finite numbers" if finite else "numbers"]
    limits += [f"at least {at_least:g}"] if math.isfinite(at_least) else []
    limits += [f"above {above:g}"] if math.isfinite(above) else []
    limits += [f"at most {at_most:g}"] if math.isfinite(at_most) else []
    return " ".join(limits)


def _one_line(value: object) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
