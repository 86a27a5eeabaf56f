"""The conductor of our own networks: it alone knows both specs and datasets."""

from initlab.study._run import ENGINES, run, versions

__all__ = ["ENGINES", "run", "versions"]
