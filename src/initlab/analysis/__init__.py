"""From datasets to what they say: causes, spreads, intervals."""

from initlab.analysis._cause import Cause
from initlab.analysis._causes import cause_of, causes
from initlab.analysis._cells import (
    Cell,
    cell_statistics,
    cells,
    grid_of,
    in_grid_order,
)
from initlab.analysis._comparison import SCORES, Comparison, Row, compare
from initlab.analysis._finished import (
    final_losses,
    refuse_unfinished,
    stopping_loss,
)
from initlab.analysis._orders import CellOrder, orders
from initlab.analysis._performance import performance_profiles
from initlab.analysis._run import Run, read_run
from initlab.analysis._selection import selected
from initlab.analysis._signals import SignalVerdict, signal_verdicts
from initlab.analysis._statements import Statement, statements
from initlab.analysis._targets import target_losses, target_steps
from initlab.analysis.statistics import Pair, Summary, pair, summarize

__all__ = [
    "SCORES",
    "Cause",
    "Cell",
    "CellOrder",
    "Comparison",
    "Pair",
    "Row",
    "Run",
    "SignalVerdict",
    "Statement",
    "Summary",
    "cause_of",
    "causes",
    "cell_statistics",
    "cells",
    "compare",
    "final_losses",
    "grid_of",
    "in_grid_order",
    "orders",
    "pair",
    "performance_profiles",
    "read_run",
    "refuse_unfinished",
    "selected",
    "signal_verdicts",
    "statements",
    "stopping_loss",
    "summarize",
    "target_losses",
    "target_steps",
]
