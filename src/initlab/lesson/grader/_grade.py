"""A learner's file, graded: every function that the lesson asks for."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from initlab.errors import DataError
from initlab.lesson.grader._findings import Finding, FunctionGrade
from initlab.lesson.grader._initializers import (
    OTHER_SEED,
    grade_initializer,
    networks_for,
)
from initlab.lesson.grader._program import Program, endless_loop, program_of
from initlab.lesson.grader._session import Limits, Session, WorkerEndedError
from initlab.lesson.grader.network import (
    grade_backward,
    grade_forward,
    grade_loss,
    grade_model,
    grade_update,
)

KINDS = ("zeros", "random", "he")
_STEM = "initialize_parameters"
INITIALIZERS = tuple(f"{_STEM}_{kind}" for kind in KINDS)
NETWORK_FUNCTIONS = (
    "forward_propagation",
    "backward_propagation",
    "compute_loss",
    "update_parameters",
    "model",
)
FUNCTIONS = INITIALIZERS + NETWORK_FUNCTIONS
# Names that differ by a letter or two are slips, not other functions.
_NEAR = 0.85
_MOST_ERRORS = 3  # of the top level, that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What became of a submission.

    Attributes:
        file: Its path.
        functions: One grade for each function asked for or present.
        isolation: What kept the program in: `"limits"`, `"landlock"`, `"seccomp"`;
            nothing, if nothing of it ran.
        remarks: Of the program as a whole.
    """

    file: Path
    functions: tuple[FunctionGrade, ...]
    isolation: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every function passed."""
        return all(function.passed for function in self.functions)

    def as_json(self) -> dict[str, Any]:
        """Return the grade as JSON-able values."""
        return {
            "file": str(self.file),
            "status": "passed" if self.passed else "not passed",
            "isolation": list(self.isolation),
            "remarks": list(self.remarks),
            "functions": {
                function.name: {
                    "passed": function.passed,
                    "calls": function.calls,
                    "findings": [asdict(finding) for finding in function.findings],
                    "remarks": list(function.remarks),
                }
                for function in self.functions
            },
        }


def grade(
    file: str | Path,
    *,
    only: Sequence[str] = (),
    limits: Limits | None = None,
) -> Grade:
    """Return what a learner's program does, function by function.

    The program runs in a process of its own, without this one's environment, limited
    in memory and time, and cut off by Landlock and seccomp where the kernel has them.
    The file is never written to.

    Args:
        file: A script or a notebook.
        only: Functions to judge; none: the three initializers, which are asked for,
            and whatever else of the lesson is present.
        limits: Memory and time.

    Raises:
        DataError: If it cannot be read, or holds none of the lesson's functions.
    """
    program = program_of(Path(file))
    limits = limits or Limits()
    named = [name for name in FUNCTIONS if _defines(program, name)]
    if not any(_may_make(program, name) for name in FUNCTIONS) and not program.slips:
        raise DataError(
            f"{file}: nothing to grade: it defines none of {', '.join(INITIALIZERS)}"
        )
    asked = tuple(only) or INITIALIZERS
    endless = endless_loop(program.chunks)
    if endless is not None:
        ended = WorkerEndedError(f"would never end: the loop of line {endless}")
        functions = [_not_loaded(name, ended) for name in asked]
        return Grade(file=Path(file), functions=tuple(functions), isolation=())
    targets = tuple(only) or (
        *INITIALIZERS,
        *(name for name in NETWORK_FUNCTIONS if name in named),
    )
    try:
        with _session(program, targets, limits) as session:
            functions = list(_graded(program, session, targets, asked, limits))
            isolation = ("limits", *session.isolation)
            errors = session.errors[:_MOST_ERRORS]
            remarks = [f"its top level raised {error}" for error in errors]
    except WorkerEndedError as ended:
        functions = [_not_loaded(name, ended) for name in asked]
        isolation, remarks = ("limits", *ended.isolation), []
    return Grade(
        file=Path(file),
        functions=tuple(functions),
        isolation=isolation,
        remarks=tuple(remarks),
    )


def _defines(program: Program, name: str) -> bool:
    return re.search(rf"\b{name}\b", program.text) is not None


def _may_make(program: Program, name: str) -> bool:
    """Say whether the program names such a function, or puts its name together."""
    return _defines(program, name) or (name in INITIALIZERS and _STEM in program.text)


def _session(
    program: Program, targets: Sequence[str], limits: Limits, **how: Any
) -> Session:
    """Return a worker with what the functions need, or with all if that lacks one."""
    session = Session(program, targets, limits, **how)
    if not any(_may_make(program, name) for name in session.missing):
        return session
    session.close()
    return Session(program, targets, limits, everything=True, **how)


def _not_loaded(name: str, ended: WorkerEndedError) -> FunctionGrade:
    finding = Finding(
        check="loads",
        expected="the program can be loaded",
        got=f"it {ended}",
        likely="its top level does not end, or exits",
    )
    return FunctionGrade(name=name, findings=(finding,), calls=0)


def _graded(
    program: Program,
    session: Session,
    targets: Sequence[str],
    asked: Sequence[str],
    limits: Limits,
) -> Iterable[FunctionGrade]:
    """Yield one grade after another; a worker that ended is replaced."""
    networks = networks_for(program.text)
    passed: set[str] = set()
    missing = set(session.missing)
    with _Replaced(program, targets, limits, session) as workers:
        for name in targets:
            if name in missing:
                if name in asked:
                    yield _absent(program, name, session)
                continue
            if name in INITIALIZERS:
                kind = KINDS[INITIALIZERS.index(name)]
                grade_of = grade_initializer(
                    kind, workers.current, workers.other_seed, networks
                )
            elif name == "model" and not passed.issuperset(INITIALIZERS):
                yield FunctionGrade(
                    name=name,
                    findings=(),
                    calls=0,
                    remarks=("not judged: it trains from initializers that failed",),
                )
                continue
            else:
                grade_of = _network_grade(name, workers.current, missing, targets)
            if grade_of.passed:
                passed.add(name)
            if any(finding.check == "ends" for finding in grade_of.findings):
                workers.replace()
            yield grade_of


def _network_grade(
    name: str, session: Session, missing: set[str], targets: Sequence[str]
) -> FunctionGrade:
    own = "forward_propagation" in targets and "forward_propagation" not in missing
    return {
        "forward_propagation": grade_forward,
        "backward_propagation": lambda each: grade_backward(each, own_forward=own),
        "compute_loss": grade_loss,
        "update_parameters": grade_update,
        "model": grade_model,
    }[name](session)


class _Replaced:
    """The worker that is alive, and one with another seed; a context ends both."""

    def __init__(
        self,
        program: Program,
        targets: Sequence[str],
        limits: Limits,
        session: Session,
    ) -> None:
        self._how = (program, targets, limits)
        self._first = self.current = session
        self._other: Session | None = None

    def __enter__(self) -> "_Replaced":
        return self

    def __exit__(self, *_: object) -> None:
        for session in (self.current, self._other):
            if session is not None and session is not self._first:
                session.close()

    @property
    def other_seed(self) -> Session | None:
        """A worker in which the lesson's seed means another; None: it cannot start."""
        if self._other is None:
            try:
                self._other = _session(*self._how, seed=OTHER_SEED)
            except WorkerEndedError:
                return None
        return self._other

    def replace(self) -> None:
        """Start the worker anew, after a call that never came back."""
        if self.current is not self._first:
            self.current.close()
        self.current = _session(*self._how)


def _absent(program: Program, name: str, session: Session) -> FunctionGrade:
    """Return the grade of a function that is asked for and not there."""
    defined = re.findall(r"^\s*def\s+(\w+)|^(\w+)\s*=", program.text, re.MULTILINE)
    names = [each for pair in defined for each in pair if each]
    near = [
        each
        for each in difflib.get_close_matches(name, names, cutoff=_NEAR)
        if each not in FUNCTIONS
    ]
    likely = "it is missing, or it is something that cannot be called as a function"
    if program.slips:
        slip = program.slips[0]
        likely = f"{slip.where} is no Python (syntax error): {slip.message}"
    elif near:
        likely = f"{near[0]} is defined; is its name misspelled?"
    elif session.errors:
        likely = f"the program raised {session.errors[0]}"
    finding = Finding(
        check="missing",
        expected=f"the program defines {name}",
        got="it does not",
        likely=likely,
    )
    return FunctionGrade(name=name, findings=(finding,), calls=0)
