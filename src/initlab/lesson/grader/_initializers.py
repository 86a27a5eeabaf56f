"""The three initializers, judged by many networks."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from initlab.lesson.grader._expected import INITIALIZATIONS, Parameters
from initlab.lesson.grader._findings import (
    Finding,
    FunctionGrade,
    call_of,
    joined,
    shown,
)
from initlab.lesson.grader._session import LESSON_SEED, Reply, Session, WorkerEndedError
from initlab.lesson.grader._slips import SAME, explain, explain_zeros
from initlab.lesson.grader._wire import Array, Foreign

# Of the lesson's own documents and tests: stored answers are right for these.
EXAMPLES = ([3, 2, 1], [2, 4, 1], [2, 10, 5, 1])
# Whose layers differ in every size, so that a wrong formula cannot hide.
TELLING = [7, 9, 8, 6, 3]
NETWORKS = (
    *EXAMPLES,
    TELLING,
    [4, 3],
    [5, 4, 1],
    [1, 1],
    [6, 1, 4, 1],
    [3, 3, 3, 3],
    [2, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 1],
    [40, 30, 10],
)
OTHER_SEED = 11

State = Callable[[bool], Session]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One call and what came of it."""

    dims: list[int]
    reply: Reply


def networks_for(text: str) -> list[list[int]]:
    """Return the networks that a program is judged by; three depend on its text.

    The same text gets the same networks, and no text can hold the answers for its own.
    """
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(1, 13, rng.integers(3, 8)).tolist() for _ in range(3)]
    return [list(dims) for dims in NETWORKS] + drawn


def grade_initializer(
    kind: str, session: Session, other: Session | None, networks: Sequence[list[int]]
) -> FunctionGrade:
    """Return the grade of `initialize_parameters_<kind>`.

    Args:
        kind: `"zeros"`, `"random"` or `"he"`.
        session: With the program loaded.
        other: With the lesson's seed exchanged for `OTHER_SEED`.
        networks: Lists of layer sizes.
    """
    function = f"initialize_parameters_{kind}"
    asked = [*networks, networks[0]]
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(
            Outcome(dims=dims, reply=session.call(function, list(dims)))
            for dims in asked
        )
    except WorkerEndedError as ended:
        dims = asked[len(outcomes)]
        return FunctionGrade(
            name=function,
            findings=(ended_finding(ended, call_of(function, dims)),),
            calls=len(outcomes) + 1,
        )
    findings = list(_findings(kind, function, outcomes))
    if not findings and other is not None and kind != "zeros":
        findings += _other_seed(kind, function, other)
    found = {each.check for each in findings}
    unseeded = found >= {"values", "repeatable"} and _only_unseeded(
        kind, function, session
    )
    if unseeded:
        findings = [
            _with_likely(
                each,
                "the seed is missing: np.random.seed(3) belongs inside the function, "
                "before the loop (after a seed from outside the numbers are right)",
            )
            if each.check == "values"
            else each
            for each in findings
            if each.check != "repeatable"
        ]
    return FunctionGrade(name=function, findings=tuple(findings), calls=len(outcomes))


def ended_finding(ended: WorkerEndedError, call: str) -> Finding:
    """Return the finding of a call that never came back."""
    text = str(ended)
    likely = (
        "an endless loop, or waiting? It was stopped"
        if "longer" in text
        else "it calls os._exit, uses more memory or time than there is, or crashes "
        "Python"
        if "ended" in text
        else ""
    )
    return Finding(
        check="ends", expected=f"{call} returns", got=f"it {text}", likely=likely
    )


def _with_likely(finding: Finding, likely: str) -> Finding:
    return Finding(
        check=finding.check, expected=finding.expected, got=finding.got, likely=likely
    )


def _findings(
    kind: str, function: str, outcomes: Sequence[Outcome]
) -> Iterable[Finding]:
    """Yield what is wrong, each kind of fault once."""
    by_check: dict[str, list[tuple[Outcome, Finding]]] = {}
    for outcome in outcomes:
        finding = _of_call(kind, function, outcome)
        if finding is not None:
            by_check.setdefault(finding.check, []).append((outcome, finding))
    fine = [
        each.dims
        for each in outcomes
        if not any(each is bad for found in by_check.values() for bad, _ in found)
    ]
    bad = [outcome.dims for found in by_check.values() for outcome, _ in found]
    pattern = _pattern(fine, bad)
    # One fault shows in several ways: the first is the most telling.
    for check in _ORDER:
        if check in by_check:
            found = by_check[check]
            finding = _most_telling(found)
            if pattern:
                likely = "; ".join(each for each in (pattern, finding.likely) if each)
                finding = _with_likely(finding, likely)
            yield finding
            break
    yield from _side_effects(function, outcomes)


