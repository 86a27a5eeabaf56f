"""`compute_loss`, judged on drawn outputs and on saturated ones."""

import math
from functools import partial

import numpy as np

from initlab.lesson.grader import _expected as lesson
from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._session import Session
from initlab.lesson.grader.network._calls import (
    FaultError,
    called,
    graded,
    unchanged,
    values_of,
)
from initlab.lesson.grader.network._case import EXACT


def grade_loss(session: Session) -> FunctionGrade:
    """Judge `compute_loss(a3, Y)`."""
    function = "compute_loss"
    rng = np.random.default_rng(21)

    def check(examples: int) -> None:
        a3 = rng.uniform(0.05, 0.95, (1, examples))
        Y = rng.integers(0, 2, (1, examples))
        what = f"{examples} examples"
        reply = called(session, function, what, a3, Y)
        came = values_of(reply.result, f"the loss of {what}")
        wanted = lesson.loss(a3, Y)
        if came.size != 1 or not np.isclose(came.item(), wanted, rtol=EXACT):
            raise FaultError(
                Finding(
                    check="values",
                    expected=f"the loss of {what} is {wanted:.10g}",
                    got=shown(came if came.size != 1 else float(came.item())),
                    likely=_why_loss(came, a3, Y, wanted),
                )
            )
        unchanged(reply, (a3, Y), function)

    def saturated() -> list[str]:
        a3, Y = np.array([[1.0, 0.0, 0.5]]), np.array([[1, 0, 1]])
        reply = called(session, function, "outputs of exactly 0 and 1", a3, Y)
        value = values_of(reply.result, "the loss")
        if value.size == 1 and math.isfinite(value.item()):
            return []
        return [
            "compute_loss is not finite for right outputs of exactly 0 or 1 (0 times "
            "log 0); the lesson uses np.nansum, and large random weights need it"
        ]

    return graded(
        function, [partial(check, 9), partial(check, 1), partial(check, 40), saturated]
    )


def _why_loss(came: np.ndarray, a3: np.ndarray, Y: np.ndarray, wanted: float) -> str:
    if came.size != 1:
        return "one number is asked: sum over the examples, then 1/m"
    value, m = came.item(), a3.size
    positive = float(np.mean(-Y * np.log(a3)))
    for slip, wrong in (
        ("the minus is missing: the loss is -1/m times the sum", -wanted),
        ("summed, not averaged: the 1/m is missing", wanted * m),
        ("divided by m twice", wanted / m),
        ("twice the loss", wanted * 2),
        ("half the loss", wanted / 2),
        ("log2 is used; the lesson's log is natural", wanted / math.log(2)),
        ("log10 is used; the lesson's log is natural", wanted / math.log(10)),
        ("only the Y = 1 part; the (1 - Y) log(1 - a3) part is missing", positive),
        ("only the Y = 0 part; the Y log(a3) part is missing", wanted - positive),
        (
            "the mean squared error; the lesson's is the cross entropy",
            float(np.mean((a3 - Y) ** 2)),
        ),
        ("Y and a3 are exchanged", _swapped(a3, Y)),
    ):
        if np.isclose(value, wrong, rtol=1e-9):
            return slip
    for decimals in range(8):
        if value == round(wanted, decimals):
            return f"rounded to {decimals} decimals"
    return "the lesson's is -1/m times the sum of Y log(a3) + (1 - Y) log(1 - a3)"


def _swapped(a3: np.ndarray, Y: np.ndarray) -> float:
    return lesson.loss(a3, 1 - Y)
