"""The conductor: a study in, one labelled dataset out."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from initlab import engine as engines
from initlab import results
from initlab.errors import (
    ExecutionError,
    InvalidValueError,
    OutputError,
)
from initlab.spec import CALLABLE, Study, as_count, shortened
from initlab.study._estimate import as_threads, refuse_impossible
from initlab.study._execute import Where, done_shards
from initlab.study._keep import InMemory, InStore, agreed, refuse_changed
from initlab.study._plan import AUTO, Plan, Shard, planned, refuse_unknown_engine
from initlab.study._start import Given

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """What a caller chose besides the study."""

    weights: Given
    engine: str
    threads: int | None
    executor: Executor | None
    progress: engines.Progress | None
    extend: bool
    part: tuple[int, int] | None
    say: Say


def run(
    study: Study,
    *,
    weights: Given | None = None,
    store: str | Path | None = None,
    engine: str = "auto",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    extend: bool = False,
    part: tuple[int, int] | None = None,
    say: Say | None = None,
) -> xr.Dataset:
    """Return every member's history as one labelled dataset.

    A grid's dimensions come before `init` and `member`; what has fewer layers than the
    deepest cell is NaN there.

    Args:
        study: What to run.
        weights: Explicit starting weights by label: per layer `(W, b)` with W of shape
            `(fan_out, fan_in)`, or with a leading member axis; or the lesson's
            dict `W1, b1, ...`. A label among the study's inits replaces that one.
        store: A `.zarr` folder, or an address that fsspec knows and that ends so:
            written shard by shard and resumed if it is there; the dataset is then
            read from it when it is used. Or a new `.nc` file, written at the end.
        engine: `"lanes"` (small networks, compiled), `"wide"` (large ones, BLAS),
            `"reference"` (NumPy, the definition of correct), or `"auto"`: the one
            that is quickest for this study; what it resolved to is in the dataset.
        threads: Networks trained at a time; None: one per core. Changes no number.
        executor: Any `concurrent.futures.Executor` to train in instead, one shard a
            task; its workers need no disk of ours. Changes no number on machines
            alike.
        progress: Called with (steps done, steps in all) about ten times a second.
        extend: Grow a store by what the study has more: members, inits, values of its
            grid.
        part: `(i, n)`: only the i-th of n parts of the shards, into a store of its
            own; `initlab.merge` unites them.
        say: Called with remarks about a store that is resumed.

    Raises:
        InvalidValueError: If it is no study, or widths, loss, batch or weights do not
            fit the data.
        DataError: If the problem's data cannot be used.
        OutputError: If the store cannot be written, or holds something else.
        ExecutionError: If the executor's workers are gone.

    Example:
        >>> results = run(Study(inits=["he_normal"], steps=20))
        >>> dict(results.loss.sizes)
        {'init': 1, 'member': 1, 'step': 2}
        >>> study = Study(grid={"learning_rate": [0.01, 0.1]}, steps=20)
        >>> run(study).loss.dims
        ('learning_rate', 'init', 'member', 'step')
    """
    if not isinstance(study, Study):
        raise InvalidValueError(
            f"an initlab.Study, got {type(study).__name__}; of a file it is "
            'initlab.from_toml(Path("study.toml").read_text())',
            argument="study",
        )
    refuse_unknown_engine(engine)
    choices = _Choices(
        weights=_by_label(weights), engine=engine, threads=as_threads(threads),
        executor=executor, progress=progress, extend=extend, part=_as_part(part),
        say=say or (lambda _: None),
    )  # fmt: skip
    if store is None:
        return _in_memory(study, choices)
    if not str(store).endswith(".nc"):
        return _in_store(study, store, choices)
    results.refuse_existing(store)
    dataset = _in_memory(study, choices)
    results.save(dataset, store)
    return dataset


def _by_label(weights: Any) -> Given:
    if weights is None:
        return {}
    if isinstance(weights, Mapping):
        return weights
    raise InvalidValueError(
        "layers by label, as in {'mine': [(W1, b1), (W2, b2)]}, "
        f"got {shortened(weights)}",
        argument="weights",
    )


def _as_part(part: Any) -> tuple[int, int] | None:
    if part is None:
        return None
    with suppress(InvalidValueError):
        if isinstance(part, tuple | list) and len(part) == 2:
            of = as_count("n", part[1], least=1)
            number = as_count("i", part[0], least=1)
            if number <= of:
                return number, of
    raise InvalidValueError(
        f"(i, n), whole numbers with 1 <= i <= n, got {shortened(part)}",
        argument="part",
    )


def _in_memory(study: Study, choices: _Choices) -> xr.Dataset:
    if choices.part or choices.extend:
        raise InvalidValueError("part, extend: are of a store; give store=")
    plan = planned(study, choices.weights, choices.engine)
    refuse_impossible(plan, None)
    kept = InMemory(plan)
    _fill(plan, list(plan.shards()), kept, choices)
    return kept.dataset()


def _in_store(study: Study, store: str | Path, choices: _Choices) -> xr.Dataset:
    keys = results.keys_of(store)
    results.refuse_unstorable(store)
    _refuse_unidentified(study)
    held = results.root_attributes(store)
    engine = choices.engine
    if held is not None:
        results.refuse_newer(held)
        if engine == AUTO:
            engine = str(held["engine"])
    plan = planned(study, choices.weights, engine)
    if held is not None:
        whole = agreed(plan.study, store, held, extend=choices.extend)
        plan = planned(whole, choices.weights, engine)
        refuse_changed(store, held, plan)
    refuse_impossible(plan, store)
    with results.sole_writer(store, keys) as died:
        if died:
            choices.say(f"the last run ({died}) did not end in order")
        kept = InStore(plan, store, keys)
        kept.establish()
        left = kept.missing(choices.part)
        if kept.members_there:
            networks = sum(map(len, left))
            choices.say(
                f"resuming {store}: {kept.members_there:,} networks are there, "
                f"{networks:,} are left"
            )
        _fill(plan, left, kept, choices)
    return results.open_store(store)


def _refuse_unidentified(study: Study) -> None:
    """Make sure that a callable that changed is told from the one in the store."""
    for init in study.inits:
        if init.name != CALLABLE:
            continue
        if init.digest is None:
            raise InvalidValueError(
                f"the source of {init.label!r} cannot be read, so that a change "
                "would go unseen: a store needs a function that is written in a file",
                argument="inits",
            )
        if init.has_changed:
            raise InvalidValueError(
                f"{init.label!r}, or a value that it refers to, has changed "
                "since this study was made of it; make the study anew",
                argument="inits",
            )


def _fill(
    plan: Plan, shards: Sequence[Shard], kept: InMemory | InStore, choices: _Choices
) -> None:
    where = Where(
        threads=choices.threads,
        executor=choices.executor,
        progress=choices.progress,
        encoded=isinstance(kept, InStore),
        old=kept.old if isinstance(kept, InStore) else lambda _: None,
    )
    written = 0
    try:
        with closing(done_shards(plan, shards, where)) as ending:
            for shard, done in ending:
                kept.keep(shard, done)
                written += 1
    except (ExecutionError, OutputError) as error:
        if isinstance(kept, InMemory):
            raise
        raise type(error)(
            f"{error}; {written:,} of {len(shards):,} shards were written, and the "
            "same command resumes"
        ) from None
