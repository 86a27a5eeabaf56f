"""Shards done: in threads of this process, or by anybody's executor."""

import time
from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass
from itertools import groupby

from initlab import engine as engines
from initlab.errors import ExecutionError, InitlabError
from initlab.spec import CALLABLE, EXPLICIT, Init, Problem
from initlab.study._plan import Plan, Shard
from initlab.study._start import Starts
from initlab.study._versions import versions
from initlab.study._work import Done, Task, arrays_of, bare_of, finished, work

# A shard that a worker's death took is tried again so often.
_TRIES = 3
_PERIOD = 0.1  # seconds between two looks at who has ended
_LOOK = 2.0  # seconds between two looks at how many workers there are

OldChunks = Callable[[Shard], dict[str, bytes] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """How to run shards.

    Attributes:
        threads: Networks at a time in this process; None: one per core.
        executor: Where to run instead.
        progress: Told how many steps are done, of how many.
        encoded: Whether a store's chunks are wanted, and no arrays.
        old: The chunks so far of a shard that grows.
    """

    threads: int | None
    executor: Executor | None
    progress: engines.Progress | None
    encoded: bool
    old: OldChunks


def done_shards(
    plan: Plan, shards: Sequence[Shard], where: Where
) -> Generator[tuple[Shard, Done]]:
    """Yield each shard with what came of it, as they end."""
    if where.executor is None:
        yield from _here(plan, shards, where)
    else:
        yield from _there(plan, shards, where, where.executor)


def _here(
    plan: Plan, shards: Sequence[Shard], where: Where
) -> Generator[tuple[Shard, Done]]:
    """Train cell after cell, each cell's networks side by side."""
    total = sum(map(len, shards)) * plan.study.steps
    before = 0
    for number, group in groupby(shards, key=lambda shard: shard.cell):
        mine = list(group)
        steps = sum(map(len, mine)) * plan.study.steps

        def progress(done: int, _: int, before: int = before) -> None:
            assert where.progress is not None
            where.progress(before + done, total)

        yield from _cell_here(
            plan, number, mine, where, progress if where.progress else None
        )
        before += steps


def _cell_here(
    plan: Plan,
    number: int,
    shards: Sequence[Shard],
    where: Where,
    progress: engines.Progress | None,
) -> Generator[tuple[Shard, Done]]:
    cell = plan.cells[number]
    bare = bare_of(cell.study)
    networks = _Networks(cell.starts, plan, shards)
    forms = plan.layout.forms if where.encoded else None
    recorded = tuple(plan.layout.recorded)
    trained: dict[Shard, dict[int, engines.History]] = {}
    began = time.perf_counter()
    for numbers, histories in engines.stream_ensemble(
        bare, networks, cell.examples, engine=plan.engine, threads=where.threads,
        progress=progress,
    ):  # fmt: skip
        for network, history in zip(numbers, histories, strict=True):
            shard, member = networks.who(network)
            kept = trained.setdefault(shard, {})
            kept[member] = history
            if len(kept) < len(shard):
                continue
            ordered = [trained[shard][each] for each in sorted(kept)]
            del trained[shard]
            arrays = arrays_of(
                bare, cell.data, cell.examples, networks.first_of(shard), ordered,
                recorded, first=shard.first,
            )  # fmt: skip
            offset = shard.first - shard.place.block * plan.study.shard_members
            yield (
                shard,
                finished(
                    arrays, forms, began=began, offset=offset, old=where.old(shard)
                ),
            )
            began = time.perf_counter()


class _Networks(Sequence[engines.Weights]):
    """The starting weights of some shards of a cell, one after the other."""

    def __init__(self, starts: Starts, plan: Plan, shards: Sequence[Shard]) -> None:
        self._starts, self._members = starts, plan.study.members
        self._shards = list(shards)
        self._ends = [0]
        for shard in shards:
            self._ends.append(self._ends[-1] + len(shard))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> engines.Weights:  # type: ignore[override]
        if not 0 <= number < len(self):
            raise IndexError(number)
        shard, member = self.who(number)
        return self._starts[shard.place.init * self._members + member]

    def who(self, number: int) -> tuple[Shard, int]:
        """Return whose network this is: a shard, and the number of a member."""
        at = bisect_right(self._ends, number) - 1
        shard = self._shards[at]
        return shard, shard.first + number - self._ends[at]

    def first_of(self, shard: Shard) -> list[engines.Weights]:
        """Return the weights of the shard's first member, if pictures need them."""
        if shard.first:
            return []
        return [self._starts[shard.place.init * self._members]]


def _there(
    plan: Plan, shards: Sequence[Shard], where: Where, executor: Executor
) -> Generator[tuple[Shard, Done]]:
    """Keep the executor busy with a bounded number of shards; try lost ones again."""
    waiting = iter(shards)
    again: list[Shard] = []
    tries: dict[Shard, int] = {}
    running: dict[Future[Done], Shard] = {}
    most, looked = 0, float("-inf")
    starts: dict[int, Starts] = {}
    total, ended_steps = sum(map(len, shards)) * plan.study.steps, 0
    try:
        while True:
            if time.monotonic() - looked > _LOOK:  # clusters grow and shrink
                most, looked = 2 * workers_of(executor) + 2, time.monotonic()
            while len(running) < most:
                shard = again.pop() if again else next(waiting, None)
                if shard is None:
                    break
                task = _task(plan, shard, where, starts)
                running[_submitted(executor, task)] = shard
            if not running:
                return
            ended, _ = wait(running, timeout=_PERIOD, return_when=FIRST_COMPLETED)
            if where.progress is not None:
                where.progress(ended_steps, total)
            for future in ended:
                shard = running.pop(future)
                done = _result(future, shard, tries)
                if done is None:
                    again.append(shard)
                    continue
                ended_steps += len(shard) * plan.study.steps
                if where.progress is not None:
                    where.progress(ended_steps, total)
                yield shard, done
    finally:  # Ctrl-C and a caller who stops listening, too
        for future in running:
            future.cancel()


def _submitted(executor: Executor, task: Task) -> Future[Done]:
    try:
        return executor.submit(work, task)
    except InitlabError:
        raise
    except Exception as error:
        raise ExecutionError(
            f"takes no more work: {_said(error)}", argument="executor"
        ) from error


def _result(future: Future[Done], shard: Shard, tries: dict[Shard, int]) -> Done | None:
    """Return what came of a shard; None: it was lost with a worker, try again."""
    try:
        return future.result()
    except InitlabError:
        raise
    except (BrokenExecutor, CancelledError, ConnectionError) as error:
        # All of the executor is gone, not one worker.
        raise ExecutionError(
            f"its workers are gone: {_said(error)}", argument="executor"
        ) from None
    except Exception as error:
        tries[shard] = tries.get(shard, 0) + 1
        if tries[shard] < _TRIES:
            return None
        raise ExecutionError(
            f"a shard failed {_TRIES} times: {_said(error)}", argument="executor"
        ) from error


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text[:300]}" if text else name


