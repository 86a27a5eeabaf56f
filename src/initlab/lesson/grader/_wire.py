"""Values between the grader and the worker: JSON lines, arrays as base64; no pickle.

The worker runs a stranger's code, so what comes from it is data and nothing else.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LESSON_SEED = 3
# One line of a reply; a larger one is refused.
LONGEST = 64 * 2**20
_MOST_ENTRIES = 2_000_000
_DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A value that is not sent: only what it is."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A value that stays in the worker: the result of an earlier call, or its part.

    Attributes:
        call: Which call, from 0.
        index: Which element of the result; None: all of it.
    """

    call: int
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Array:
    """An array as it came: what NumPy alone would not tell of it.

    Attributes:
        values: The numbers.
        writeable: Whether it can be updated in place, entry by entry.
        kind: Its class; a `matrix` is none of the lesson's.
    """

    values: np.ndarray
    writeable: bool
    kind: str


def encoded(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON-able data, what cannot be sent as its class's name."""
    if isinstance(value, Kept):
        return {"kept": [value.call, value.index]}
    if value is None or isinstance(value, bool | str):
        return {"plain": value if not isinstance(value, str) else value[:10_000]}
    if type(value) is int and abs(value) < 2**53:
        return {"plain": value}
    if type(value) is float:
        return {"float": value.hex() if math.isfinite(value) else repr(value)}
    if isinstance(value, np.generic) and value.dtype.kind in "fiub":
        return {"scalar": _array(np.asarray(value))}
    if isinstance(value, np.ndarray) and _is_sent(value):
        return {"array": _array(value)}
    if depth < _DEEPEST and isinstance(value, Mapping) and len(value) < 1000:
        return {
            "mapping": [
                [str(key)[:200], encoded(value[key], depth + 1)] for key in value
            ]
        }
    if depth < _DEEPEST and isinstance(value, list | tuple) and len(value) < 10_000:
        name = "tuple" if isinstance(value, tuple) else "list"
        return {name: [encoded(each, depth + 1) for each in value]}
    return {"foreign": type(value).__name__[:100]}


def decoded(data: Any) -> Any:
    """Return the value of `encoded`; arrays become `Array`.

    Raises:
        ValueError: If it is none.
    """
    try:
        (kind, content) = next(iter(data.items()))
        return _DECODERS[kind](content)
    except (AttributeError, KeyError, TypeError, IndexError, StopIteration) as error:
        raise ValueError(f"not a value: {error}") from None


def line_of(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _is_sent(array: np.ndarray) -> bool:
    return array.dtype.kind in "fiub" and array.size <= _MOST_ENTRIES


def _overlaps_itself(array: np.ndarray) -> bool:
    """Say whether several entries are one number in memory (np.broadcast_to)."""
    pairs = zip(array.shape, array.strides, strict=True)
    return any(length > 1 and stride == 0 for length, stride in pairs)


def _array(array: np.ndarray) -> dict[str, Any]:
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "data": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(),
        "writeable": bool(array.flags.writeable) and not _overlaps_itself(array),
        "kind": type(array).__name__[:100],
    }


def _decoded_array(data: Mapping[str, Any]) -> Array:
    dtype = np.dtype(str(data["dtype"]))
    if dtype.kind not in "fiub":
        raise ValueError(f"not a number's type: {dtype}")
    values = np.frombuffer(base64.b64decode(data["data"]), dtype)
    return Array(
        values=values.reshape([int(length) for length in data["shape"]]),
        writeable=bool(data["writeable"]),
        kind=str(data["kind"]),
    )


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "kept": lambda content: Kept(call=int(content[0]), index=content[1]),
    "plain": lambda content: content,
    "float": lambda content: (
        float(content) if content in ("inf", "-inf", "nan") else float.fromhex(content)
    ),
    "scalar": lambda content: _decoded_array(content).values[()],
    "array": _decoded_array,
    "mapping": lambda content: {str(key): decoded(value) for key, value in content},
    "tuple": lambda content: tuple(decoded(each) for each in content),
    "list": lambda content: [decoded(each) for each in content],
    "foreign": lambda content: Foreign(kind=str(content)),
}
