"""Remedies for zeros that hold something up, without those that are a design."""

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._draws import drawn
from initlab.pytorch.repair._patient import Patient
from initlab.spec import WeightUse


def zeros_before_ends(patient: Patient, finding: Finding) -> list[Change]:
    """Draw the zeros that the fix names: what they hold up at 0 stays, by design."""
    named = {*finding.evidence.get("drawn", ())}
    found = {
        use.parameter: drawn(patient, use, finding)
        for use in patient.uses(finding)
        if use.parameter in named and use.zero and patient.can_change(use)
    }
    return list(found.values())


def living_zeros(patient: Patient, finding: Finding) -> list[Change]:
    """Draw weights that are 0 without design; of a branch, all but its end."""
    named = [use for use in patient.uses(finding) if patient.can_change(use)]
    blocks = {use.block for use in named if use.block is not None}
    chosen = named + [
        use
        for use in patient.reading.uses
        if use.block in blocks and use.zero and patient.can_change(use)
    ]
    zero = [use for use in dict.fromkeys(chosen) if use.zero]
    ends = [use for use in zero if use.branch_end or use.adapter]
    if len(zero) > len(ends[-1:]):
        kept = set(ends) if len(zero) > len(ends) else {ends[-1]}
        zero = [use for use in zero if use not in kept]
    found = [drawn(patient, use, finding) for use in dict.fromkeys(zero)]
    return found or _zero_rows(patient, finding, named)


def _zero_rows(
    patient: Patient, finding: Finding, uses: list[WeightUse]
) -> list[Change]:
    found = []
    for use in uses:
        weight = patient.tensor(use.parameter).double()
        rows = patient.by_unit(use, weight).clone()
        dead = ~rows.reshape(len(rows), -1).any(dim=1)
        if not dead.any() or dead.all():
            continue
        scale = float(rows[~dead].pow(2).mean().sqrt())
        drawn = patient.normal(use.parameter, tuple(rows.shape))
        # A weight norm's sizes have no sign to draw.
        rows[dead] = scale * (1.0 if use.derived else drawn[dead])
        values = patient.by_unit(use, rows)
        amount = f"{int(dead.sum())} of {len(rows)} units"
        found.append(
            patient.change(
                use.parameter, values, kind="redrawn", amount=amount, finding=finding
            )
        )
    return found
