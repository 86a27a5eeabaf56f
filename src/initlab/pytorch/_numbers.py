"""Numbers and switches as they are given: of a kind, in a range, or one line."""

import math
from typing import Any

import numpy as np

from initlab.errors import InvalidValueError
from initlab.spec import as_count, as_whole

__all__ = ["as_count", "as_flag", "as_number", "as_seed"]

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
    whole = as_whole("seed", seed)
    if not 0 <= whole <= _SEEDS - members:
        several = f" for {members} members" if members > 1 else ""
        raise InvalidValueError(
            f"must be from 0 to {_SEEDS - members}{several}, got {seed}",
            argument="seed",
        )
    return whole


def as_number(name: str, given: Any, *, above: float = -math.inf) -> float:
    """Return a finite real number; `True` and text are none.

    Args:
        name: Of the argument, as it is typed.
        given: What arrived.
        above: What it must be greater than.

    Raises:
        InvalidValueError: If it is something else.

    Example:
        >>> as_number("learning_rate", 1, above=0)
        1.0
    """
    try:
        if isinstance(given, bool | str | bytes):
            raise TypeError
        number = float(given)
    except (TypeError, ValueError, RuntimeError):
        number = math.nan
    if not (math.isfinite(number) and number > above):
        of = "" if above == -math.inf else f" above {above:g}"
        raise InvalidValueError(
            f"must be a finite number{of}, got {given!r}", argument=name
        )
    return number


def as_flag(name: str, given: Any) -> bool:
    """Return True or False as they are; nothing else, as text is always true.

    Raises:
        InvalidValueError: If it is neither.

    Example:
        >>> as_flag("dry_run", False)
        False
    """
    if not isinstance(given, bool | np.bool_):
        raise InvalidValueError(f"must be True or False, got {given!r}", argument=name)
    return bool(given)
