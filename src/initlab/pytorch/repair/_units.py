"""Remedies for entries that are not finite, and for units that are alike."""

import math

import torch
from torch import Tensor

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._draws import drawn_source, of_law
from initlab.pytorch.repair._patient import Patient
from initlab.spec import WeightUse

# Rows that differ by less, beside their size, are copies but for rounding.
_ALIKE = 1e-3
# For what is added or attended to, and follows no layer's law.
_SMALL = 0.02
# Times the variance of its law that a layer has in no usual start.
_FAR_OVER = 4.0


def finite_entries(patient: Patient, finding: Finding) -> list[Change]:
    """Redraw the entries that are not finite, like the tensor's others."""
    names = [finding.parameter, *finding.places]
    found = []
    for name in dict.fromkeys(filter(None, names)):
        values = patient.tensor(name).double().clone()
        bad = ~torch.isfinite(values)
        if not bad.any():
            continue
        good = values[~bad]
        std = float(good.std(correction=0)) if good.numel() > 1 else 0.0
        mean = float(good.mean()) if good.numel() and values.dim() < 2 else 0.0
        if not good.numel() and values.dim() > 1:
            std = values[0].numel() ** -0.5
        values[bad] = mean + std * patient.normal(name, tuple(values.shape))[bad]
        amount = f"{int(bad.sum())} of {values.numel()} entries"
        found.append(
            patient.change(name, values, kind="redrawn", amount=amount, finding=finding)
        )
    return (
        found or of_law(patient, finding, only_far=True) or _quieter(patient, finding)
    )


def _quieter(patient: Patient, finding: Finding) -> list[Change]:
    """Bring all layers that are far over their law to it: together they overflow.

    As what makes the logarithm of a deviation, of which the exponential is infinite.
    """
    found = {}
    for use in patient.reading.uses:
        if not patient.can_change(use) or use.layer.kind == "embedding":
            continue
        ratio = patient.variance(use) / patient.target(use)[0]
        if _FAR_OVER < ratio < math.inf:
            found[use.parameter] = patient.rescaled(use.parameter, ratio**-0.5, finding)
    return list(found.values())


def distinct_units(patient: Patient, finding: Finding) -> list[Change]:
    """Redraw all copies of a unit but the first; of cloned tensors too."""
    clones = _clones(patient, finding)
    if clones:
        return clones
    named = [use for use in patient.uses(finding) if use.layer.kind != "embedding"]
    found = [
        drawn_source(patient, use, finding)
        or _redrawn(patient, use, finding, readers=False)
        for use in named
    ]
    # Where all columns of the layer above are alike as well, it reads but one sum.
    above = [
        use
        for use in patient.reading.uses
        if use not in named and any(one.index in use.previous for one in named)
    ]
    found += [_redrawn(patient, use, finding, readers=True) for use in above]
    return [change for change in found if change is not None]


def drawn_units(patient: Patient, finding: Finding) -> list[Change]:
    """Draw tensors whose units are all alike, small beside any signal."""
    return [
        patient.change(
            name,
            _SMALL * patient.normal(name, tuple(patient.tensor(name).shape)),
            kind="redrawn", amount=f"std {_SMALL:g}", finding=finding,
        )
        for name in finding.places
    ]  # fmt: skip


def _redrawn(
    patient: Patient, use: WeightUse, finding: Finding, *, readers: bool
) -> Change | None:
    """Redraw a weight's copies; of a reader the whole, where all its columns are."""
    if not patient.can_change(use) or use.derived or (readers and use.zero):
        return None
    weight = patient.tensor(use.parameter).double()
    if use.layer.kind == "linear" and weight.dim() == 3:
        return None if readers else _members_redrawn(patient, use, finding)
    rows = patient.by_unit(use, weight)
    flat = rows.reshape(len(rows), -1)
    copies = _copies(rows.transpose(0, 1).flatten(1) if readers else flat)
    whole = int(copies.sum()) == len(copies) - 1 and len(copies) > 1
    if not copies.any() or (readers and not whole):
        return None
    if whole:  # the scale of the rest says nothing
        copies = torch.ones(len(flat), dtype=torch.bool)
    scale = patient.std(use) if whole else float(flat.pow(2).mean().sqrt())
    values = rows.clone()
    values[copies] = scale * patient.normal(use.parameter, tuple(rows.shape))[copies]
    amount = f"{int(copies.sum())} of {len(flat)} units"
    return patient.change(
        use.parameter,
        patient.by_unit(use, values),
        kind="redrawn",
        amount=amount,
        finding=finding,
    )


def _members_redrawn(
    patient: Patient, use: WeightUse, finding: Finding
) -> Change | None:
    """Redraw the copied units of a stack of layers, as of an ensemble's members."""
    weight = patient.tensor(use.parameter).double()
    rows = weight.mT if use.stored_transposed else weight
    flat = rows.reshape(-1, rows.shape[-1])
    copies = _copies(flat)
    if not copies.any():
        return None
    scale = float(flat.std()) or patient.std(use)
    drawn = scale * patient.normal(use.parameter, tuple(flat.shape))
    values = torch.where(copies[:, None], drawn, flat).reshape(rows.shape)
    return patient.change(
        use.parameter,
        values.mT if use.stored_transposed else values,
        kind="redrawn",
        amount=f"{int(copies.sum())} of {len(flat)} units",
        finding=finding,
    )


def _copies(rows: Tensor) -> Tensor:
    """Return which rows are copies of an earlier one, but for rounding."""
    copies = torch.zeros(len(rows), dtype=torch.bool)
    sizes = rows.norm(dim=1)
    # Sorted by a random projection, copies are neighbours.
    direction = torch.linspace(1, 2, rows.shape[1], dtype=rows.dtype)
    order = (rows @ direction).argsort(stable=True)
    first = 0
    for place in range(1, len(order)):
        one, other = order[first], order[place]
        gap = float((rows[one] - rows[other]).norm())
        if gap <= _ALIKE * max(float(sizes[one]), 1e-30):
            copies[other] = True
        else:
            first = place
    return copies


def _clones(patient: Patient, finding: Finding) -> list[Change]:
    """Redraw parameters that hold the same numbers as an earlier one."""
    known: dict[bytes, str] = {}
    found = []
    for name in dict.fromkeys(filter(None, [finding.parameter, *finding.places])):
        if name not in dict(patient.model.named_parameters()):
            continue
        values = patient.tensor(name)
        # Of tensors that are constant, or all rows alike, the first is no better.
        if values.dim() < 2 or bool((values == values[:1]).all()):
            continue
        digest = values.double().cpu().numpy().tobytes()
        if known.setdefault(digest, name) == name:
            continue
        std = float(values.double().pow(2).mean().sqrt())
        drawn = std * patient.normal(name, tuple(values.shape))
        amount = f"a copy of {known[digest]}"
        found.append(
            patient.change(name, drawn, kind="redrawn", amount=amount, finding=finding)
        )
    return found
