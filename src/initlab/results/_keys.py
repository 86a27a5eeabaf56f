"""Where a store's bytes are: a local folder, or any address that fsspec knows.

Object stores have no rename and no lock, so nothing here needs them: a key is written
whole, and a store has one writer.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from initlab.errors import MissingExtraError, OutputError

# Where a local writer keeps its lock and what is not whole yet. Inside an array's
# folder, where readers of Zarr look for chunks only.
WRITER_FOLDER = "shard/.writer"


class Keys(ABC):
    """Bytes by key."""

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """Return what is there; None: nothing."""

    def get_all(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return what is there of several keys."""
        found = {key: self.get(key) for key in keys}
        return {key: data for key, data in found.items() if data is not None}

    @abstractmethod
    def put(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """Write the key whole.

        Args:
            key: Replaced, if it is there.
            data: What to write.
            durable: Also survive a power cut from now on.
        """

    @abstractmethod
    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the size in bytes of every key under a prefix."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Return the size in bytes; None: nothing is there."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove the key, if it is there."""


class LocalKeys(Keys):
    """Files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: set[Path] = set()

    def get(self, key: str) -> bytes | None:
        try:
            return (self.folder / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, key: str, data: bytes, *, durable: bool = False) -> None:
        path = self.folder / key
        temporary = self.folder / WRITER_FOLDER / "whole-soon"
        for folder in (path.parent, temporary.parent):
            if folder not in self._made:
                folder.mkdir(parents=True, exist_ok=True)
                self._made.add(folder)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        if durable:
            _sync_folder(path.parent)

    def sizes(self, prefix: str) -> dict[str, int]:
        return dict(_sizes(str(self.folder), prefix))

    def size(self, key: str) -> int | None:
        try:
            return (self.folder / key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)


class RemoteKeys(Keys):
    """Objects under an address that fsspec knows: s3://, gs://, memory://, ..."""

    def __init__(self, filesystem: Any, root: str) -> None:
        self._filesystem, self._root = filesystem, root.rstrip("/")

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def get(self, key: str) -> bytes | None:
        try:
            return bytes(self._filesystem.cat_file(self._path(key)))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def get_all(self, keys: Sequence[str]) -> dict[str, bytes]:
        paths = {self._path(key): key for key in keys}
        # Many at a time: one after the other takes minutes of a large store.
        read = self._filesystem.cat(list(paths), on_error="omit") if paths else {}
        return {paths[path]: bytes(data) for path, data in read.items()}

    def put(self, key: str, data: bytes, *, durable: bool = False) -> None:  # noqa: ARG002
        path = self._path(key)
        # Object stores have no folders; filesystems behind an address do.
        self._filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._filesystem.pipe_file(path, data)

    def sizes(self, prefix: str) -> dict[str, int]:
        try:
            found = self._filesystem.find(self._path(prefix), detail=True)
        except FileNotFoundError:
            return {}
        start = self._filesystem._strip_protocol(self._root).rstrip("/") + "/"
        return {name.removeprefix(start): each["size"] for name, each in found.items()}

    def size(self, key: str) -> int | None:
        try:
            self._filesystem.invalidate_cache(self._path(key))
            return int(self._filesystem.size(self._path(key)))
        except FileNotFoundError:
            return None

    def remove(self, key: str) -> None:
        with suppress(FileNotFoundError):
            self._filesystem.rm_file(self._path(key))


def is_remote(store: str | Path) -> bool:
    """Return whether this is an address, and no path."""
    return "://" in str(store) and not str(store).startswith("file://")


def keys_of(store: str | Path) -> Keys:
    """Return the bytes of a store, which need not exist yet.

    Raises:
        OutputError: If fsspec does not know the address.
        MissingExtraError: If what fsspec needs for it is not installed.
    """
    if not is_remote(store):
        return LocalKeys(Path(str(store).removeprefix("file://")))
    import fsspec

    try:
        filesystem, root = fsspec.core.url_to_fs(str(store))
    except ValueError as error:
        raise OutputError(f"{store}: {error}", argument="store") from None
    except ImportError as error:
        raise MissingExtraError(f"{store}: {error}", argument="store") from None
    return RemoteKeys(filesystem, root)


def _sizes(root: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield every file's key and size; as text: paths take twice as long."""
    try:
        entries = list(os.scandir(f"{root}/{prefix}"))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        key = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_file():
            with suppress(FileNotFoundError):  # a writer has taken it away
                yield key, entry.stat().st_size
        elif entry.name != ".writer":
            yield from _sizes(root, key)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where folders can be opened."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
