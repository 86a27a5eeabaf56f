"""What is found in a program: what was expected, what came, the likely slip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initlab.lesson.grader._wire import Array, Foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One failure.

    Attributes:
        check: Which check, as an id.
        expected, got: In words, with the input that shows it.
        likely: The slip that would explain it; empty where none is known.
    """

    check: str
    expected: str
    got: str
    likely: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionGrade:
    """What became of one function.

    Attributes:
        name: As the lesson calls it.
        findings: None of them: it passed.
        calls: How many calls it was judged by.
        remarks: What is worth saying and no failure.
    """

    name: str
    findings: tuple[Finding, ...]
    calls: int
    remarks: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def shown(value: Any) -> str:
    """Return a value as a person reads it, in one short line."""
    if isinstance(value, Array):
        value = value.values
    if isinstance(value, np.ndarray):
        text = np.array2string(
            value.ravel()[:6], precision=6, separator=", ", max_line_width=1000
        )
        more = ", ..." if value.size > 6 else ""
        return f"{text[:-1]}{more}] of shape {value.shape}"
    if isinstance(value, Foreign):
        return f"a {value.kind}"
    if isinstance(value, Mapping):
        return f"a dictionary with {', '.join(sorted(value)[:8]) or 'nothing'}"
    if isinstance(value, float | np.floating):
        return f"{float(value):.10g}"
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."


def call_of(function: str, *arguments: Any) -> str:
    """Return a call as it would be typed."""
    return f"{function}({', '.join(repr(each) for each in arguments)})"


def joined(names: Sequence[str]) -> str:
    """Return names as in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
