"""A verdict on a model's starting weights: findings, and the numbers behind them."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import xarray as xr

from initlab import reports
from initlab.analysis.findings import Finding, Severity
from initlab.reports import finding_table, findings_as_json


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `check` found.

    Attributes:
        findings: Root causes, the worst first; may be empty.
        dataset: What was measured, with the dimensions of `initlab.signal`.
    """

    findings: tuple[Finding, ...]
    dataset: xr.Dataset = field(repr=False)

    @property
    def sound(self) -> bool:
        """Whether there is no warning and no error."""
        return not any(one.severity != "info" for one in self.findings)

    def of(self, *severities: Severity) -> tuple[Finding, ...]:
        """Return the findings of some severities."""
        return tuple(one for one in self.findings if one.severity in severities)

    def without(self, checks: Collection[str]) -> "Diagnosis":
        """Return the diagnosis without the findings of some checks, by id."""
        kept = tuple(one for one in self.findings if one.id not in checks)
        return replace(self, findings=kept)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __str__(self) -> str:
        """Return a table with a line per finding, and the fixes below it."""
        return str(finding_table(self.dataset, self.findings))

    def _repr_html_(self) -> str:
        return finding_table(self.dataset, self.findings).html()

    def to_json(self) -> str:
        """Return findings and what was measured as JSON text."""
        return json.dumps(
            findings_as_json(self.dataset, self.findings), indent=1, allow_nan=False
        )

    def report(self, path: str | Path, *, command: str | None = None) -> Path:
        """Write one self-contained HTML page, and return its path."""
        return reports.finding_report(
            path, self.dataset, self.findings, command=command
        )
