"""Remedies at the ends: heads, priors, embeddings, gates, norms that pass nothing."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from initlab.analysis.findings import QUIET_LOGITS, Finding
from initlab.capture import tensors_in
from initlab.messages import REACHES
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient
from initlab.spec import PriorReading, WeightUse

_LSTM, _GRU = 4, 3
# Steps that a state is kept for, at least, where the sequence's length is not known.
_SHORTEST = 8.0


def quiet_head(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale the head so that its outputs hardly differ."""
    std = patient.reading.output.std
    heads = [use for use in patient.reading.uses if use.head]
    if finding.parameter not in {use.parameter for use in heads}:
        return _quiet_factor(patient, finding)
    if not math.isfinite(std) or std <= QUIET_LOGITS:
        return []
    found = []
    for use in heads:
        if patient.can_change(use) and not (use.tied or use.zero):
            root = _power(patient, use.parameter, finding)
            factor = (QUIET_LOGITS / std) ** (1 / root)
            found.append(patient.rescaled(use.parameter, factor, finding))
        if use.bias and float(patient.tensor(use.bias).abs().max()) > 1:
            found.append(patient.rescaled(use.bias, QUIET_LOGITS / std, finding))
    return found or _quiet_factor(patient, finding)


def zero_biases_below(patient: Patient, finding: Finding) -> list[Change]:
    """Set to 0 the loud biases whose sums a sound head may only hand on."""
    known = dict(patient.model.named_parameters())
    return [
        patient.filled(name, 0.0, finding)
        for name in finding.evidence.get("biases", ())
        if name in known
    ]


