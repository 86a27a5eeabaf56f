"""Many networks at once: spread over processes, same numbers however many.

Processes, not threads: NumPy holds the interpreter's lock for arrays this small. loky,
because its workers start from a script without a main guard, from a notebook, and
without forking a process that already has threads.
"""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
from loky import ProcessPoolExecutor
from threadpoolctl import threadpool_limits

from initlab.engine._reference import train
from initlab.engine._values import Examples, History, Weights
from initlab.spec import Study

# Called with (steps done, steps in all) about ten times a second, from a thread.
Progress = Callable[[int, int], None]

_PERIOD = 0.1  # seconds between two reports of progress
# Starting workers costs about a second; less work than this stays in the process.
_WORTH_WORKERS = 2.0  # seconds
_STEP_OVERHEAD = 5e-5  # seconds per step of a small network, measured
_FLOPS = 5e9  # multiply-adds per second of a large one, one thread


def train_ensemble(
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    *,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[History]:
    """Return one history per starting point, in their order.

    Args:
        study: Widths and loss filled in, and no callables or arrays within, so that
            it travels to any process.
        starts: Starting weights, one list of layers per network.
        data: Shared by all.
        threads: How many networks to train at a time; None: one per core. Changes no
            number.
        executor: Where to train instead, one network a task; it is not shut down.
        progress: Told how many steps are done, of how many; must not raise.
    """
    if executor is not None:
        return _by_executor(study, starts, data, executor, progress)
    workers = min(threads or os.cpu_count() or 1, len(starts))
    if threads is None and _seconds(study, len(starts), data) < _WORTH_WORKERS:
        workers = 1
    total = study.steps * len(starts)
    with (
        # One thread of BLAS, so that no number depends on the number of cores.
        threadpool_limits(1, user_api="blas"),
        _Counters.made(len(starts)) as counters,
        counters.reporting(total, progress),
    ):
        if workers > 1:
            return _in_processes(study, starts, data, counters, workers)
        return [
            _train_one(study, start, data, counters.path, number)
            for number, start in enumerate(starts)
        ]


def _in_processes(
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    counters: "_Counters",
    workers: int,
) -> list[History]:
    executor = ProcessPoolExecutor(workers, initializer=_begin_worker)
    histories: dict[int, History] = {}
    try:
        futures = {
            executor.submit(_train_one, study, start, data, counters.path, number): (
                number
            )
            for number, start in enumerate(starts)
        }
        for future in as_completed(futures):
            histories[futures[future]] = future.result()
    except BaseException:  # Ctrl-C too: no worker trains on for nobody
        executor.shutdown(kill_workers=True)
        raise
    executor.shutdown(wait=True)
    return [histories[number] for number in range(len(starts))]


def _by_executor(
    study: Study,
    starts: Sequence[Weights],
    data: Examples,
    executor: Executor,
    progress: Progress | None,
) -> list[History]:
    futures = [executor.submit(_train_alone, study, start, data) for start in starts]
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            if progress is not None:
                progress(done * study.steps, len(starts) * study.steps)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return [future.result() for future in futures]


def _train_alone(study: Study, start: Weights, data: Examples) -> History:
    """Train one network in somebody's process, with BLAS as in ours."""
    with threadpool_limits(1, user_api="blas"):
        return train(study, start, data)


def _train_one(
    study: Study, start: Weights, data: Examples, counters: Path, number: int
) -> History:
    """Train one network, counting its steps for whoever watches."""
    steps_done = np.memmap(counters, dtype=np.int64, mode="r+")

    def tick(step: int) -> None:
        steps_done[number] = step

    history = train(study, start, data, tick)
    steps_done[number] = study.steps
    return history


def _begin_worker() -> None:
    """Let Ctrl-C reach the conductor alone, which ends the workers; BLAS as there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1, user_api="blas")


def _seconds(study: Study, networks: int, data: Examples) -> float:
    """Return a rough guess of the whole training's time on one core."""
    widths = study.network.widths or ()
    products = sum(a * b for a, b in pairwise(widths))
    batch = study.batch_size or len(data.train_x)
    return networks * study.steps * (_STEP_OVERHEAD + 3 * batch * products / _FLOPS)


class _Counters:
    """Steps done per network, in a file that processes share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._steps = np.memmap(path, dtype=np.int64, mode="r+")

    @classmethod
    @contextmanager
    def made(cls, networks: int) -> Iterator["_Counters"]:
        with tempfile.TemporaryDirectory(prefix="initlab-") as folder:
            path = Path(folder) / "steps"
            np.zeros(networks, dtype=np.int64).tofile(path)
            yield cls(path)

    @contextmanager
    def reporting(self, total: int, progress: Progress | None) -> Iterator[None]:
        """Report until the block ends; the last report says that all is done."""
        if progress is None:
            yield
            return
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(_PERIOD):
                progress(int(self._steps.sum()), total)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            progress(total, total)
        finally:
            ended.set()
            watcher.join()
