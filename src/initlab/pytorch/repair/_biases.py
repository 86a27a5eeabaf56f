"""Remedies for biases that switch units off, or saturate them."""

import math

import torch

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._draws import of_law
from initlab.pytorch.repair._patient import Patient


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
    return found or of_law(patient, finding)


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
