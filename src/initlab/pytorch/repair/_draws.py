"""Remedies that draw a weight anew, by the law of its layer or like other tables."""

import math
import statistics

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient
from initlab.spec import WeightUse

# Of tables in public use most have .02 to 1.
_USUAL_ROWS = 0.1


def drawn_anew(patient: Patient, finding: Finding) -> list[Change]:
    """Draw a weight that was never initialized by the law of its layer."""
    return of_law(patient, finding)


def of_law(
    patient: Patient, finding: Finding, *, only_far: bool = False
) -> list[Change]:
    """Draw the weights that a finding names; with `only_far`, those far off a law."""
    found = []
    for use in patient.uses(finding):
        if not patient.can_change(use) or use.derived:
            continue
        variance, target = patient.variance(use), patient.target(use)[0]
        far = not target / 100 < variance < 100 * target
        if far or not only_far:
            found.append(drawn(patient, use, finding))
    return found


def drawn(patient: Patient, use: WeightUse, finding: Finding) -> Change:
    """Draw a weight anew, or a weight norm's sizes, by what its layer asks for."""
    shape = tuple(patient.tensor(use.parameter).shape)
    std = (
        _std_of_rows(patient, use)
        if use.layer.kind == "embedding"
        else patient.std(use)
    )
    if use.derived:  # a weight norm's sizes, each of so many entries of the weight
        entries = math.prod(use.layer.shape) / math.prod(shape)
        return patient.filled(use.parameter, std * math.sqrt(entries), finding)
    values = std * patient.normal(use.parameter, shape)
    return patient.change(
        use.parameter, values, kind="redrawn", amount=f"std {std:.3g}", finding=finding
    )


def drawn_source(patient: Patient, use: WeightUse, finding: Finding) -> Change | None:
    """Draw the parameter that a weight is computed of, entry by entry; None of others.

    As of a standardized weight, whose scale is what the function makes of it.
    """
    if not use.derived or use.sized or use.parameter not in use.sources:
        return None
    shape = tuple(patient.tensor(use.parameter).shape)
    return (
        drawn_at(patient, use.parameter, finding) if shape == use.layer.shape else None
    )


def drawn_at(patient: Patient, name: str, finding: Finding) -> Change:
    """Draw a matrix at one over the root of what each of its units is given."""
    shape = tuple(patient.tensor(name).shape)
    std = math.prod(shape[1:]) ** -0.5
    values = std * patient.normal(name, shape)
    return patient.change(
        name, values, kind="redrawn", amount=f"std {std:.3g}", finding=finding
    )


def _std_of_rows(patient: Patient, table: WeightUse) -> float:
    """Return a deviation for a table of zeros: the other tables', or a usual one.

    A table whose products are outputs, as of a factorization machine, must be quiet.
    """
    sizes = [
        rms_of(patient, one) for one in patient.reading.uses
        if one.layer.kind == "embedding" and one.parameter != table.parameter
        and not (one.zero or one.derived)
    ]  # fmt: skip
    return statistics.median(sizes) if sizes else _USUAL_ROWS


def rms_of(patient: Patient, use: WeightUse) -> float:
    """Return the root mean square of a weight."""
    return float(patient.tensor(use.parameter).double().pow(2).mean().sqrt())
