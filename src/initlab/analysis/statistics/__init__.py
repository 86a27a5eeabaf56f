"""What may be said about numbers over members: spreads, intervals, orders.

Arrays of one number per member in, frozen values out; SciPy's implementations where it
has them. No interval needs random numbers, so the same data has the same interval.
Coverage of each by simulation: `docs/statistics.md`.
"""

from initlab.analysis.statistics._best import BestRate, best_rates
from initlab.analysis.statistics._curves import Bands, bands
from initlab.analysis.statistics._members import SPREAD, Summary, summarize
from initlab.analysis.statistics._paired import (
    Difference,
    Pair,
    differences,
    holm,
    pair,
)
from initlab.analysis.statistics._power import POWER, Order, members_needed, order
from initlab.analysis.statistics._profile import FACTORS, Profile, profiles
from initlab.analysis.statistics._shares import Share, share
from initlab.analysis.statistics._steps import StepsTo, steps_to
from initlab.analysis.statistics._typical import Estimate, iqm, mean, median

__all__ = [
    "FACTORS",
    "POWER",
    "SPREAD",
    "Bands",
    "BestRate",
    "Difference",
    "Estimate",
    "Order",
    "Pair",
    "Profile",
    "Share",
    "StepsTo",
    "Summary",
    "bands",
    "best_rates",
    "differences",
    "holm",
    "iqm",
    "mean",
    "median",
    "members_needed",
    "order",
    "pair",
    "profiles",
    "share",
    "steps_to",
    "summarize",
]