def workers_of(executor: Executor) -> int:
    """Return how many tasks an executor works on at a time, as far as it tells."""
    client = getattr(executor, "_client", None)
    if client is not None and hasattr(client, "ncores"):  # Dask's
        return max(1, sum(client.ncores().values()))
    return int(getattr(executor, "_max_workers", None) or engines.cores())


def _task(plan: Plan, shard: Shard, where: Where, starts: dict[int, Starts]) -> Task:
    cell = plan.cells[shard.cell]
    init = plan.study.inits[shard.place.init]
    problem = cell.study.problem
    made_anew = problem.arrays is None and not problem.is_file
    given = None
    if init.name in (CALLABLE, EXPLICIT):
        if shard.cell not in starts:
            starts.clear()
            starts[shard.cell] = cell.starts
        base = shard.place.init * plan.study.members
        mine = starts[shard.cell]
        given = [mine[base + member] for member in range(shard.first, shard.stop)]
    bare = cell.study.model_copy(
        update={"inits": (), "problem": problem if made_anew else Problem()}
    )
    forms = plan.layout.forms if where.encoded else None
    return Task(
        study=bare,
        init=Init(**init.model_dump()),  # without a callable, which may not travel
        first=shard.first,
        stop=shard.stop,
        data=None if made_anew else cell.data,
        starts=given,
        engine=plan.engine,
        versions=versions(plan.engine),
        recorded=tuple(plan.layout.recorded),
        forms=forms,
        offset=shard.first - shard.place.block * plan.study.shard_members,
        old=where.old(shard),
    )
