"""`model`, judged by where some short trainings end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from initlab.lesson.grader import _expected as lesson
from initlab.lesson.grader._expected import Parameters
from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._session import Session
from initlab.lesson.grader._wire import LESSON_SEED, Array
from initlab.lesson.grader.network._calls import (
    FaultError,
    called,
    graded,
    unchanged,
)

MODEL = 1e-6  # sums in another order, over some steps of training


def grade_model(session: Session) -> FunctionGrade:
    """Judge `model(X, Y, learning_rate, num_iterations, print_cost, initialization)`.

    From the learner's initializers, which must have passed.
    """
    return graded("model", [partial(_judge_model, session, trial) for trial in _TRIALS])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """One training to ask for."""

    features: int
    examples: int
    learning_rate: float
    iterations: int
    initialization: str

    @property
    def text(self) -> str:
        return (
            f"model of {self.examples} examples of {self.features} features, "
            f"{self.iterations} iterations at learning rate {self.learning_rate} from "
            f"{self.initialization!r}"
        )


_TRIALS = (
    _Trial(
        features=2, examples=30, learning_rate=0.05, iterations=8, initialization="he"
    ),
    _Trial(
        features=2,
        examples=30,
        learning_rate=0.05,
        iterations=8,
        initialization="zeros",
    ),
    _Trial(
        features=2,
        examples=30,
        learning_rate=0.01,
        iterations=3,
        initialization="random",
    ),
    _Trial(
        features=2, examples=25, learning_rate=0.3, iterations=21, initialization="he"
    ),
    _Trial(
        features=3, examples=12, learning_rate=0.1, iterations=5, initialization="he"
    ),
)


def _judge_model(session: Session, trial: _Trial) -> None:
    rng = np.random.default_rng(22)
    X = rng.standard_normal((trial.features, trial.examples))
    # Two thirds of one class, so that zeros moves too.
    Y = (np.arange(trial.examples)[None, :] % 3 == 0).astype(int)
    reply = called(
        session,
        "model",
        trial.text,
        X,
        Y,
        learning_rate=trial.learning_rate,
        num_iterations=trial.iterations,
        print_cost=False,
        initialization=trial.initialization,
    )
    result = reply.result
    if isinstance(result, tuple | list) and result and isinstance(result[0], Mapping):
        result = result[0]  # some return the costs too
    if not isinstance(result, Mapping):
        raise FaultError(
            Finding(
                check="type",
                expected=f"{trial.text} returns the parameters",
                got=shown(result),
                likely="`return parameters` is missing" if result is None else "",
            )
        )
    start = _start_of(trial, trial.initialization)
    wanted = lesson.trained(X, Y, start, trial.learning_rate, trial.iterations)
    if not _agree(result, wanted):
        raise FaultError(
            Finding(
                check="values",
                expected=f"{trial.text} ends with W3 = {shown(wanted['W3'])}",
                got=f"W3 = {shown(result.get('W3'))}",
                likely=_why_model(trial, X, Y, result),
            )
        )
    unchanged(reply, (X, Y), "model")
    if reply.printed.strip():
        raise FaultError(
            Finding(
                check="prints",
                expected="model prints nothing with print_cost=False",
                got=f"it printed {shown(reply.printed.strip())}",
                likely="the print of the cost must ask `if print_cost`",
            )
        )


def _start_of(trial: _Trial, initialization: str) -> Parameters:
    dims = [trial.features, 10, 5, 1]
    return lesson.INITIALIZATIONS[initialization](dims, LESSON_SEED)


def _agree(result: Mapping[str, Any], wanted: Parameters) -> bool:
    return all(
        isinstance(result.get(name), Array)
        and result[name].values.shape == values.shape
        and np.allclose(result[name].values, values, rtol=MODEL, atol=MODEL)
        for name, values in wanted.items()
    )


def _why_model(
    trial: _Trial, X: np.ndarray, Y: np.ndarray, result: Mapping[str, Any]
) -> str:
    """Return which other training ends with these parameters."""
    for slip, initialization, learning_rate, iterations in _other_trainings(trial):
        start = _start_of(trial, initialization)
        if _agree(result, lesson.trained(X, Y, start, learning_rate, iterations)):
            return slip
    shapes = {
        name: value.values.shape
        for name, value in result.items()
        if isinstance(value, Array)
    }
    if shapes.get("W1") != (10, trial.features):
        return f"W1 has shape {shapes.get('W1')}: the network is X.shape[0], 10, 5, 1"
    return (
        "something else than full-batch gradient descent: are the labels, the order of "
        "the steps and the update the lesson's?"
    )


def _other_trainings(trial: _Trial) -> Iterator[tuple[str, str, float, int]]:
    asked = (trial.initialization, trial.learning_rate, trial.iterations)
    for other in lesson.INITIALIZATIONS:
        yield (
            f"it trains from {other!r}, whatever `initialization` says",
            other,
            *asked[1:],
        )
    init, rate, steps = asked
    yield "it goes uphill: the learning rate's sign is turned", init, -rate, steps
    yield "nothing is trained: the update's result is not used", init, rate, 0
    yield "one iteration too few", init, rate, steps - 1
    yield "one iteration too many", init, rate, steps + 1
    yield "every step is made twice", init, rate, 2 * steps
    for fixed in (0.01, 0.0075, 0.1, 0.001, 1.0):
        yield f"the learning rate is {fixed}, whatever is asked", init, fixed, steps
    for fixed_steps in (1, 10, 100, 1000):
        yield (
            f"it makes {fixed_steps} iterations, whatever num_iterations says",
            init,
            rate,
            fixed_steps,
        )
