"""One writer per local store: the second is refused, one that died is recognised."""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from initlab.errors import OutputError
from initlab.results._keys import WRITER_FOLDER, Keys, LocalKeys


@contextmanager
def sole_writer(store: str | Path, keys: Keys) -> Iterator[str | None]:
    """Hold the store while the block runs; give what a writer that died left, if one.

    The system drops the lock of a process that ends, however it ends, so a lock is
    never stale; the note beside it is, and tells of a run that did not end in order.
    Object stores have no lock: their one writer is the user's promise.

    Raises:
        OutputError: If another process writes to the store.
    """
    if not isinstance(keys, LocalKeys):
        yield None
        return
    folder = keys.folder / WRITER_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError(
            f"{store} is being written by {_who(folder)}; wait for it, or stop "
            "it first",
            argument="store",
        ) from None
    except OSError as error:
        raise OutputError(
            f"cannot write {store}: {error.strerror}", argument="store"
        ) from None
    note = folder / "process.json"
    try:
        died = _who(folder) if note.exists() else None
        _say(note)
        yield died
    finally:
        _forget(note)
        lock.release()


def writer_of(keys: Keys) -> str | None:
    """Return who writes to the store now; None: nobody, or it cannot be told."""
    if not isinstance(keys, LocalKeys):
        return None
    folder = keys.folder / WRITER_FOLDER
    if not (folder / "process.json").exists():
        return None
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _who(folder)
    except OSError:
        return None
    lock.release()
    return None


def _say(note: Path) -> None:
    fact = {
        "process": os.getpid(),
        "machine": platform.node(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    with suppress(OSError):  # a full disk is told of by what is written next
        note.write_text(json.dumps(fact), encoding="utf-8")


def _forget(note: Path) -> None:
    with suppress(OSError):
        note.unlink(missing_ok=True)


def _who(folder: Path) -> str:
    try:
        fact = json.loads((folder / "process.json").read_text(encoding="utf-8"))
        return f"process {fact['process']} on {fact['machine']}, begun {fact['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
