"""What was checked, and the error that names what is broken."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from initlab.errors import InitlabError
from initlab.spec import LayerSpec
from initlab.testing._layers import Target

# As counts and sizes arrive: run-time checks do not take an int for a float.
Number: TypeAlias = float | int | np.number[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One property, judged.

    Attributes:
        name: The property: `"std"`, `"duplicate units"`, ...
        where: The shape or layer.
        measured: What was found.
        expected: What the law says.
        p: Probability of a deviation this large if the law holds; 0 or 1 where
            nothing is left to chance.
        detail: More for a reader, or empty.
        certain: Whether a repetition could not change it.
    """

    name: str
    where: Target | None = None
    measured: float
    expected: float
    p: float
    detail: str = ""
    certain: bool = False

    def __str__(self) -> str:
        """Return the outcome on one line."""
        place = f" at {_place(self.where)}" if self.where else ""
        extra = f" ({self.detail})" if self.detail else ""
        return (
            f"{self.name}{place}: measured {self.measured:.6g}, "
            f"expected {self.expected:.6g}, p = {self.p:.1e}{extra}"
        )


def exactly(
    name: str,
    holds: bool | np.bool_,
    *,
    measured: Number,
    expected: Number = 0.0,
    where: Target | None = None,
    detail: str = "",
) -> Outcome:
    """The outcome of a property that leaves nothing to chance.

    Example:
        >>> exactly("zero units", False, measured=1).p
        0.0
    """
    return Outcome(
        name=name,
        where=where,
        measured=float(measured),
        expected=float(expected),
        p=1.0 if holds else 0.0,
        detail="" if holds else detail,
        certain=True,
    )


class BrokenPropertyError(InitlabError, AssertionError):
    """An initializer does not keep what its law, or what every law, promises.

    Attributes:
        outcome: The property, where it broke, what was measured and expected.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(str(outcome))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was checked.

    Attributes:
        outcomes: In the order of the checks; of a repeated check, the repetition.
        broken: Those that failed; empty where `check_initializer` returned.
        repeated: How many checks were repeated on a larger sample.
    """

    outcomes: tuple[Outcome, ...]
    broken: tuple[Outcome, ...] = ()
    repeated: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The properties that were checked, each once."""
        return _unique(outcome.name for outcome in self.outcomes)

    @property
    def broken_names(self) -> tuple[str, ...]:
        """The properties that are broken, each once."""
        return _unique(outcome.name for outcome in self.broken)

    def __str__(self) -> str:
        """Return what was checked, in one line per property."""
        lines = []
        for name in self.names:
            of_name = [o for o in self.outcomes if o.name == name]
            failed = sum(o.name == name for o in self.broken)
            least = min(o.p for o in of_name)
            verdict = f"{failed} BROKEN" if failed else "ok"
            lines.append(f"{name:<28} {len(of_name):>3} checks  {verdict}, p >= ")
            lines[-1] += f"{least:.2g}"
        return "\n".join(lines)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _place(where: Target) -> str:
    if not isinstance(where, LayerSpec):
        return f"shape {where}"
    stated = where.model_dump(exclude_defaults=True)
    return ", ".join(f"{key} {value}" for key, value in stated.items())
