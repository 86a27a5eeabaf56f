"""Remedies of recurrent layers: gates that forget or write nothing, and radii."""

import math

import torch

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient
from initlab.spec import WeightUse

_LSTM, _GRU = 4, 3
# Steps that a state is kept for, at least, where the sequence's length is not known.
_SHORTEST = 8.0


def open_gates(patient: Patient, finding: Finding) -> list[Change]:
    """Open forget gates for the sequence's length; bring the spectral radius to 1."""
    found: dict[str, Change] = {}
    for use in _recurrences(patient, finding):
        if not patient.can_change(use):
            continue
        radius = _radius(patient, use)
        if radius == 0 and use.zero:
            found[use.parameter] = _orthogonal(patient, use, finding)
        elif math.isfinite(radius) and not 0.5 <= radius <= 1.5 and radius > 0:
            found[use.parameter] = patient.rescaled(use.parameter, 1 / radius, finding)
        if finding.cause != "spectral_radius":  # which says nothing of a gate
            found |= _opened(patient, use, finding)
    return list(found.values()) or _kept_by_hand(patient, finding)


def _orthogonal(patient: Patient, use: WeightUse, finding: Finding) -> Change:
    """Draw a recurrent weight of zeros as an orthogonal one, gate by gate."""
    shape = tuple(patient.tensor(use.parameter).shape)
    drawn = patient.normal(use.parameter, shape)
    parts = [torch.linalg.qr(part)[0] for part in drawn.chunk(max(1, use.layer.packed))]
    return patient.change(
        use.parameter, torch.cat(parts), kind="redrawn", amount="orthogonal",
        finding=finding,
    )  # fmt: skip


def _kept_by_hand(patient: Patient, finding: Finding) -> list[Change]:
    """Raise the bias of the gate that keeps the state, in a cell written by hand."""
    if finding.cause != "forgets" or not finding.parameter:
        return []
    bias = patient.tensor(finding.parameter).double().clone()
    gates, gate = finding.evidence["gates"], finding.evidence["gate"]
    bias.chunk(gates)[gate].add_(finding.evidence["missing"])
    return [
        patient.change(
            finding.parameter, bias, kind="set", amount="the gate that keeps opened",
            finding=finding,
        )
    ]  # fmt: skip


def _recurrences(patient: Patient, finding: Finding) -> list[WeightUse]:
    """Return the recurrent weights that a finding names, also by the inputs' bias.

    A loop by hand has one without a role, whose radius is known.
    """
    uses = patient.reading.uses
    named = {use.index for use in patient.uses(finding)} or set(range(len(uses)))
    # The weight of a layer's inputs runs just before its recurrent weight.
    named |= {number + 1 for number in named if uses[number].role == "input"}
    return [
        use
        for use in uses
        if use.index in named
        and (use.role == "recurrent" or math.isfinite(_radius(patient, use)))
    ]


def _radius(patient: Patient, use: WeightUse) -> float:
    """Return the spectral radius of a recurrent weight; nan for others."""
    found = (
        float(values[use.index])
        for name in ("spectral_radius", "gated_radius")
        if (values := patient.reading.measures.get(name)) is not None
    )
    return next(filter(math.isfinite, found), math.nan)


def _opened(patient: Patient, use: WeightUse, finding: Finding) -> dict[str, Change]:
    """Set the gate that keeps the state: an LSTM's second block, a GRU's second."""
    if use.layer.packed not in (_LSTM, _GRU) or not use.bias:
        return {}
    length = max(float(_length(patient, use)), _SHORTEST)
    # A state is kept for as many steps: sigmoid(ln T) = 1 - 1 / (T + 1).
    wanted = math.log(length)
    known = dict(patient.model.named_parameters())
    # Two biases act as their sum: the one that is too low is raised.
    names = [use.bias, use.bias.replace("bias_hh", "bias_ih")]
    biases = {
        name: patient.tensor(name).double().clone() for name in names if name in known
    }
    means = {
        name: float(bias.chunk(use.layer.packed)[1].mean())
        for name, bias in biases.items()
    }
    missing = wanted - sum(means.values())
    if missing <= 0.5 * wanted:
        return {}
    lowest = min(means, key=lambda name: means[name])
    biases[lowest].chunk(use.layer.packed)[1].add_(missing)
    amount = f"gates open for {length:.0f} steps"
    change = patient.change(
        lowest, biases[lowest], kind="set", amount=amount, finding=finding
    )
    return {lowest: change}


def _length(patient: Patient, use: WeightUse) -> int:
    """Return the steps of the batch's sequences; 0 where they are not known."""
    module = patient.model.get_submodule(use.module)
    axis = 1 if getattr(module, "batch_first", True) else 0
    sizes = [one.shape[axis] for one in patient.inputs if one.dim() >= 2]
    return sizes[0] if sizes else 0


def writing_gates(patient: Patient, finding: Finding) -> list[Change]:
    """Set the biases of gates that write nothing into a recurrent state to 0."""
    found = []
    for use in patient.reading.uses:
        if use.module != finding.module or not use.bias:
            continue
        parts = use.layer.packed
        values = patient.tensor(use.bias).double().clone().reshape(parts, -1)
        gates = (0, 3) if parts == _LSTM else (1,)
        sign = 1 if parts == _LSTM else -1
        for gate in gates:
            if float(sign * values[gate].mean()) < -1:
                values[gate] = 0
        found.append(
            patient.change(
                use.bias, values.flatten(), kind="set", amount="gates at one half",
                finding=finding,
            )
        )  # fmt: skip
    return found
