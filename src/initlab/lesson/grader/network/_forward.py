"""`forward_propagation`, judged by the output of small networks."""

from functools import partial
from itertools import product
from typing import Any

import numpy as np

from initlab.lesson.grader import _expected as lesson
from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._session import Reply, Session
from initlab.lesson.grader.network._calls import (
    FaultError,
    called,
    graded,
    unchanged,
    values_of,
)
from initlab.lesson.grader.network._case import EXACT, Case, cases


def grade_forward(session: Session) -> FunctionGrade:
    """Judge `forward_propagation(X, parameters)`."""
    function = "forward_propagation"

    def check(case: Case) -> None:
        reply = called(session, function, case.text, case.X, case.parameters)
        a3 = values_of(
            a3_and_cache(reply, case)[0], "a3, the first of the two results,"
        )
        wanted = lesson.forward(case.X, case.parameters)[-1][1]
        if a3.shape != wanted.shape or not np.allclose(a3, wanted, rtol=EXACT):
            raise FaultError(
                Finding(
                    check="values",
                    expected=f"a3 of {case.text} is {shown(wanted)}",
                    got=shown(a3),
                    likely=_why_forward(case, a3),
                )
            )
        unchanged(reply, (case.X, case.parameters), function)

    return graded(function, [partial(check, case) for case in cases()])


def a3_and_cache(reply: Reply, case: Case) -> tuple[Any, Any]:
    result = reply.result
    if isinstance(result, tuple | list) and len(result) == 2:
        return result[0], result[1]
    raise FaultError(
        Finding(
            check="type",
            expected=f"forward_propagation of {case.text} returns a3 and the cache",
            got=shown(result)
            if not isinstance(result, tuple)
            else f"{len(result)} values",
            likely="the lesson returns `a3, cache`",
        )
    )


def _why_forward(case: Case, a3: np.ndarray) -> str:
    for names in product(lesson.ACTIVATIONS, repeat=3):
        for biases in (True, False):
            layers = lesson.forward(
                case.X,
                case.parameters,
                [lesson.ACTIVATIONS[name] for name in names],
                biases=biases,
            )
            value = layers[-1][1]
            if value.shape == a3.shape and np.allclose(a3, value, rtol=EXACT):
                right = ("relu", "relu", "sigmoid")
                slips = [
                    f"layer {n} uses {name}; the lesson's uses {wanted}"
                    for n, (name, wanted) in enumerate(
                        zip(names, right, strict=True), start=1
                    )
                    if name != wanted
                ]
                slips += [] if biases else ["the biases are not added"]
                return "; ".join(slips)
    return ""
