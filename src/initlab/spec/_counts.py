"""Counts as they are given besides a spec: whole numbers in a range, or one line."""

import operator
from typing import Any

from initlab.errors import InvalidValueError
from initlab.spec._base import shortened


def as_count(name: str, count: Any, *, least: int) -> int:
    """Return how many there are to be.

    Args:
        name: Of the argument, as it is typed.
        count: What arrived.
        least: That is allowed.

    Raises:
        InvalidValueError: If that is no whole number, or too small a one.

    Example:
        >>> as_count("seeds", 3, least=1)
        3
    """
    whole = as_whole(name, count)
    if whole < least:
        raise InvalidValueError(f"must be at least {least}, got {count}", argument=name)
    return whole


def as_whole(name: str, given: Any) -> int:
    """Return the whole number; `True` is none, nor is `2.0`.

    Raises:
        InvalidValueError: If it is none.
    """
    try:
        if isinstance(given, bool):
            raise TypeError
        return operator.index(given)
    except TypeError:
        raise InvalidValueError(
            f"must be a whole number, got {shortened(given)}", argument=name
        ) from None
