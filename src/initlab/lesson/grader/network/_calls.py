"""Calls of the learner's functions, and the first fault that ends a check."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._initializers import ended_finding
from initlab.lesson.grader._session import Reply, Session, WorkerEndedError
from initlab.lesson.grader._wire import Array


class FaultError(Exception):
    """A finding on its way out of a check."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding

    def __str__(self) -> str:
        """Return what was got instead."""
        return self.finding.got


def called(
    session: Session, function: str, what: str, *arguments: Any, **keywords: Any
) -> Reply:
    """Call, and fault what is no return."""
    try:
        reply = session.call(function, *arguments, **keywords)
    except WorkerEndedError as ended:
        raise FaultError(ended_finding(ended, f"{function} of {what}")) from None
    if reply.raised is not None:
        raise FaultError(
            Finding(
                check="raises",
                expected=f"{function} of {what} returns",
                got=f"it raised {reply.raised}",
                likely=_why_raised(function, reply.raised.name, reply.raised.message),
            )
        )
    return reply


def _why_raised(function: str, name: str, message: str) -> str:
    if name == "NotImplementedError":
        return "the function is not written yet"
    if "not aligned" in message or "mismatch" in message or "broadcast" in message:
        return (
            "shapes do not fit: is a matrix transposed, or a size fixed that should "
            "come from the data?"
        )
    if function == "model" and name in ("KeyError", "UnboundLocalError"):
        return "does it choose among zeros, random and he by `initialization`?"
    return ""


def graded(
    name: str, checks: Sequence[Callable[[], Sequence[str] | None]]
) -> FunctionGrade:
    """Run checks until one faults; what they return are remarks."""
    remarks: list[str] = []
    for number, check in enumerate(checks, start=1):
        try:
            remarks += check() or ()
        except FaultError as fault:
            return FunctionGrade(
                name=name,
                findings=(fault.finding,),
                calls=number,
                remarks=tuple(remarks),
            )
    return FunctionGrade(
        name=name, findings=(), calls=len(checks), remarks=tuple(remarks)
    )


def values_of(value: Any, what: str) -> np.ndarray:
    if isinstance(value, Array) and value.kind != "matrix":
        return value.values.astype(np.float64)
    if isinstance(value, float | int | np.number) and not isinstance(value, bool):
        return np.asarray(float(value))
    raise FaultError(
        Finding(
            check="type",
            expected=f"{what} is a NumPy array of numbers",
            got=shown(value),
            likely="`return` is missing" if value is None else "",
        )
    )


def unchanged(reply: Reply, arguments: Sequence[Any], function: str) -> None:
    """Fault arguments whose arrays are other ones than before."""
    for before, after in zip(arguments, reply.arguments, strict=False):
        pairs: list[tuple[str, Any, Any]] = []
        if isinstance(before, np.ndarray):
            pairs = [("an argument", before, after)]
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            pairs = [(key, before[key], after.get(key)) for key in before]
        elif isinstance(before, tuple) and isinstance(after, tuple):
            pairs = [
                (f"entry {n} of the cache", one, other)
                for n, (one, other) in enumerate(zip(before, after, strict=True))
            ]
        for name, one, other in pairs:
            one = one.values if isinstance(one, Array) else one
            if not isinstance(one, np.ndarray):
                continue
            if not isinstance(other, Array) or not np.array_equal(
                one, other.values, equal_nan=True
            ):
                raise FaultError(
                    Finding(
                        check="argument",
                        expected=f"{function} leaves its arguments as they were",
                        got=f"{name} was changed",
                        likely="it changes (mutates) an argument in place; work on a "
                        "new array",
                    )
                )
