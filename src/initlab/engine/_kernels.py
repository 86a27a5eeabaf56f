"""Compiled kernels, from the disk where they are kept, as functions of this process.

The first use of a precision on a machine compiles them, in seconds; later processes
load an object file and do not import Numba at all. The key of a file covers all that
decides its bytes: the kernels' sources, the versions of the compilers, the processor
and the width of its vectors.
"""

import ctypes
import hashlib
import importlib.metadata
import logging
import os
import platform
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path

from initlab.engine._compile_apart import compiled
from initlab.engine._library import load
from initlab.engine._target import Target, host

PRECISIONS = ("float64", "float32")
_SOURCES = (
    "_compile.py",
    "_compile_apart.py",
    "_lane_training.py",
    "_lane_layers.py",
    "_lane_losses.py",
    "_lane_measures.py",
    "_lane_network.py",
    "_lane_signatures.py",
    "_library.py",
    "_plan.py",
    "_target.py",
    "_vector.py",
    "_vector_functions.py",
    "_vector_math.py",
)
COMPILERS = ("numba", "llvmlite")
# Another folder for the object files.
CACHE_VARIABLE = "INITLAB_CACHE"

_POINTER, _INT = ctypes.c_void_p, ctypes.c_int32
_ARGUMENTS = {
    "activate": (_INT, _POINTER, _POINTER, _INT),
    "train": (_POINTER,) * 6 + (_INT,) * 2 + (_POINTER,) * 10,
    "score": (_POINTER,) * 4 + (_INT,) + (_POINTER,) * 5,
    "measure": (_POINTER,) * 4 + (_INT,) + (_POINTER,) * 4 + (None,) * 2
    + (_POINTER,) * 3,
}  # fmt: skip
# Compiled side by side; where training is alone, LLVM makes its layers for it alone.
_GROUPS = (("train", "score", "activate"), ("measure",))
_REAL = {"float64": ctypes.c_double, "float32": ctypes.c_float}
_loading = threading.Lock()
_log = logging.getLogger(__name__)


class Kernels:
    """The kernels for one precision; each releases the interpreter's lock.

    Attributes:
        lanes: Networks side by side.
        activate: See `_lane_layers`.
        train: See `_lane_training`.
        score, measure: See `_lane_measures`.
    """

    def __init__(self, codes: Sequence[bytes], precision: str, lanes: int) -> None:
        self.lanes = lanes
        real = _REAL[precision]
        functions: dict[str, Callable[..., None]] = {}
        for code, names in zip(codes, _GROUPS, strict=True):
            arguments = {
                name: tuple(each or real for each in _ARGUMENTS[name]) for name in names
            }
            functions |= load(code, arguments)
        self.activate, self.train, self.score, self.measure = (
            functions[name] for name in _ARGUMENTS
        )


def kernels(precision: str, bits: int | None = None) -> Kernels:
    """Return the kernels for this machine, compiled now if they never were.

    Args:
        precision: `"float64"` or `"float32"`.
        bits: Width of vectors, if not the processor's own.
    """
    with _loading:
        return _kernels(precision, bits)


@cache
def _kernels(precision: str, bits: int | None) -> Kernels:
    target = host(bits)
    paths = _paths(precision, target)
    codes = [_stored(path) for path in paths]
    if None in codes:
        _log.info(
            "compiling %s kernels for this processor, once: some seconds", precision
        )
        codes = list(compiled(precision, target, _GROUPS))
        for path, code in zip(paths, codes, strict=True):
            assert code is not None
            _store(path, code)
    whole = [code for code in codes if code is not None]
    return Kernels(whole, precision, target.lanes(precision))


def is_stored(precision: str) -> bool:
    """Return whether kernels need not be compiled any more."""
    return all(_stored(path) for path in _paths(precision, host()))


def _paths(precision: str, target: Target) -> list[Path]:
    key = _key(precision, target)
    return [
        cache_folder() / f"{precision}-{target.bits}-{names[0]}-{key}.o"
        for names in _GROUPS
    ]


def cache_folder() -> Path:
    """Return where object files are kept."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else user_cache_path("initlab") / "kernels"


def _key(precision: str, target: Target) -> str:
    found = hashlib.sha256()
    for name in _SOURCES:
        found.update((Path(__file__).parent / name).read_bytes())
    versions = [importlib.metadata.version(name) for name in COMPILERS]
    found.update(
        repr((precision, target, versions, platform.python_version())).encode()
    )
    return found.hexdigest()[:32]


def _stored(path: Path) -> bytes | None:
    """Return an object file's code, or None if there is none that is whole."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    digest, code = whole[:32], whole[32:]
    return code if hashlib.sha256(code).digest() == digest else None


def _store(path: Path, code: bytes) -> None:
    """Keep an object file; another process that does the same at once is no trouble."""
    partial = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.write_bytes(hashlib.sha256(code).digest() + code)
        partial.replace(path)
    except OSError:  # a read-only home: the next process compiles again
        with suppress(OSError):
            partial.unlink()
