"""`backward_propagation`, judged by finite differences."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from initlab.lesson.grader import _expected as lesson
from initlab.lesson.grader._expected import Parameters
from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._session import Session
from initlab.lesson.grader._wire import Kept
from initlab.lesson.grader.network._calls import (
    FaultError,
    called,
    graded,
    unchanged,
    values_of,
)
from initlab.lesson.grader.network._case import Case, cases
from initlab.lesson.grader.network._forward import a3_and_cache

# Central differences are right to about 1e-9 of the largest entry.
GRADIENT = 1e-6


def grade_backward(session: Session, *, own_forward: bool) -> FunctionGrade:
    """Judge `backward_propagation(X, Y, cache)` by finite differences.

    Args:
        session: With the program loaded.
        own_forward: The cache is that of the learner's own forward pass.
    """
    function = "backward_propagation"

    def check(case: Case) -> None:
        cache: Any = lesson.cache_of(case.X, case.parameters)
        before = cache
        if own_forward:
            forward = "forward_propagation"
            first = called(session, forward, case.text, case.X, case.parameters)
            before = a3_and_cache(first, case)[1]
            cache = Kept(call=session.calls - 1, index=1)
        reply = called(session, function, case.text, case.X, case.Y, cache)
        grads = reply.result
        if not isinstance(grads, Mapping):
            raise FaultError(
                Finding(
                    check="type",
                    expected="gradients come as a dictionary of dW1, db1, ..., db3",
                    got=shown(grads),
                    likely="`return gradients` is missing" if grads is None else "",
                )
            )
        wanted = lesson.gradients(case.X, case.Y, case.parameters)
        for name in ("dW3", "db3", "dW2", "db2", "dW1", "db1"):
            _judge_gradient(name, case, grads, wanted)
        unchanged(reply, (case.X, case.Y, before), function)

    return graded(function, [partial(check, case) for case in cases()])


def _judge_gradient(
    name: str, case: Case, grads: Mapping[str, Any], wanted: Parameters
) -> None:
    if name not in grads:
        raise FaultError(
            Finding(
                check="keys",
                expected=f"gradients hold {name}",
                got=", ".join(list(grads)[:12]),
            )
        )
    came, right = values_of(grads[name], name), wanted[name]
    if came.shape != right.shape:
        raise FaultError(
            Finding(
                check="shapes",
                expected=f"{name} of {case.text} has shape {right.shape}",
                got=f"shape {came.shape}",
                likely="sum over the examples with keepdims=True"
                if name[1] == "b"
                else "the product is transposed",
            )
        )
    tolerance = GRADIENT * max(1.0, float(np.abs(right).max()))
    if not np.allclose(came, right, rtol=0, atol=tolerance):
        raise FaultError(
            Finding(
                check="gradient",
                expected=f"{name} of {case.text} by finite differences is "
                f"{shown(right)}",
                got=shown(came),
                likely=_why_gradient(name, case, came, right, tolerance),
            )
        )


def _why_gradient(
    name: str,
    case: Case,
    came: np.ndarray,
    right: np.ndarray,
    tolerance: float,
) -> str:
    m = case.X.shape[1]
    for factor, slip in (
        (m, "the 1/m is missing: the loss is the mean over examples"),
        (1 / m, "divided by m twice"),
        (-1, "the sign is turned: dz3 is a3 - Y"),
        (2, "a factor 2 too much"),
        (4, "a factor 4 too much"),
        (0.5, "a factor 1/2 too much"),
        (0, "the gradient is zero"),
    ):
        if np.allclose(came, factor * right, rtol=0, atol=tolerance * max(1, factor)):
            return slip
    for mask in ("none", "z1", "z2"):
        for other in ("z1", "z2", "none"):
            try:
                wrong = lesson.backward(
                    case.X, case.Y, case.parameters, masks=(other, mask)
                )[name]
            except ValueError:
                continue
            if wrong.shape == came.shape and np.allclose(
                wrong, came, rtol=0, atol=tolerance
            ):
                layers = [
                    f"of layer {n}"
                    for n, is_missing in ((1, other == "none"), (2, mask == "none"))
                    if is_missing
                ]
                return (
                    f"the derivative of relu {' and '.join(layers)} is missing: "
                    "multiply by (z > 0)"
                    if layers
                    else "the derivative of relu is taken from the wrong layer"
                )
    if name in ("dW3", "db3"):
        return "dz3 of sigmoid with cross entropy is (a3 - Y)/m"
    return (
        f"the layers after it are right, so the fault is in d{'z' + name[-1]} "
        f"(the mask, or the product with W{int(name[-1]) + 1}) or in {name} itself"
    )
