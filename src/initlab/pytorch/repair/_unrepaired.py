"""A finding that a repair leaves, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrepaired:
    """A finding that stays, and why.

    Attributes:
        id: Of the check.
        where: Parameter or module.
        reason: Why no change was made.
    """

    id: str
    where: str
    reason: str
