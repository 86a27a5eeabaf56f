"""The versions that a run's numbers depend on."""

import importlib.metadata
import platform

from initlab import engine as engines

_VERSIONED = ("initlab", "numpy", "scipy", "scikit-learn")


def versions(engine: str) -> dict[str, str]:
    """Return the versions that a run's numbers depend on."""
    names = _VERSIONED if engine == "reference" else _VERSIONED + engines.COMPILERS
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in names
    }
