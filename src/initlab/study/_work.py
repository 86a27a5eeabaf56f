"""One shard's work: starting weights in, arrays out; the same wherever it is done."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from initlab import engine as engines
from initlab import problems, results
from initlab.errors import InvalidValueError
from initlab.spec import Init, Problem, Study
from initlab.study._fit import examples_of
from initlab.study._pictures import pictures
from initlab.study._start import drawn
from initlab.study._versions import versions

SUMMARIES = tuple(engines.LayerSummaries.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A shard as it travels to a worker, who needs no disk of ours.

    Attributes:
        study: Of the cell; without inits, and a problem only if it can be made anew.
        init: Where its members start.
        first, stop: Its members.
        data: What cannot be made anew from the problem.
        starts: Weights that cannot be drawn there: a callable's, or explicit ones.
        engine: What trains them.
        versions: That the worker must have, too.
        recorded: What is kept, by the schema's names.
        forms: To encode it; None: arrays are wanted.
        offset: Where `first` stands in the shard's chunks.
        old: The chunks so far, of a shard that grows.
    """

    study: Study
    init: Init
    first: int
    stop: int
    data: problems.Data | None
    starts: list[engines.Weights] | None
    engine: str
    versions: dict[str, str]
    recorded: tuple[str, ...]
    forms: dict[str, results.Form] | None
    offset: int = 0
    old: dict[str, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a shard.

    Attributes:
        arrays: By the schema's names, members first; empty where they are encoded.
        chunks: The same as a store keeps it.
        diverged: How many members diverged.
        seconds: That it took.
    """

    arrays: dict[str, np.ndarray]
    chunks: dict[str, bytes]
    diverged: int
    seconds: float


def work(task: Task) -> Done:
    """Train a shard in somebody's process, on one core.

    Raises:
        InvalidValueError: If this process would compute other numbers.
    """
    began = time.perf_counter()
    here = versions(task.engine)
    for name, wanted in task.versions.items():
        if here.get(name) != wanted:
            raise InvalidValueError(
                f"a worker has {name} {here.get(name)}, and this study runs "
                f"with {wanted}; install the same versions everywhere",
                argument="executor",
            )
    data = task.data or _loaded(task.study.problem, task.study.loss)
    examples = examples_of(task.study, data)
    numbers = range(task.first, task.stop)
    starts = task.starts or [drawn(task.study, task.init, each) for each in numbers]
    bare = bare_of(task.study)
    with engines.one_blas_thread():
        histories = engines.train_ensemble(
            bare, starts, examples, engine=task.engine, threads=1
        )
        arrays = arrays_of(
            bare, data, examples, starts, histories, task.recorded, first=task.first
        )
    return finished(arrays, task.forms, began=began, offset=task.offset, old=task.old)


def bare_of(study: Study) -> Study:
    """Return the study without what need not travel to kernels and other threads."""
    return study.model_copy(update={"inits": (), "problem": Problem()})


@lru_cache(maxsize=8)
def _loaded_text(text: str, loss: str | None) -> problems.Data:
    return problems.load(Problem.model_validate_json(text), loss=loss)


def _loaded(problem: Problem, loss: str | None) -> problems.Data:
    return _loaded_text(problem.model_dump_json(), loss)


def arrays_of(
    bare: Study,
    data: problems.Data,
    examples: engines.Examples,
    starts: Sequence[engines.Weights],
    histories: Sequence[engines.History],
    recorded: Sequence[str],
    *,
    first: int,
) -> dict[str, np.ndarray]:
    """Return what is recorded of some members, by the schema's names.

    What belongs to another kind of problem in the same grid is there without members.
    """
    score = "accuracy" if examples.is_classification else "r2"
    found: dict[str, np.ndarray] = {}
    for name in recorded:
        if name == "loss":
            found[name] = np.stack([each.loss for each in histories])
        elif name in ("diverged_step", "stopped_step"):
            found[name] = np.array([getattr(each, name) for each in histories])
        elif name in (f"train_{score}", f"test_{score}"):
            field = f"{name.partition('_')[0]}_score"
            found[name] = np.stack([getattr(each, field) for each in histories])
        elif name in SUMMARIES:
            found[name] = np.stack([getattr(each.layers, name) for each in histories])
        elif name == "final_weights":
            found[name] = np.stack([each.parameters.flat for each in histories])
        elif name.endswith(("_accuracy", "_r2")):
            found[name] = np.empty((0, len(histories[0].loss)))
    if first == 0 and "activation_density" in recorded:
        found |= pictures(bare, data, starts[0], histories[0], examples.train_x)
    return found


def finished(
    arrays: dict[str, np.ndarray],
    forms: dict[str, results.Form] | None,
    *,
    began: float,
    offset: int = 0,
    old: dict[str, bytes] | None = None,
) -> Done:
    """Return a shard's arrays, encoded where forms are given."""
    diverged = int((arrays["diverged_step"] >= 0).sum())
    chunks = {}
    if forms is not None:
        chunks = results.encode(forms, arrays, first=offset, old=old)
        arrays = {}
    return Done(
        arrays=arrays,
        chunks=chunks,
        diverged=diverged,
        seconds=time.perf_counter() - began,
    )
