"""Results for people and machines: a table, a page, a folder, JSON."""

from initlab.reports._finding_page import Repaired, finding_report
from initlab.reports._findings import FindingTable, finding_table, findings_as_json
from initlab.reports._folder import refuse_foreign, write_folder
from initlab.reports._json import PRINTED_EVERY, as_json, printed_records
from initlab.reports._numbers import grid_numbers, profile_numbers, target_numbers
from initlab.reports._power import power_tables
from initlab.reports._report import report
from initlab.reports._signals import SignalTable, signal_table, signals_as_json
from initlab.reports._table import ComparisonTable, compare

__all__ = [
    "PRINTED_EVERY",
    "ComparisonTable",
    "FindingTable",
    "Repaired",
    "SignalTable",
    "as_json",
    "compare",
    "finding_report",
    "finding_table",
    "findings_as_json",
    "grid_numbers",
    "power_tables",
    "printed_records",
    "profile_numbers",
    "refuse_foreign",
    "report",
    "signal_table",
    "signals_as_json",
    "target_numbers",
    "write_folder",
]
