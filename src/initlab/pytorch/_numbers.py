"""Seeds and counts as they are given: whole numbers in a range, or one line."""

from typing import Any

from initlab.errors import InvalidValueError
from initlab.spec import as_count, as_whole

__all__ = ["as_count", "as_seed"]

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
