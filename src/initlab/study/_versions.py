"""The versions that a run's numbers depend on."""

import importlib.metadata
import platform

_VERSIONED = ("initlab", "numpy", "scipy", "scikit-learn")
_COMPILERS = ("numba", "llvmlite")


def versions(engine: str) -> dict[str, str]:
    """Return the versions that a run's numbers depend on."""
    names = _VERSIONED if engine == "reference" else _VERSIONED + _COMPILERS
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in names
    }