def _quiet_factor(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale what outputs are proportional to, where that is no head's weight."""
    known = dict(patient.model.named_parameters())
    name = finding.parameter
    ratio = float(finding.evidence.get("ratio", math.nan))
    if name not in known or not (known[name].requires_grad and ratio > 0):
        return []
    ratios: Mapping[str, float] = finding.evidence.get("ratios") or {name: ratio}
    return [patient.rescaled(name, factor, finding) for name, factor in ratios.items()]


def _power(patient: Patient, name: str, finding: Finding) -> float:
    """Return the power of a parameter to which outputs are proportional, at least 1.

    The loss tells: a squared error is proportional to twice that power.
    """
    found = (p.elasticity for p in patient.reading.parameters if p.name == name)
    squares = 2 if finding.cause == "loud_regression" else 1
    power = next(found, 1.0) / squares
    return power if power > 1 else 1.0


def prior_bias(patient: Patient, finding: Finding) -> list[Change]:
    """Set the head's bias to the log of the classes' shares, or the targets' mean."""
    uses = patient.reading.uses
    heads = [use for use in uses if use.bias and use.bias == finding.parameter]
    if not heads and finding.cause == "mean_ignored" and finding.evidence["bias"]:
        # One number beside tables, as of a matrix factorization.
        assert finding.parameter is not None
        return [patient.filled(finding.parameter, finding.expected, finding)]
    if not heads and finding.cause == "biased_logits":
        return set_to_zero(patient, finding)
    heads = heads or [use for use in uses if use.head and use.bias]
    if not heads:
        return []
    head, output = heads[-1], patient.reading.output
    prior = next((one for one in output.priors if one.head == head.index), None)
    targets = patient.targets
    if prior is not None:
        targets = tensors_in(targets)[prior.target]
    if not isinstance(targets, Tensor):
        loud = finding.cause in ("biased_logits", "biased_choice")
        return set_to_zero(patient, finding) if loud else []
    assert head.bias is not None
    values = _known(patient, head, prior, targets.detach().cpu())
    amount = "the targets' prior"
    return [
        patient.change(head.bias, values, kind="set", amount=amount, finding=finding)
    ]


def _known(
    patient: Patient, head: WeightUse, prior: PriorReading | None, targets: Tensor
) -> Tensor:
    """Return the bias at which outputs say what is common among the targets."""
    assert head.bias is not None
    output, units = patient.reading.output, len(patient.tensor(head.bias))
    link = "" if prior is None else prior.link
    labelled = not targets.is_floating_point() and output.loss_kind != "binary"
    if labelled and link in ("", "classes"):
        return _logs_of_shares(targets, units)
    means = _means(targets.double(), units, head.layer.kind == "conv")
    if link == "log":
        return means.clamp(min=1e-3).log()
    asked_for_none = prior is None and output.target_binary
    if link == "logit" or output.loss_kind == "binary" or asked_for_none:
        return means.clamp(1e-3, 1 - 1e-3).logit()
    return means


def _logs_of_shares(labels: Tensor, classes: int) -> Tensor:
    """Return the logarithms of the classes' shares, around 0."""
    labels = labels[(labels >= 0) & (labels < classes)]
    counts = torch.bincount(labels.flatten(), minlength=classes)
    # Half an example more of each class: a class that is absent is not impossible.
    values = ((counts + 0.5) / (counts.sum() + 0.5 * classes)).double().log()
    return values - values.mean()


def _means(targets: Tensor, units: int, of_convolution: bool) -> Tensor:
    """Return the targets' mean per unit; over all, where they have no axis of units."""
    axis = 1 if of_convolution and targets.dim() > 1 else -1
    if targets.dim() < 2 or targets.shape[axis] != units:
        return targets.mean().expand(units)
    return targets.movedim(axis, -1).reshape(-1, units).mean(dim=0)


def within_the_slope(patient: Patient, finding: Finding) -> list[Change]:
    """Bring outputs to where their loss has a slope, or the bias to the prior."""
    biases = {use.bias for use in patient.reading.uses}
    if finding.parameter in biases:
        return prior_bias(patient, finding)
    return quiet_head(patient, finding)


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


def open_norm(patient: Patient, finding: Finding) -> list[Change]:
    """Set the factor of a normalization on the trunk to 1."""
    names = {finding.parameter, *finding.places}
    return [
        patient.filled(norm.parameter, 1.0, finding)
        for norm in patient.reading.norms
        if norm.parameter
        and norm.gamma_zero > 0
        and (norm.parameter in names or norm.module == finding.module)
    ]


def factors_of_one(patient: Patient, finding: Finding) -> list[Change]:
    """Set the factors of the normalizations named to 1."""
    known = {norm.parameter for norm in patient.reading.norms}
    named = dict.fromkeys(filter(None, (finding.parameter, *finding.places)))
    return [patient.filled(name, 1.0, finding) for name in named if name in known]


def set_to_zero(patient: Patient, finding: Finding) -> list[Change]:
    """Set parameters to 0: biases, and what an exponential makes a factor of 1 of."""
    return [patient.filled(name, 0.0, finding) for name in finding.places]


def open_factor(patient: Patient, finding: Finding) -> list[Change]:
    """Set a factor of 0 to 1, or the bias of the layer that makes it."""
    return [patient.filled(name, 1.0, finding) for name in finding.places]


def usual_slopes(patient: Patient, finding: Finding) -> list[Change]:
    """Set slopes of what is below 0 to those of He et al. (2015), PyTorch's own."""
    return [patient.filled(name, 0.25, finding) for name in finding.places]


def finite_exponent(patient: Patient, finding: Finding) -> list[Change]:
    """Set what overflows in an exponent to 0; for other functions no value is known."""
    if finding.evidence["function"] == "reciprocal":
        return [patient.filled(name, 1.0, finding) for name in finding.places]
    exponent = str(finding.evidence["function"]).startswith("exp")
    return set_to_zero(patient, finding) if exponent else []


def within_reach(patient: Patient, finding: Finding) -> list[Change]:
    """Spread parameters evenly over the range where their function has a slope."""
    low, high = REACHES[str(finding.evidence["function"])]
    found = []
    for name in finding.places:
        shape = patient.tensor(name).shape
        values = torch.linspace(low, high, max(2, shape.numel()), dtype=torch.float64)
        found.append(
            patient.change(
                name, values[: shape.numel()].reshape(shape), kind="set",
                amount=f"evenly from {low:g} to {high:g}", finding=finding,
            )
        )  # fmt: skip
    return found


def quiet_embedding(patient: Patient, finding: Finding) -> list[Change]:
    """Bring an embedding that is the head as well to quiet logits."""
    found = {}
    for use in patient.reading.uses:
        if not use.tied or not patient.can_change(use):
            continue
        weight = patient.tensor(use.parameter).double()
        rms = float(weight.pow(2).mean().sqrt())
        if rms > 0:
            wanted = QUIET_LOGITS / math.sqrt(weight.shape[-1])
            found[use.parameter] = patient.rescaled(
                use.parameter, wanted / rms, finding
            )
    return list(found.values())


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
