"""A store that fills shard by shard: what is there counts, whatever happened since.

A shard's chunks are written first, its marker last. The marker holds how many members
are there and a checksum of the chunks, so that a chunk that a power cut truncated is
found when the store is opened to be resumed, and its shard is run again.
"""

import hashlib
import json
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initlab.errors import OutputError
from initlab.results._keys import Keys, LocalKeys
from initlab.results._layout import FACTS, STATE, Layout, documents

_LITTLE = np.dtype("<f8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a shard is: its cell, its init, and its number among that init's."""

    cell: tuple[int, ...]
    init: int
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a marker says of a completed shard.

    Attributes:
        members: How many of its members are there, the first ones.
        diverged: How many of these diverged.
        seconds: That it took, on one core or several.
        ended: Seconds since 1970.
        bytes: Of its chunks.
        identity: Of what it is a result of; see `identity_of`.
        checksum: CRC-32 of its chunks, in the order of their names.
    """

    members: float
    diverged: float
    seconds: float
    ended: float
    bytes: float
    identity: float
    checksum: float


class StudyStore:
    """The shards of one study in one place, for its one writer, or for reading.

    Args:
        store: As the user named it.
        keys: Its bytes.
        layout: Of its arrays.
    """

    def __init__(self, store: str | Path, keys: Keys, layout: Layout) -> None:
        self.name, self.keys, self.layout = store, keys, layout

    def establish(self, spec: str, attributes: Mapping[str, object]) -> None:
        """Write whatever describes the study and is not as it should be.

        Makes a new store, grows one to an extended study, and mends one whose
        description a power cut took. The group's document is written last.

        Raises:
            OutputError: If it cannot be written.
        """
        wanted = documents(self.layout, spec, attributes)
        with writing(self.name):
            for key, data in wanted.items():
                if self.keys.get(key) != data:
                    self.keys.put(key, data, durable=True)
                    self._refuse_part(key, data)

    def state(self, place: Place) -> State | None:
        """Return what the shard's marker says; None: it is not there, or not whole."""
        return _read_state(self.keys.get(self._state_key(place)))

    def listed(self) -> dict[str, int]:
        """Return the size of every key.

        Markers are listed first: a shard that is finished meanwhile has all its chunks.
        """
        markers = self.keys.sizes(STATE)
        rest = self.keys.sizes("")
        chunks = {
            key: size for key, size in rest.items() if not key.startswith(f"{STATE}/")
        }
        return chunks | markers

    def verified(
        self,
        identities: Iterable[tuple[Place, float | None]],
        *,
        sizes: Mapping[str, int] | None = None,
        checksums: bool = True,
    ) -> dict[Place, State]:
        """Return the shards that are there and whole, of those that are asked for.

        Local ones are read and their checksums compared; object stores write a key
        whole or not at all, so there only the sizes are.

        Args:
            identities: Of each shard that is asked for; None: whatever it is.
            sizes: What `listed` gave.
            checksums: False compares sizes only.
        """
        sizes = self.listed() if sizes is None else sizes
        asked = [each for each in identities if self._state_key(each[0]) in sizes]
        markers = self.keys.get_all([self._state_key(place) for place, _ in asked])
        checksums = checksums and isinstance(self.keys, LocalKeys)
        found = {}
        for place, identity in asked:
            state = _read_state(markers.get(self._state_key(place)))
            if state is None or identity not in (None, state.identity):
                continue
            if self._is_whole(place, state, sizes, checksums):
                found[place] = state
        return found

    def is_begun(self, place: Place, sizes: Mapping[str, int], *, marked: bool) -> bool:
        """Return whether a shard was written, or half of it.

        Args:
            place: Which shard.
            sizes: What `listed` gave.
            marked: Only one with a marker: others may be being written.
        """
        if self._state_key(place) in sizes:
            return True
        told = self.layout.chunk_key(
            "diverged_step", place.cell, place.init, place.block
        )
        return not marked and told in sizes

    def _is_whole(
        self, place: Place, state: State, sizes: Mapping[str, int], checksums: bool
    ) -> bool:
        keys = self._chunk_keys(place)
        if any(key not in sizes for key in keys):
            return False
        if sum(sizes[key] for key in keys) != state.bytes:
            return False
        read = (self.keys.get(key) or b"" for key in keys)
        return not checksums or _checksum(read) == state.checksum

    def chunks(self, place: Place) -> dict[str, bytes]:
        """Return a shard's chunks as they are, by array."""
        names = self._names(place)
        return {
            name: self.keys.get(key) or b""
            for name, key in zip(names, self._chunk_keys(place), strict=True)
        }

    def write(
        self,
        place: Place,
        chunks: Mapping[str, bytes],
        *,
        members: int,
        diverged: int,
        seconds: float,
        identity: float,
        replaces: bool = False,
    ) -> None:
        """Write a shard's chunks and then its marker.

        Args:
            place: Which shard.
            chunks: Its chunks by array.
            members: How many members they hold.
            diverged: How many of these diverged.
            seconds: That they took.
            identity: See `identity_of`.
            replaces: Whether there is a marker, which ends to hold first.

        Raises:
            OutputError: If anything cannot be written; the shard then does not count.
        """
        names = self._names(place)
        with writing(self.name):
            self._put_chunks(place, chunks, replaces=replaces)
            whole = {**(self.chunks(place) if replaces else {}), **chunks}
            state = State(
                members=members,
                diverged=diverged,
                seconds=seconds,
                ended=time.time(),
                bytes=sum(map(len, whole.values())),
                identity=identity,
                checksum=_checksum(whole[name] for name in names),
            )
            self.keys.put(self._state_key(place), state_bytes(state))

    def copy(
        self,
        place: Place,
        other: "StudyStore",
        state: State,
        *,
        replaces: bool = False,
    ) -> None:
        """Write a shard as it is in another store of the same study.

        Args:
            place: Which shard.
            other: Where it is.
            state: What its marker says there.
            replaces: As in `write`.

        Raises:
            OutputError: If it is not there any more as its marker says, or cannot be
                written; the shard then does not count.
        """
        chunks = other.chunks(place)
        if _checksum(iter(chunks.values())) != state.checksum:
            raise OutputError(
                f"{other.name} is not whole: init {place.init}, cell "
                f"{place.cell}, block {place.block} is not what its marker says",
                argument="store",
            )
        with writing(self.name):
            self._put_chunks(place, chunks, replaces=replaces)
            self.keys.put(self._state_key(place), state_bytes(state))

    def _put_chunks(
        self, place: Place, chunks: Mapping[str, bytes], *, replaces: bool
    ) -> None:
        """Write chunks that count once there is a marker, after an old one is gone."""
        if replaces:
            self.keys.remove(self._state_key(place))
        keys = dict(zip(self._names(place), self._chunk_keys(place), strict=True))
        written = {key: chunks[name] for name, key in keys.items() if name in chunks}
        for key, data in written.items():
            self.keys.put(key, data)
        for key, data in written.items():
            self._refuse_part(key, data)

    def _refuse_part(self, key: str, data: bytes) -> None:
        if self.keys.size(key) != len(data):
            raise OSError(None, f"{key} was written in part")

    def _names(self, place: Place) -> list[str]:
        forms = self.layout.forms
        return [
            name for name in sorted(forms) if forms[name].by_member or place.block == 0
        ]

    def _chunk_keys(self, place: Place) -> list[str]:
        return [
            self.layout.chunk_key(name, place.cell, place.init, place.block)
            for name in self._names(place)
        ]

    def _state_key(self, place: Place) -> str:
        return self.layout.state_key(place.cell, place.init, place.block)


class writing:  # noqa: N801  reads as a statement: with writing(store)
    """Turn what the system says of a failed write into a sentence about the store."""

    def __init__(self, store: str | Path) -> None:
        self._store = store

    def __enter__(self) -> None:
        return

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            raise OutputError(
                f"cannot write {self._store}: {error.strerror or error}",
                argument="store",
            ) from None


def state_bytes(state: State) -> bytes:
    """Return the marker as the chunk of an array."""
    numbers = [getattr(state, fact) for fact in FACTS]
    return np.array(numbers, dtype=_LITTLE).tobytes()


def _read_state(data: bytes | None) -> State | None:
    if data is None or len(data) != len(FACTS) * _LITTLE.itemsize:
        return None
    numbers = np.frombuffer(data, dtype=_LITTLE)
    if np.isnan(numbers).any():
        return None
    return State(**dict(zip(FACTS, map(float, numbers), strict=True)))


def identity_of(*parts: Any) -> float:
    """Return 48 bits of SHA-256 of whatever decides a shard's numbers.

    Example:
        >>> identity_of({"steps": 10}) == identity_of({"steps": 11})
        False
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return float(int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big"))


def _checksum(chunks: Iterator[bytes]) -> float:
    found = 0
    for chunk in chunks:
        found = zlib.crc32(chunk, found)
    return float(found)
