"""The process that runs a learner's program: loads it, calls it, says what came.

It judges nothing and holds no answers. Started by `_session`, which reads its replies
as untrusted data.
"""

import contextlib
import json
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from initlab.lesson._surroundings import install
from initlab.lesson.grader._isolation import isolate, limit
from initlab.lesson.grader._program import needed, statements_of
from initlab.lesson.grader._wire import (
    LESSON_SEED,
    Array,
    Kept,
    decoded,
    encoded,
    line_of,
)

_MOST_PRINTED = 500  # characters of what a call printed that are sent back
_HARD_OVERLAP = 10_000  # steps that one overlap question may take


def main() -> None:
    """Serve one program until the grader has no more requests."""
    requests = os.fdopen(int(sys.argv[1]), "rb")
    replies = os.fdopen(int(sys.argv[2]), "wb")
    # Printing goes to a file, wherever the program prints: its growth is measured.
    printed = os.open("printed", os.O_RDWR | os.O_CREAT, 0o600)
    for descriptor in (1, 2):
        os.dup2(printed, descriptor)
    setup = json.loads(requests.readline())
    worker = _Worker(setup, printed)
    replies.write(line_of({"isolation": worker.isolation}))
    replies.flush()
    replies.write(line_of(worker.load()))
    replies.flush()
    for line in requests:
        replies.write(line_of(worker.call(json.loads(line))))
        replies.flush()


class _Worker:
    def __init__(self, setup: dict[str, Any], printed: int) -> None:
        self._setup = setup
        self._printed = printed
        self._names: dict[str, Any] = {"__name__": "__main__", "__doc__": None}
        self._results: list[Any] = []
        self._errors: list[dict[str, Any]] = []
        install()
        if setup["seed"] != LESSON_SEED:
            _exchange_seed(setup["seed"])
        sys.path[:] = [setup["folder"], *sys.path]
        sys.argv = ["submission"]
        limit(memory=setup["memory"], seconds=setup["seconds"])
        self.isolation = (
            isolate(
                readable=[Path(each) for each in setup["readable"]],
                writable=Path(setup["folder"]),
            )
            if setup["isolate"]
            else []
        )

    def load(self) -> dict[str, Any]:
        """Execute the program's statements; return which functions are missing."""
        statements = statements_of(self._setup["chunks"])
        if not self._setup["everything"]:
            statements = needed(statements, self._setup["targets"])
        sys.modules["__main__"].__dict__.update(self._names)
        self._names = sys.modules["__main__"].__dict__
        for statement in statements:
            try:
                with _quiet():
                    exec(statement.code, self._names)
            except BaseException as error:
                self._errors.append(_raised(error))
        absent = [
            name
            for name in self._setup["targets"]
            if not callable(self._names.get(name))
        ]
        return {"names": absent, "errors": self._errors[:20]}

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Call one function; return what came, and what it did besides."""
        arguments = [self._argument(decoded(each)) for each in request["arguments"]]
        keywords = {
            name: self._argument(decoded(value))
            for name, value in request["keywords"].items()
        }
        function = self._names.get(request["function"])
        # Whoever relies on an earlier seed draws something else each time.
        np.random.seed(request["global_seed"])
        before = os.lseek(self._printed, 0, os.SEEK_END)
        reply: dict[str, Any] = {}
        result = None
        try:
            with _quiet():
                result = function(*arguments, **keywords)  # type: ignore[misc]
        except BaseException as error:
            reply["raised"] = _raised(error)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        after = os.lseek(self._printed, 0, os.SEEK_END)
        text = os.pread(self._printed, min(after - before, 4 * _MOST_PRINTED), before)
        reply["printed"] = text.decode("utf-8", "replace")[:_MOST_PRINTED]
        reply["result"] = encoded(result)
        reply["arguments"] = [encoded(each) for each in arguments]
        reply["shared"] = self._shared(result, arguments)
        self._results.append(result)
        return reply

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Kept):
            result = self._results[value.call]
            return result if value.index is None else result[value.index]
        if isinstance(value, Array):
            return value.values.copy()
        if isinstance(value, dict):
            return {key: self._argument(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._argument(each) for each in value)
        return value

    def _shared(self, result: Any, arguments: list[Any]) -> list[list[str]]:
        """Return pairs of places that hold the same memory."""
        mine = _arrays(result)
        pairs = [
            [first, second]
            for number, (first, one) in enumerate(mine)
            for second, other in mine[number + 1 :]
            if _overlap(one, other)
        ]
        for earlier in self._results:
            pairs += [
                [name, "an earlier call"]
                for name, one in mine
                if any(_overlap(one, other) for _, other in _arrays(earlier))
            ]
        given = [array for each in arguments for _, array in _arrays(each)]
        pairs += [
            [name, "an argument"]
            for name, one in mine
            if any(_overlap(one, other) for other in given)
        ]
        return pairs[:20]


def _arrays(value: Any) -> list[tuple[str, np.ndarray]]:
    if isinstance(value, dict):
        return [
            (str(key), each)
            for key, each in value.items()
            if isinstance(each, np.ndarray)
        ]
    return []


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    try:
        return bool(
            np.shares_memory(one, other, max_work=_HARD_OVERLAP)  # type: ignore[arg-type]
        )
    except Exception:  # too hard to tell: then they are no simple copies
        return False


def _raised(error: BaseException) -> dict[str, Any]:
    """Return an exception's class, text, and the last line of the program in it."""
    with contextlib.suppress(Exception):
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if "<submission" in frame.filename]
        return {
            "name": type(error).__name__,
            "message": str(error)[:300],
            "line": lines[-1] if lines else None,
        }
    return {"name": "an exception", "message": "", "line": None}


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep warnings out: they are no printing, and never errors here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _exchange_seed(seed: int) -> None:
    """Let the lesson's seed mean another one, before the program is loaded.

    Right code then draws what that seed draws; stored answers stay as they are.
    """
    plain_seed, plain_state = np.random.seed, np.random.RandomState

    def exchanged(value: Any) -> Any:
        return seed if type(value) is int and value == LESSON_SEED else value

    class RandomState(plain_state):  # type: ignore[valid-type, misc]
        def __init__(self, value: Any = None) -> None:
            super().__init__(exchanged(value))

        def seed(self, value: Any = None) -> None:
            super().seed(exchanged(value))

    np.random.RandomState = RandomState  # type: ignore[misc, assignment]
    np.random.seed = lambda seed=None: plain_seed(exchanged(seed))


if __name__ == "__main__":
    main()
