"""`update_parameters`, judged by one step at two learning rates."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from initlab.lesson.grader import _expected as lesson
from initlab.lesson.grader._expected import Parameters
from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._session import Session
from initlab.lesson.grader.network._calls import (
    FaultError,
    called,
    graded,
    unchanged,
    values_of,
)
from initlab.lesson.grader.network._case import EXACT, Case, cases


def grade_update(session: Session) -> FunctionGrade:
    """Judge `update_parameters(parameters, grads, learning_rate)`."""
    function = "update_parameters"

    def check(case: Case, learning_rate: float) -> None:
        grads = lesson.backward(case.X, case.Y, case.parameters)
        # Larger ones, so that a missing step is no rounding.
        grads = {name: 10 * values + 1 for name, values in grads.items()}
        arguments = (case.parameters, grads, learning_rate)
        reply = called(session, function, case.text, *arguments)
        if not isinstance(reply.result, Mapping):
            raise FaultError(
                Finding(
                    check="type",
                    expected="the updated parameters are returned as a dictionary",
                    got=shown(reply.result),
                    likely="`return parameters` is missing"
                    if reply.result is None
                    else "",
                )
            )
        wanted = lesson.updated(case.parameters, grads, learning_rate)
        wrong = [
            name
            for name, values in wanted.items()
            if not np.allclose(
                values_of(reply.result.get(name), name), values, rtol=EXACT, atol=1e-12
            )
        ]
        if wrong:
            name = wrong[0]
            raise FaultError(
                Finding(
                    check="values",
                    expected=f"{name} becomes {name} - {learning_rate} * d{name} = "
                    f"{shown(wanted[name])}",
                    got=shown(reply.result[name]),
                    likely=_why_update(
                        wrong, reply.result[name].values, case, grads, learning_rate
                    ),
                )
            )
        unchanged(reply, ({}, grads), function)

    return graded(
        function,
        [partial(check, case, rate) for case in cases() for rate in (0.01, 0.5)],
    )


def _why_update(
    wrong: Sequence[str],
    came: np.ndarray,
    case: Case,
    grads: Parameters,
    learning_rate: float,
) -> str:
    name = wrong[0]
    before, grad = case.parameters[name], grads[f"d{name}"]
    if np.allclose(came, before):
        return f"{', '.join(wrong)} not updated"
    for slip, factor in (
        ("it adds the gradient; going down subtracts it", -learning_rate),
        ("the learning rate is not used", 1.0),
        ("the learning rate is fixed at 0.01, whatever is asked", 0.01),
        ("the learning rate is applied twice", learning_rate**2),
        ("the step is twice as long", 2 * learning_rate),
        ("it divides by the learning rate", 1 / learning_rate),
    ):
        if np.allclose(came, before - factor * grad):
            return slip
    return (
        "every call makes one step, parameter - learning_rate * gradient, of the "
        "gradient's size, and remembers nothing of other calls"
    )
