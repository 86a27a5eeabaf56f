"""Results for people and machines: a table, a page, a folder, JSON."""

from initlab.report._folder import refuse_foreign, write_folder
from initlab.report._json import as_json, printed_records
from initlab.report._report import report
from initlab.report._table import ComparisonTable, compare

__all__ = [
    "ComparisonTable",
    "as_json",
    "compare",
    "printed_records",
    "refuse_foreign",
    "report",
    "write_folder",
]
