"""Remedies for rows and columns that are all alike, or all zeros."""

import statistics

import torch

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._draws import rms_of
from initlab.pytorch.repair._patient import Patient

# Of a table that is the head as well, and of inputs weighed with zeros.
_SMALL = 0.02
# Deviations of rows that say how far a table is spread.
_LEAST_ROWS, _MOST_ROWS = 5e-3, 2.0


def drawn_rows(patient: Patient, finding: Finding) -> list[Change]:
    """Draw tables whose rows are all alike, in the scale of the model's other tables.

    Without any, in that of the rows; of constant ones at PyTorch's own: a small one
    reaches layers without a norm between as next to nothing. A table that is the head
    as well must be quiet.
    """
    tables = [
        use for use in patient.reading.uses
        if use.layer.kind == "embedding" and not use.derived
    ]  # fmt: skip
    named = {finding.parameter, *finding.places}
    sizes = [
        rms_of(patient, t) for t in tables if t.parameter not in named and not t.zero
    ]
    found = {}
    for use in tables:
        if use.parameter not in named or not patient.can_change(use):
            continue
        std = _SMALL if use.tied else 1.0
        own = float(patient.tensor(use.parameter).double().std())
        std = own if _LEAST_ROWS < own < _MOST_ROWS else std
        std = statistics.median(sizes) if sizes else std
        shape = tuple(patient.tensor(use.parameter).shape)
        found[use.parameter] = patient.change(
            use.parameter, std * patient.normal(use.parameter, shape),
            kind="redrawn", amount=f"std {std:.3g}", finding=finding,
        )  # fmt: skip
    return list(found.values())


def drawn_rows_by_hand(patient: Patient, finding: Finding) -> list[Change]:
    """Draw parameters of equal rows that no layer weighs, around what they are.

    Rows that are drawn say how far numbers are spread; constant ones do not.
    """
    found = []
    for name in finding.places:
        values = patient.tensor(name).double()
        std = float(values.std())
        std = std if std > 0 else 1.0
        drawn = values.mean() + std * patient.normal(name, tuple(values.shape))
        found.append(
            patient.change(
                name, drawn, kind="redrawn", amount=f"std {std:.3g}", finding=finding
            )
        )  # fmt: skip
    return found


def drawn_columns(patient: Patient, finding: Finding) -> list[Change]:
    """Draw what weighs inputs with zeros, in the scale of the rest of the weight."""
    found = []
    for use in patient.uses(finding):
        if not patient.can_change(use) or use.derived:
            continue
        values = patient.tensor(use.parameter).double()
        by_unit = patient.by_unit(use, values.flatten(1))
        empty = (by_unit == 0).all(dim=0)
        std = float(by_unit[:, ~empty].std()) if not bool(empty.all()) else _SMALL
        drawn = std * patient.normal(use.parameter, tuple(by_unit.shape))
        filled = torch.where(empty, drawn, by_unit)
        filled = patient.by_unit(use, filled).reshape(values.shape)
        found.append(
            patient.change(
                use.parameter, filled, kind="redrawn",
                amount=f"{int(empty.sum())} inputs, std {std:.3g}", finding=finding,
            )
        )  # fmt: skip
    return found
