"""What this machine is to the engines, for people."""

import importlib.metadata
import platform
from pathlib import Path

from initlab.engine._cores import cores
from initlab.engine._kernels import PRECISIONS, cache_folder, is_stored
from initlab.engine._target import host

_VERSIONED = ("initlab", "numpy", "scipy", "numba", "llvmlite")


def machine() -> dict[str, str]:
    """Return versions, processor, vectors, threads, caches and what is missing."""
    target = host()
    facts = {name: importlib.metadata.version(name) for name in _VERSIONED}
    stored = [name for name in PRECISIONS if is_stored(name)]
    return {
        "python": platform.python_version(),
        **facts,
        "processor": f"{target.processor} ({platform.machine()})",
        "vectors": f"{target.bits} bits: {target.lanes('float64')} networks of float64 "
        f"side by side, {target.lanes('float32')} of float32",
        "multiply-add": "one instruction"
        if target.fused
        else "two instructions: the processor has no fused one, so speed is halved",
        "threads": str(cores()),
        "caches": _caches(),
        "compiled kernels": str(cache_folder()),
        "of these": ", ".join(stored) or "nothing yet: the first run does, in seconds",
    }


def _caches() -> str:
    """Return the sizes of the first core's caches, where the system tells them."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found) or "unknown"
