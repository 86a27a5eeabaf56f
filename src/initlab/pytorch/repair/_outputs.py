"""Remedies at the ends: heads, priors, embeddings, norms that pass nothing."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from initlab.analysis.findings import QUIET_LOGITS, Finding
from initlab.capture import tensors_in
from initlab.messages import REACHES
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._draws import drawn_at
from initlab.pytorch.repair._patient import Patient
from initlab.spec import PriorReading, WeightUse

# Functions of which an argument of 0 is sound, by the starts of their names, and those
# of which 1 is.
_EXPONENTS = ("exp", "rpow", "cosh", "sinh")
_FINITE_AT_ONE = frozenset(
    {"log", "log10", "log1p", "log2", "pow", "reciprocal", "rsqrt", "sqrt", "square"}
)


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
    """Set a factor to 1, or the bias of the layer that makes it."""
    return [patient.filled(name, 1.0, finding) for name in finding.places]


def usual_slopes(patient: Patient, finding: Finding) -> list[Change]:
    """Set slopes of what is below 0 to those of He et al. (2015), PyTorch's own."""
    return [patient.filled(name, 0.25, finding) for name in finding.places]


def finite_function(patient: Patient, finding: Finding) -> list[Change]:
    """Set what a function makes infinite to 0 if it is an exponent, else to 1.

    A matrix is drawn anew. Of a quotient of parameters nobody knows which to change.
    """
    function = str(finding.evidence["function"])
    if function.startswith(_EXPONENTS):
        return set_to_zero(patient, finding)
    if function not in _FINITE_AT_ONE:
        return []
    return [
        patient.filled(name, 1.0, finding) if patient.tensor(name).dim() < 2
        else drawn_at(patient, name, finding)  # a weight, as over its spectral norm
        for name in finding.places
    ]  # fmt: skip


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
