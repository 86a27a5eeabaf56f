"""The learner's network functions, judged where they are present."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from initlab.lesson.grader import _expected as lesson
from initlab.lesson.grader._expected import Parameters
from initlab.lesson.grader._findings import Finding, FunctionGrade, shown
from initlab.lesson.grader._initializers import ended_finding
from initlab.lesson.grader._session import LESSON_SEED, Reply, Session, WorkerEndedError
from initlab.lesson.grader._wire import Array, Kept

# (features, hidden, hidden, examples): square layers would hide a transposition.
NETWORKS = ((2, 4, 3, 7), (3, 5, 2, 1), (4, 2, 6, 11))
# Central differences are right to about 1e-9 of the largest entry.
GRADIENT = 1e-6
EXACT = 1e-9  # sums in another order
MODEL = 1e-6  # and over some steps of training


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small network with data."""

    X: np.ndarray
    Y: np.ndarray
    parameters: Parameters

    @property
    def text(self) -> str:
        """What it is, in a finding."""
        widths = [self.X.shape[0], *(len(self.parameters[f"b{n}"]) for n in (1, 2, 3))]
        return f"a {'-'.join(map(str, widths))} network and {self.X.shape[1]} examples"


def cases() -> list[Case]:
    """Return networks whose units are partly active, with biases that matter."""
    rng = np.random.default_rng(20)
    made = []
    for features, first, second, examples in NETWORKS:
        widths = (features, first, second, 1)
        parameters = {}
        for layer in (1, 2, 3):
            shape = (widths[layer], widths[layer - 1])
            parameters[f"W{layer}"] = rng.standard_normal(shape)
            parameters[f"b{layer}"] = 0.5 * rng.standard_normal((widths[layer], 1))
        X = rng.standard_normal((features, examples))
        made.append(
            Case(X=X, Y=rng.integers(0, 2, (1, examples)), parameters=parameters)
        )
    return made