_ORDER = ("raises", "type", "keys", "arrays", "shapes", "dtype", "finite", "values")


def _most_telling(found: Sequence[tuple[Outcome, Finding]]) -> Finding:
    for outcome, finding in found:
        if outcome.dims == TELLING and finding.likely:
            return finding
    return next((f for _, f in found if f.likely), found[0][1])


def _pattern(fine: Sequence[list[int]], bad: Sequence[list[int]]) -> str:
    """Return what right answers for some networks only have in common."""
    if not fine or not bad:
        return ""
    depths = {len(dims) - 1 for dims in fine}
    bad_depths = {len(dims) - 1 for dims in bad}
    if all(dims in map(list, EXAMPLES) for dims in fine) and depths & bad_depths:
        return (
            f"right for {joined([str(dims) for dims in _unique(fine)])} only, of the "
            "lesson's own: are answers written down (hard-coded), or is a global list "
            "of sizes used?"
        )
    if not depths & bad_depths and len(depths) == 1:
        return (
            f"only networks of {depths.pop()} layers come out right: loop over "
            "range(1, len(layers_dims))"
        )
    if not depths & bad_depths and max(depths) < min(bad_depths):
        return (
            f"networks of up to {max(depths)} layers come out right, deeper ones not: "
            "loop over range(1, len(layers_dims))"
        )
    return ""


def _unique(lists: Sequence[list[int]]) -> list[list[int]]:
    return [each for number, each in enumerate(lists) if each not in lists[:number]]


def _of_call(kind: str, function: str, outcome: Outcome) -> Finding | None:
    """Return the first fault of one call's result."""
    call = call_of(function, outcome.dims)
    reply = outcome.reply
    if reply.raised is not None:
        return Finding(
            check="raises",
            expected=f"{call} returns a dictionary",
            got=f"it raised {reply.raised}",
            likely=_why_raised(reply.raised.name, reply.raised.message),
        )
    if not isinstance(reply.result, Mapping):
        return Finding(
            check="type",
            expected=f"{call} returns a dictionary of W1, b1, ...",
            got=shown(reply.result),
            likely="`return parameters` is missing" if reply.result is None else "",
        )
    expected = INITIALIZATIONS[kind](outcome.dims, LESSON_SEED)
    return (
        _keys(call, reply.result, expected)
        or _arrays(call, reply.result, expected)
        or _values(kind, call, outcome.dims, reply.result, expected)
    )


def _why_raised(name: str, message: str) -> str:
    if name == "NotImplementedError":
        return "the function is not written yet"
    if name == "MemoryError":
        return "it asks for more memory than there is"
    if name == "PermissionError":
        return (
            "it was stopped from what a graded program may not do: read or write "
            "files, use the network, start or kill processes"
        )
    if name == "SystemExit":
        return "it calls exit; return the dictionary instead"
    if name == "IndexError":
        return "the loop goes one layer too far: range(1, len(layers_dims))"
    if "NoneType" in message:
        return "is a None of the template not filled in?"
    return ""


def _keys(
    call: str, result: Mapping[str, object], expected: Parameters
) -> Finding | None:
    missing = [name for name in expected if name not in result]
    extra = [name for name in result if name not in expected]
    if not missing and not extra:
        return None
    likely = ""
    lowered = {name.lower() for name in expected}
    if missing and extra and all(name.lower() in lowered for name in extra):
        likely = "names are W and b as written, capital W and small b"
    elif "W0" in extra:
        likely = "layers are counted from 1: W1, b1, not W0, b0"
    elif missing and not extra and missing[0] not in ("W1", "b1"):
        likely = (
            "the loop ends too early: range(1, len(layers_dims)) reaches the last layer"
        )
    elif extra and not missing:
        likely = (
            "the dictionary is shared between calls: make a new one inside the function"
            if all(name[0] in "Wb" for name in extra)
            else "the dictionary holds W and b of every layer and nothing else; other "
            "functions count its entries"
        )
    return Finding(
        check="keys",
        expected=f"{call} returns {joined(list(expected))}",
        got=joined(list(result)[:12]) or "an empty dictionary",
        likely=likely,
    )


