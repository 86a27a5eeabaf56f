"""The reference engine for many networks: spread over processes.

Processes, not threads: NumPy holds the interpreter's lock for arrays this small. loky,
because its workers start from a script without a main guard, from a notebook, and
without forking a process that already has threads.
"""

import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
from loky import ProcessPoolExecutor
from threadpoolctl import threadpool_limits

from initlab.engine._cores import cores, one_blas_thread
from initlab.engine._reference import train
from initlab.engine._threads import PERIOD
from initlab.engine._values import Examples, History, Progress, Weights
from initlab.spec import Study

# Starting workers costs about a second; less work than this stays in the process.
_WORTH_WORKERS = 2.0  # seconds
_STEP_OVERHEAD = 5e-5  # seconds per step of a small network, measured
_FLOPS = 5e9  # multiply-adds per second of a large one, one thread


def in_processes(
    studies: Sequence[Study],
    starts: Sequence[Weights],
    data: Examples,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, History]]:
    """Yield each network's number and history, in the order in which they end.

    Args:
        studies: One per network, with its learning rate.
        starts: Starting weights, one list of layers per network.
        data: Shared by all.
        threads: How many processes; None: one per core, if that is worth it.
        progress: Told how many steps are done, of how many; must not raise.
    """
    study = studies[0]
    workers = min(threads or cores(), len(starts))
    if threads is None and _seconds(study, len(starts), data) < _WORTH_WORKERS:
        workers = 1
    total = study.steps * len(starts)
    with (
        one_blas_thread(),
        _Counters.made(len(starts)) as counters,
        counters.reporting(total, progress),
    ):
        if workers > 1:
            yield from _by_workers(studies, starts, data, counters, workers)
            return
        for number, start in enumerate(starts):
            yield (
                number,
                _train_one(studies[number], start, data, counters.path, number),
            )


def _by_workers(
    studies: Sequence[Study],
    starts: Sequence[Weights],
    data: Examples,
    counters: "_Counters",
    workers: int,
) -> Iterator[tuple[int, History]]:
    executor = ProcessPoolExecutor(workers, initializer=_begin_worker)
    try:
        futures = {
            executor.submit(
                _train_one, studies[number], start, data, counters.path, number
            ): number
            for number, start in enumerate(starts)
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:  # Ctrl-C too: no worker trains on for nobody
        executor.shutdown(kill_workers=True)
        raise
    executor.shutdown(wait=True)


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
            while not ended.wait(PERIOD):
                progress(int(self._steps.sum()), total)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            progress(total, total)
        finally:
            ended.set()
            watcher.join()
