"""What is wrong with a model's starting weights: checks WI01 to WI24, root causes first.

One small file per family of checks; `find` runs them on a dataset and keeps root causes.
"""

from initlab.analysis.findings._find import find
from initlab.analysis.findings._finding import CHECKS, SEVERITIES, Finding, Severity

__all__ = ["CHECKS", "SEVERITIES", "Finding", "Severity", "find"]