def _arrays(
    call: str, result: Mapping[str, object], expected: Parameters
) -> Finding | None:
    """Return a finding on classes, shapes and types of the arrays."""
    for name, wanted in expected.items():
        value = result[name]
        asked = f"{name} of {call} is an array of shape {wanted.shape}"
        if not isinstance(value, Array) or value.kind != "ndarray":
            return Finding(
                check="arrays",
                expected=asked,
                got=f"a NumPy {value.kind}"
                if isinstance(value, Array)
                else shown(value),
                likely=_why_no_array(value),
            )
        if value.values.shape != wanted.shape:
            return Finding(
                check="shapes",
                expected=asked,
                got=f"shape {value.values.shape}",
                likely=_why_shape(name, value.values.shape, wanted.shape),
            )
        if value.values.dtype != np.float64:
            return Finding(
                check="dtype",
                expected=f"{name} of {call} holds float64 numbers",
                got=f"{value.values.dtype}",
                likely="training would cut every step to a whole number"
                if value.values.dtype.kind in "iub"
                else "keep NumPy's own float64",
            )
        if not value.writeable:
            return Finding(
                check="dtype",
                expected=f"{name} of {call} can be updated in place",
                got="a read-only array",
                likely="np.broadcast_to gives a view of one number; use np.zeros or "
                "np.full",
            )
        if not np.isfinite(value.values).all():
            return Finding(
                check="finite",
                expected=f"{name} of {call} is finite",
                got=shown(value),
                likely="np.empty is not filled, or something is divided by 0",
            )
    return None


def _why_no_array(value: object) -> str:
    if value is None:
        return "a None of the template is not filled in"
    if isinstance(value, Array) and value.kind == "matrix":
        return "np.matrix multiplies otherwise than the lesson's arrays; use np.array"
    if isinstance(value, Array):
        return "a subclass of ndarray; the lesson's are plain NumPy arrays"
    if isinstance(value, list | tuple):
        return "a nested list; the lesson's arrays are of NumPy"
    if isinstance(value, float | int | np.number):
        return "one number; randn and zeros need the shape (n, n_prev)"
    if isinstance(value, Foreign) and value.kind == "ndarray":
        return "an array of another dtype: complex, object, text; float64 is asked"
    if isinstance(value, Foreign):
        return "the lesson's arrays are NumPy arrays of numbers"
    return ""


