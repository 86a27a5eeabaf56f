"""The conductor of our own networks: it alone knows both specs and datasets."""

from initlab.results import open_store
from initlab.study._accessor import Accessor, Plots
from initlab.study._estimate import Estimate, counted, estimate, lasting, sized
from initlab.study._run import run
from initlab.study._signal import signal
from initlab.study._versions import versions

__all__ = [
    "Accessor",
    "Estimate",
    "Plots",
    "counted",
    "estimate",
    "lasting",
    "open_store",
    "run",
    "signal",
    "sized",
    "versions",
]
