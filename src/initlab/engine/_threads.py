"""Groups of networks over threads: for engines whose work releases the lock."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

import numpy as np

from initlab.engine._cores import cores, one_blas_thread
from initlab.engine._values import Progress, Tick

Found = TypeVar("Found")

PERIOD = 0.1  # seconds between two reports of progress


class _StoppedError(Exception):
    """Somebody else failed, or the user has had enough."""


def in_threads(
    groups: Sequence[range],
    train: Callable[[range, Tick], list[Found]],
    *,
    steps: int,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[range, list[Found]]]:
    """Yield each group with what was found of its networks, as they end.

    No more groups are begun than there are threads and not yet taken by the caller
    than that again: memory does not grow with the number of groups.

    Args:
        groups: Numbers of networks that are trained together.
        train: Called in a thread with numbers of networks; what it returns is
            yielded. Calls its tick at least every 50 ms.
        steps: Of each network.
        threads: How many; None: one per core.
        progress: Told how many steps are done, of how many; must not raise.
    """
    workers = min(threads or cores(), len(groups))
    stopped = threading.Event()
    done = np.zeros(len(groups), dtype=np.int64)

    def work(number: int) -> list[Found]:
        networks = len(groups[number])

        def tick(step: int) -> None:
            if stopped.is_set():
                raise _StoppedError
            done[number] = step * networks

        histories = train(groups[number], tick)
        done[number] = steps * networks
        return histories

    total = steps * sum(len(group) for group in groups)
    waiting = iter(range(len(groups)))
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        try:
            running: dict[Future[list[Found]], int] = {}
            while True:
                for number in itertools.islice(waiting, 2 * workers - len(running)):
                    running[pool.submit(work, number)] = number
                if not running:
                    break
                ended, _ = wait(running, timeout=PERIOD, return_when=FIRST_COMPLETED)
                if progress is not None:
                    progress(int(done.sum()), total)
                for future in ended:
                    yield groups[running.pop(future)], future.result()
        finally:  # Ctrl-C and a caller who stops listening, too
            stopped.set()
            pool.shutdown(cancel_futures=True)
