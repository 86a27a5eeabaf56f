"""What is wrong with a model's starting weights: root causes among WI01 to WI24.

One small file per family of checks; `find` runs them all on a dataset.
"""

from initlab.analysis.findings._confidence import QUIET_LOGITS
from initlab.analysis.findings._find import find
from initlab.analysis.findings._finding import Finding, rank
from initlab.analysis.findings._laws import wanted_factor
from initlab.messages import CHECKS, SEVERITIES, Severity

__all__ = [
    "CHECKS",
    "QUIET_LOGITS",
    "SEVERITIES",
    "Finding",
    "Severity",
    "find",
    "rank",
    "wanted_factor",
]
