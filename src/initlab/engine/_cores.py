"""The cores that are ours: how many, and one thread of BLAS on each."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import loky
import threadpoolctl
from threadpoolctl import threadpool_info, threadpool_limits

_lock = threading.Lock()
_users = 0
_limits: list[threadpool_limits] = []


def cores() -> int:
    """Return how many threads train at a time, if nobody says otherwise.

    Of this process: an affinity, a container's share and `LOKY_MAX_CPU_COUNT` bound it.
    """
    return int(loky.cpu_count())


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS at one thread, so that no number depends on the number of cores.

    Whoever is first sets it, and whoever is last gives back what was before: BLAS has
    one number for the whole process, and users whose times overlap would each give back
    what they found, the last of them the first one's limit.
    """
    global _users
    with _lock:
        _users += 1
        if _is_free():  # the first, or a library came since
            _be_heard()
            _limits.append(threadpool_limits(1, user_api="blas"))
            _be_heard()
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            while _limits and not _users:
                _be_heard()
                _limits.pop().restore_original_limits()
                _be_heard()


def _is_free() -> bool:
    return any(
        library["user_api"] == "blas" and library["num_threads"] != 1
        for library in threadpool_info()
    )


def _be_heard() -> None:
    """Let any thread set OpenBLAS's number: the last user's may not be the first's.

    From 3.8 on, threadpoolctl ignores all but the first that ever did and is alive.
    """
    library = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(library, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)
