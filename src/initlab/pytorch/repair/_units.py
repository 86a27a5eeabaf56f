"""Remedies for tensors: not finite, alike, zero, inactive, never initialized."""

import math
import statistics

import torch
from torch import Tensor

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient
from initlab.spec import WeightUse

# Rows that differ by less, beside their size, are copies but for rounding.
_ALIKE = 1e-3
# For what is added or attended to, and follows no layer's law.
_SMALL = 0.02
# Times the variance of its law that a layer has in no usual start.
_FAR_OVER = 4.0
# Of tables in public use most have .02 to 1.
_USUAL_ROWS = 0.1
_LEAST_ROWS, _MOST_ROWS = 5e-3, 2.0


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
        found or _of_law(patient, finding, only_far=True) or _quieter(patient, finding)
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
    found = [_redrawn(patient, use, finding, readers=False) for use in named]
    # Where all columns of the layer above are alike as well, it reads but one sum.
    above = [
        use
        for use in patient.reading.uses
        if use not in named and any(one.index in use.previous for one in named)
    ]
    found += [_redrawn(patient, use, finding, readers=True) for use in above]
    return [change for change in found if change is not None]


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
        _rms(patient, t) for t in tables if t.parameter not in named and not t.zero
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


def _rms(patient: Patient, use: WeightUse) -> float:
    return float(patient.tensor(use.parameter).double().pow(2).mean().sqrt())


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


def zeros_before_ends(patient: Patient, finding: Finding) -> list[Change]:
    """Draw the zeros that the fix names: what they hold up at 0 stays, by design."""
    named = {*finding.evidence.get("drawn", ())}
    found = {
        use.parameter: _drawn(patient, use, finding)
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
    found = [_drawn(patient, use, finding) for use in dict.fromkeys(zero)]
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


def active_units(patient: Patient, finding: Finding) -> list[Change]:
    """Set biases that switch units off to the others' median; else follow the law."""
    betas = {norm.beta for norm in patient.reading.norms} & {*finding.places}
    found = [patient.filled(name, 0.0, finding) for name in sorted(filter(None, betas))]
    if betas == {*finding.places}:
        return found
    for use in patient.uses(finding):
        if not use.bias or use.bias not in dict(patient.model.named_parameters()):
            continue
        bias = patient.tensor(use.bias).double().clone()
        given = float(patient.reading.measures["given_rms"][use.index])
        reach = 2 * max(given, 1e-12) * math.sqrt(patient.variance(use))
        off = bias < -reach
        if off.any():
            others = bias[~off]
            bias[off] = float(others.median()) if others.numel() else 0.0
            amount = f"{int(off.sum())} of {len(bias)} biases"
            found.append(
                patient.change(
                    use.bias, bias, kind="set", amount=amount, finding=finding
                )
            )
    return found or _of_law(patient, finding)


def drawn_anew(patient: Patient, finding: Finding) -> list[Change]:
    """Draw a weight that was never initialized by the law of its layer."""
    return _of_law(patient, finding)


def _of_law(
    patient: Patient, finding: Finding, *, only_far: bool = False
) -> list[Change]:
    found = []
    for use in patient.uses(finding):
        if not patient.can_change(use) or use.derived:
            continue
        variance, target = patient.variance(use), patient.target(use)[0]
        far = not target / 100 < variance < 100 * target
        if far or not only_far:
            found.append(_drawn(patient, use, finding))
    return found


def _drawn(patient: Patient, use: WeightUse, finding: Finding) -> Change:
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


def _std_of_rows(patient: Patient, table: WeightUse) -> float:
    """Return a deviation for a table of zeros: the other tables', or a usual one.

    A table whose products are outputs, as of a factorization machine, must be quiet.
    """
    sizes = [
        _rms(patient, one) for one in patient.reading.uses
        if one.layer.kind == "embedding" and one.parameter != table.parameter
        and not (one.zero or one.derived)
    ]  # fmt: skip
    return statistics.median(sizes) if sizes else _USUAL_ROWS


def without_biases(patient: Patient, finding: Finding) -> list[Change]:
    """Set to 0 the bias that saturates, and what is as large in the same places."""
    assert finding.parameter is not None

    def size(name: str) -> float:
        return float(patient.tensor(name).double().pow(2).mean().sqrt())

    loud = 0.5 * size(finding.parameter)
    gates = {
        use.bias: patient.gates(use)
        for use in patient.reading.uses
        if use.bias and use.parameter in finding.places and size(use.bias) >= loud
    }
    return [_without_loud(patient, name, n, finding) for name, n in gates.items()]


def _without_loud(patient: Patient, name: str, gates: int, finding: Finding) -> Change:
    """Set a bias to 0; of one that holds several gates', those that are loud."""
    parts = patient.tensor(name).double().reshape(gates, -1)
    sizes = parts.pow(2).mean(dim=1).sqrt()
    quiet = sizes < 0.5 * sizes.max()
    if not quiet.any():
        return patient.filled(name, 0.0, finding)
    values = torch.where(quiet[:, None], parts, 0.0).flatten()
    amount = f"0 in {int((~quiet).sum())} of {gates} gates"
    return patient.change(name, values, kind="set", amount=amount, finding=finding)
