"""Findings about a parameter, a buffer or a layer's weight."""

from dataclasses import replace
from typing import Any

from initlab.analysis.findings._finding import Finding
from initlab.messages import FindingCause, Severity
from initlab.spec import ParameterReading, WeightUse


def is_matrix(parameter: ParameterReading) -> bool:
    """Whether a parameter extends along two axes, unlike a vector of any rank."""
    return sum(size > 1 for size in parameter.shape) > 1


def at_name(
    name: str, check: str, severity: Severity, cause: FindingCause, **more: Any
) -> Finding:
    """Return a finding about what has this name: a parameter or a buffer."""
    return Finding(
        id=check, severity=severity, cause=cause, module=name.rpartition(".")[0],
        parameter=name, **more,
    )  # fmt: skip


def at_parameter(
    parameter: ParameterReading,
    check: str,
    severity: Severity,
    cause: FindingCause,
    **more: Any,
) -> Finding:
    """Return a finding about a parameter."""
    found = at_name(parameter.name, check, severity, cause, **more)
    vector = len(parameter.shape) < 2
    factor = parameter.role in ("gamma", "scale")
    usual = "ones" if factor else "zeros" if vector else "drawn"
    return replace(found, evidence={**found.evidence, "usual": usual})


def at_use(
    use: WeightUse, check: str, severity: Severity, cause: FindingCause, **more: Any
) -> Finding:
    """Return a finding about the weight of a layer, by the module that ran."""
    return Finding(
        id=check, severity=severity, cause=cause, module=use.module,
        parameter=use.parameter, **more,
    )  # fmt: skip


def joined(first: Finding, names: tuple[str, ...]) -> Finding:
    """Return a finding that stands for others like it, at these places."""
    return replace(first, places=names)