def _why_shape(name: str, came: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if came == wanted[::-1] and name[0] == "W":
        return "transposed: W is (n, n_prev), rows are this layer's units"
    if name[0] == "b" and came == wanted[::-1]:
        return "b is a column (n, 1), not a row"
    if name[0] == "b" and len(came) == 1:
        return "b is a column of shape (n, 1), not flat (n,): zeros((n, 1))"
    if name[0] == "b" and came[:1] != wanted[:1]:
        return "b has one entry per unit of its own layer: zeros((layers_dims[l], 1))"
    return (
        "sizes come from something else than the argument: does the function use a "
        "global layers_dims, or sizes of its own?"
    )


def _values(
    kind: str,
    call: str,
    dims: list[int],
    result: Mapping[str, Array],
    expected: Parameters,
) -> Finding | None:
    for name, wanted in expected.items():
        came = result[name].values
        if np.allclose(came, wanted, rtol=SAME, atol=0):
            continue
        weights = [result[f"W{layer}"].values for layer in range(1, len(dims))]
        biases = {n: each.values for n, each in result.items() if n[0] == "b"}
        parts = []
        if kind == "zeros":
            parts.append(explain_zeros({n: each.values for n, each in result.items()}))
        else:
            if any(np.any(each) for each in biases.values()):
                parts.append(
                    "the biases are not zero: b is np.zeros((layers_dims[l], 1))"
                )
            if not all(
                np.allclose(w, expected[f"W{n}"], rtol=SAME)
                for n, w in enumerate(weights, start=1)
            ):
                parts.append(explain(kind, dims, weights))
        return Finding(
            check="values",
            expected=f"{name} of {call} is {shown(wanted)}",
            got=shown(came),
            likely="; ".join(part for part in parts if part),
        )
    return None


def _side_effects(function: str, outcomes: Sequence[Outcome]) -> Iterable[Finding]:
    """Yield what a call does besides returning."""
    seen = set()
    for outcome in outcomes:
        call = call_of(function, outcome.dims)
        reply = outcome.reply
        after = reply.arguments[0] if reply.arguments else outcome.dims
        if after != outcome.dims and "argument" not in seen:
            seen.add("argument")
            yield Finding(
                check="argument",
                expected=f"{call} leaves its argument as it was",
                got=f"layers_dims became {shown(after)}",
                likely="it changes (mutates) layers_dims in place: no append, pop, "
                "sort or item assignment on an argument",
            )
        if reply.printed.strip() and "prints" not in seen:
            seen.add("prints")
            yield Finding(
                check="prints",
                expected=f"{call} prints nothing",
                got=f"it printed {shown(reply.printed.strip())}",
                likely="a print is left inside the function",
            )
        for first, second in reply.shared:
            if "shared" not in seen:
                seen.add("shared")
                yield _shared(call, first, second)
    yield from _repeated(function, outcomes)


def _shared(call: str, first: str, second: str) -> Finding:
    if second == "an earlier call":
        return Finding(
            check="shared",
            expected=f"{call} makes new arrays in every call",
            got=f"{first} is the memory of an earlier call's result",
            likely=f"{first} is the same array object in both calls: it is kept in a "
            "global, a default argument or a cache; training one network would change "
            "the other",
        )
    return Finding(
        check="shared",
        expected=f"{call} makes an array of its own for every name",
        got=f"{first} and {second} are the same memory",
        likely=f"{first} and {second} share one array object: updating one changes the "
        "other",
    )


def _repeated(function: str, outcomes: Sequence[Outcome]) -> Iterable[Finding]:
    """Yield a finding if the same call gives other numbers the second time."""
    first = next((each for each in outcomes), None)
    again = [each for each in outcomes[1:] if first and each.dims == first.dims]
    if first is None or not again:
        return
    one, two = first.reply.result, again[0].reply.result
    if not isinstance(one, Mapping) or not isinstance(two, Mapping):
        return
    for name in one:
        a, b = one[name], two.get(name)
        if not isinstance(a, Array) or not isinstance(b, Array):
            continue
        if not np.array_equal(a.values, b.values, equal_nan=True):
            yield Finding(
                check="repeatable",
                expected=f"{call_of(function, first.dims)} gives the same numbers in "
                "every call",
                got=f"{name} differs between two calls",
                likely="the seed is not set inside the function, or it depends on what "
                "other calls left behind (global state)",
            )
            return


def _only_unseeded(kind: str, function: str, session: Session) -> bool:
    """Say whether the function is right once somebody else has set the seed."""
    if kind == "zeros":
        return False
    try:
        reply = session.call(function, list(TELLING), global_seed=LESSON_SEED)
    except WorkerEndedError:
        return False
    outcome = Outcome(dims=list(TELLING), reply=reply)
    return _of_call(kind, function, outcome) is None


def _other_seed(kind: str, function: str, other: Session) -> list[Finding]:
    """Judge the law: with another seed, that seed's draws must come."""
    try:
        reply = other.call(function, list(TELLING))
    except WorkerEndedError:
        return []
    if not isinstance(reply.result, Mapping):
        return []
    for seed in (OTHER_SEED, LESSON_SEED):  # not every way to seed can be exchanged
        expected = INITIALIZATIONS[kind](TELLING, seed)
        if all(
            isinstance(reply.result.get(name), Array)
            and np.allclose(reply.result[name].values, wanted, rtol=SAME, atol=0)
            for name, wanted in expected.items()
        ):
            return []
    return [
        Finding(
            check="law",
            expected=f"{call_of(function, TELLING)} with the seed {OTHER_SEED} in "
            "place of 3 gives the draws of that seed",
            got=f"W1 = {shown(reply.result.get('W1'))}",
            likely="are the lesson's numbers stored, or chosen so that they come out "
            "with seed 3 alone?",
        )
    ]
