"""A finding: which check, how bad, where, measured against what, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

from initlab.messages import (
    CHECKS,
    SEVERITIES,
    FindingCause,
    Severity,
    finding_fix,
    finding_formula,
    finding_sentence,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found, with its numbers.

    Attributes:
        id: Of the check, WI01 to WI25.
        severity: "info", "warning" or "error".
        cause: Which sentence of `initlab.messages` says it.
        module: Path of the module; "" is the model itself.
        parameter: Name of the parameter; None where it is no parameter's.
        measured: The number that was judged.
        expected: What it should be, or the bound that it passed.
        evidence: What else the sentence and the fix show.
        places: All parameters or modules concerned; the first is above.
        consequences: Other checks that this one explains.
        found_in: Members in which it was found, of how many.
    """

    id: str
    severity: Severity
    cause: FindingCause
    module: str
    parameter: str | None = None
    measured: float = nan
    expected: float = nan
    evidence: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    consequences: tuple[str, ...] = ()
    found_in: tuple[int, int] = (1, 1)

    @property
    def name(self) -> str:
        """Of the check."""
        return CHECKS[self.id]

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        return finding_sentence(self.cause, self._shown())

    @property
    def formula(self) -> str:
        """Against which formula or bound it was measured."""
        return finding_formula(self.cause, self._shown())

    @property
    def fix(self) -> str:
        """One line of code, or one thing to do."""
        return finding_fix(self.cause, self._shown())

    def _shown(self) -> dict[str, Any]:
        where = self.parameter or self.module or "the model"
        return {
            "module": self.module,
            "parameter": self.parameter or "",
            "where": where,
            "measured": self.measured,
            "expected": self.expected,
            "places": self.places,
            **self.evidence,
        }


def rank(finding: Finding) -> int:
    """Return how bad it is: 0 for information, 1 or 2."""
    return SEVERITIES.index(finding.severity)
