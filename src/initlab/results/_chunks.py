"""Chunks of a store: arrays to bytes and back, as Zarr v3 defines them.

The codecs are `bytes` (little-endian) and `zstd`. Whoever has computed a shard encodes
it, so that the one writer only moves bytes; a test reads them with Zarr itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numcodecs.zstd import Zstd

LEVEL = 1  # losses are noise to a compressor; padding is not
# Of integers, which have no NaN: not run yet.
NOT_RUN = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The shape of one array's chunks, without its leading axes of one.

    Attributes:
        shape: With the members of a shard first, where the array has members.
        dtype: Of the numbers.
        by_member: Whether the first axis is `member`.
    """

    shape: tuple[int, ...]
    dtype: str
    by_member: bool

    @property
    def fill(self) -> float | int:
        """What stands where nothing was computed."""
        return np.nan if np.dtype(self.dtype).kind == "f" else NOT_RUN

    def encoded(
        self, values: np.ndarray, *, first: int = 0, old: bytes | None = None
    ) -> bytes:
        """Return the chunk that holds these values, the rest as it was or unfilled.

        Args:
            values: Axes as in `shape`, each as long or shorter.
            first: Where the values' first member stands in the chunk.
            old: The chunk so far.
        """
        whole = np.full(self.shape, self.fill) if old is None else self.decoded(old)
        whole = whole.astype(np.dtype(self.dtype).newbyteorder("<"))
        begins = (first, *[0] * (len(self.shape) - 1)) if self.by_member else None
        begins = begins or (0,) * len(self.shape)
        where = tuple(
            slice(begin, begin + size)
            for begin, size in zip(begins, values.shape, strict=True)
        )
        whole[where] = values
        return bytes(Zstd(level=LEVEL, checksum=False).encode(whole.tobytes()))

    def decoded(self, data: bytes) -> np.ndarray:
        """Return the chunk as an array."""
        little = np.dtype(self.dtype).newbyteorder("<")
        numbers = np.frombuffer(Zstd().decode(data), dtype=little)
        return numbers.reshape(self.shape).copy()


def encode(
    forms: Mapping[str, Form],
    arrays: Mapping[str, np.ndarray],
    *,
    first: int = 0,
    old: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """Return a shard's chunks by array."""
    old = old or {}
    return {
        name: forms[name].encoded(values, first=first, old=old.get(name))
        for name, values in arrays.items()
    }