class _FaultError(Exception):
    """A finding on its way out of a check."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.got)
        self.finding = finding


def _called(
    session: Session, function: str, what: str, *arguments: Any, **keywords: Any
) -> Reply:
    """Call, and fault what is no return."""
    try:
        reply = session.call(function, *arguments, **keywords)
    except WorkerEndedError as ended:
        raise _FaultError(ended_finding(ended, f"{function} of {what}")) from None
    if reply.raised is not None:
        raise _FaultError(
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


def _graded(
    name: str, checks: Sequence[Callable[[], Sequence[str] | None]]
) -> FunctionGrade:
    """Run checks until one faults; what they return are remarks."""
    remarks: list[str] = []
    for number, check in enumerate(checks, start=1):
        try:
            remarks += check() or ()
        except _FaultError as fault:
            return FunctionGrade(
                name=name,
                findings=(fault.finding,),
                calls=number,
                remarks=tuple(remarks),
            )
    return FunctionGrade(
        name=name, findings=(), calls=len(checks), remarks=tuple(remarks)
    )


def _values_of(value: Any, what: str) -> np.ndarray:
    if isinstance(value, Array) and value.kind != "matrix":
        return value.values.astype(np.float64)
    if isinstance(value, float | int | np.number) and not isinstance(value, bool):
        return np.asarray(float(value))
    raise _FaultError(
        Finding(
            check="type",
            expected=f"{what} is a NumPy array of numbers",
            got=shown(value),
            likely="`return` is missing" if value is None else "",
        )
    )


def _unchanged(reply: Reply, arguments: Sequence[Any], function: str) -> None:
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
                raise _FaultError(
                    Finding(
                        check="argument",
                        expected=f"{function} leaves its arguments as they were",
                        got=f"{name} was changed",
                        likely="it changes (mutates) an argument in place; work on a "
                        "new array",
                    )
                )


def grade_forward(session: Session) -> FunctionGrade:
    """Judge `forward_propagation(X, parameters)`."""
    function = "forward_propagation"

    def check(case: Case) -> None:
        reply = _called(session, function, case.text, case.X, case.parameters)
        a3 = _values_of(
            _a3_and_cache(reply, case)[0], "a3, the first of the two results,"
        )
        wanted = lesson.forward(case.X, case.parameters)[-1][1]
        if a3.shape != wanted.shape or not np.allclose(a3, wanted, rtol=EXACT):
            raise _FaultError(
                Finding(
                    check="values",
                    expected=f"a3 of {case.text} is {shown(wanted)}",
                    got=shown(a3),
                    likely=_why_forward(case, a3),
                )
            )
        _unchanged(reply, (case.X, case.parameters), function)

    return _graded(function, [partial(check, case) for case in cases()])


def _a3_and_cache(reply: Reply, case: Case) -> tuple[Any, Any]:
    result = reply.result
    if isinstance(result, tuple | list) and len(result) == 2:
        return result[0], result[1]
    raise _FaultError(
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
            first = _called(session, forward, case.text, case.X, case.parameters)
            before = _a3_and_cache(first, case)[1]
            cache = Kept(call=session.calls - 1, index=1)
        reply = _called(session, function, case.text, case.X, case.Y, cache)
        grads = reply.result
        if not isinstance(grads, Mapping):
            raise _FaultError(
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
        _unchanged(reply, (case.X, case.Y, before), function)

    return _graded(function, [partial(check, case) for case in cases()])


def _judge_gradient(
    name: str, case: Case, grads: Mapping[str, Any], wanted: Parameters
) -> None:
    if name not in grads:
        raise _FaultError(
            Finding(
                check="keys",
                expected=f"gradients hold {name}",
                got=", ".join(list(grads)[:12]),
            )
        )
    came, right = _values_of(grads[name], name), wanted[name]
    if came.shape != right.shape:
        raise _FaultError(
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
        raise _FaultError(
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


def grade_loss(session: Session) -> FunctionGrade:
    """Judge `compute_loss(a3, Y)`."""
    function = "compute_loss"
    rng = np.random.default_rng(21)

    def check(examples: int) -> None:
        a3 = rng.uniform(0.05, 0.95, (1, examples))
        Y = rng.integers(0, 2, (1, examples))
        what = f"{examples} examples"
        reply = _called(session, function, what, a3, Y)
        came = _values_of(reply.result, f"the loss of {what}")
        wanted = lesson.loss(a3, Y)
        if came.size != 1 or not np.isclose(came.item(), wanted, rtol=EXACT):
            raise _FaultError(
                Finding(
                    check="values",
                    expected=f"the loss of {what} is {wanted:.10g}",
                    got=shown(came if came.size != 1 else float(came.item())),
                    likely=_why_loss(came, a3, Y, wanted),
                )
            )
        _unchanged(reply, (a3, Y), function)

    def saturated() -> list[str]:
        a3, Y = np.array([[1.0, 0.0, 0.5]]), np.array([[1, 0, 1]])
        reply = _called(session, function, "outputs of exactly 0 and 1", a3, Y)
        value = _values_of(reply.result, "the loss")
        if value.size == 1 and math.isfinite(value.item()):
            return []
        return [
            "compute_loss is not finite for right outputs of exactly 0 or 1 (0 times "
            "log 0); the lesson uses np.nansum, and large random weights need it"
        ]

    return _graded(
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


def grade_update(session: Session) -> FunctionGrade:
    """Judge `update_parameters(parameters, grads, learning_rate)`."""
    function = "update_parameters"

    def check(case: Case, learning_rate: float) -> None:
        grads = lesson.backward(case.X, case.Y, case.parameters)
        # Larger ones, so that a missing step is no rounding.
        grads = {name: 10 * values + 1 for name, values in grads.items()}
        arguments = (case.parameters, grads, learning_rate)
        reply = _called(session, function, case.text, *arguments)
        if not isinstance(reply.result, Mapping):
            raise _FaultError(
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
                _values_of(reply.result.get(name), name), values, rtol=EXACT, atol=1e-12
            )
        ]
        if wrong:
            name = wrong[0]
            raise _FaultError(
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
        _unchanged(reply, ({}, grads), function)

    return _graded(
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


def grade_model(session: Session) -> FunctionGrade:
    """Judge `model(X, Y, learning_rate, num_iterations, print_cost, initialization)`.

    From the learner's initializers, which must have passed.
    """
    return _graded(
        "model", [partial(_judge_model, session, trial) for trial in _TRIALS]
    )


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
    reply = _called(
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
        raise _FaultError(
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
        raise _FaultError(
            Finding(
                check="values",
                expected=f"{trial.text} ends with W3 = {shown(wanted['W3'])}",
                got=f"W3 = {shown(result.get('W3'))}",
                likely=_why_model(trial, X, Y, result),
            )
        )
    _unchanged(reply, (X, Y), "model")
    if reply.printed.strip():
        raise _FaultError(
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
