"""The three initializers, judged by many networks."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from initlab.lesson.grader._expected import INITIALIZATIONS
from initlab.lesson.grader._findings import (
    Finding,
    FunctionGrade,
    call_of,
    joined,
    shown,
)
from initlab.lesson.grader._one_call import Outcome, of_call
from initlab.lesson.grader._session import Session, WorkerEndedError
from initlab.lesson.grader._side_effects import side_effects
from initlab.lesson.grader._slips import SAME
from initlab.lesson.grader._wire import LESSON_SEED, Array

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
        finding = of_call(kind, function, outcome)
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
    yield from side_effects(function, outcomes)


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


def _only_unseeded(kind: str, function: str, session: Session) -> bool:
    """Say whether the function is right once somebody else has set the seed."""
    if kind == "zeros":
        return False
    try:
        reply = session.call(function, list(TELLING), global_seed=LESSON_SEED)
    except WorkerEndedError:
        return False
    outcome = Outcome(dims=list(TELLING), reply=reply)
    return of_call(kind, function, outcome) is None


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
