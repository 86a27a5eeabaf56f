"""The conductor of our own networks: it alone knows both specs and datasets."""

from initlab.study._run import run, versions

__all__ = ["run", "versions"]
