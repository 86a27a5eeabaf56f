"""Seeds and counts as they are given: whole numbers in a range, or one line."""

import operator
from typing import Any

from initlab.errors import InvalidValueError

# NumPy's global stream, which a function that makes a model may use, takes no more.
_SEEDS = 1 << 32


def as_seed(seed: Any, members: int = 1) -> int:
    """Return the seed of the first of some members.

    Raises:
        InvalidValueError: If it is no whole number, or a member's is out of range.

    Example:
        >>> as_seed(7, members=3)
        7
    """
    whole = _whole("seed", seed)
    if not 0 <= whole <= _SEEDS - members:
        several = f" for {members} members" if members > 1 else ""
        raise InvalidValueError(
            f"seed: must be from 0 to {_SEEDS - members}{several}, got {seed}"
        )
    return whole


def as_count(name: str, count: Any, *, least: int) -> int:
    """Return how many there are to be.

    Raises:
        InvalidValueError: If that is no whole number, or too small a one.

    Example:
        >>> as_count("seeds", 3, least=1)
        3
    """
    whole = _whole(name, count)
    if whole < least:
        raise InvalidValueError(f"{name}: must be at least {least}, got {count}")
    return whole


def _whole(name: str, given: Any) -> int:
    try:
        if isinstance(given, bool):
            raise TypeError
        return operator.index(given)
    except TypeError:
        raise InvalidValueError(
            f"{name}: must be a whole number, got {given!r}"
        ) from None
