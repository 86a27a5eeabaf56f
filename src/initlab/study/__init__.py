"""The conductor of our own networks: it alone knows both specs and datasets."""

from initlab.study._estimate import Estimate, estimate, lasting, sized
from initlab.study._run import run
from initlab.study._signal import signal
from initlab.study._versions import versions

__all__ = ["Estimate", "estimate", "lasting", "run", "signal", "sized", "versions"]
