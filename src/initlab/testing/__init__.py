"""The conformance suite: is an initializer, of anybody, what it says?

    >>> from initlab.testing import check_initializer
    >>> def mine(shape, rng):
    ...     return rng.standard_normal(shape) * 0.02
    >>> report = check_initializer(mine, law="normal(std=0.02)")
    >>> report.broken
    ()

A fault raises an `AssertionError` that names the broken property.
"""

from initlab.testing._check import check_initializer, examine_initializer
from initlab.testing._law import Law, law_of
from initlab.testing._layers import propagate, taps
from initlab.testing._layouts import channels_last
from initlab.testing._report import BrokenPropertyError, Outcome, Report

__all__ = [
    "BrokenPropertyError",
    "Law",
    "Outcome",
    "Report",
    "channels_last",
    "check_initializer",
    "examine_initializer",
    "law_of",
    "propagate",
    "taps",
]
