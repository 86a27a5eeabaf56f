"""Putting things back, whatever happens: Ctrl-C waits, one failure stops no other."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

Restore = Callable[[], object]


@contextmanager
def restoring(*restores: Restore) -> Iterator[None]:
    """Call functions at the end, also after an exception or Ctrl-C.

    Args:
        restores: Called in order, all of them even where one fails; after a Ctrl-C
            perhaps twice.

    Example:
        >>> seen = [1]
        >>> with restoring(seen.clear):
        ...     seen.append(2)
        >>> seen
        []
    """
    try:
        try:
            yield
        finally:
            with _uninterrupted():
                _call_all(restores)
    except KeyboardInterrupt:  # it may have come just before it was held back
        with _uninterrupted():
            _call_all(restores)
        raise


@contextmanager
def never_deaf() -> Iterator[None]:
    """Raise a Ctrl-C at the end that nobody heard inside.

    Python drops what is raised in the callback of a weak reference, of which PyTorch
    calls one for every tensor that is remembered.
    """
    handler = _own_handler()
    if handler is None:
        yield
        return
    heard: list[FrameType | None] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(frame)
        handler(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if heard:
        handler(signal.SIGINT, heard[0])


def _own_handler() -> Callable[[int, FrameType | None], object] | None:
    """Return what a Ctrl-C calls here; None where it calls nothing."""
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    return handler if is_main and callable(handler) else None


def _call_all(restores: Iterable[Restore]) -> None:
    failed: list[Exception] = []
    for restore in restores:
        try:
            restore()
        except Exception as error:  # what is the user's may raise anything
            failed.append(error)
    if failed:
        raise failed[0]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back until the end: half a model is worse than a late answer."""
    handler = _own_handler()
    if handler is None:
        yield
        return
    held: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda _, frame: held.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held:
            handler(signal.SIGINT, held[0])
