"""Remedies of scale: gains, fans, budgets, saturation, residual growth."""

import math

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient
from initlab.spec import WeightUse

# Within this factor of its law a weight variance is left alone.
_NEAR = 1.2
# Stems read inputs of any scale, heads are often quiet by choice.
_NEAR_AT_ENDS = 2.6


def to_the_law(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale the layers that are off the law of the activation after them."""
    named = patient.uses(finding)
    saturated = finding.cause == "saturated"
    first = [use for use in named if use.parameter == finding.parameter]
    tables = all(u.layer.kind == "embedding" for u in (first if saturated else named))
    printed = finding.evidence.get("ratios")
    if (
        tables
        and not printed
        and finding.parameter
        and (saturated or finding.id == "WI05")
    ):
        # Added by hand, as positions are, and multiplied with nothing; or what fills a
        # sigmoid of the outputs.
        ratio = float(finding.evidence["ratio"])
        return [patient.rescaled(finding.parameter, ratio, finding)]
    if printed:
        as_printed = _as_printed(patient, named, finding)
        rescaled = [use for use in named if use.parameter in printed]
        return as_printed + _biases(patient, rescaled, finding) if as_printed else []
    segments = {use.segment for use in named}
    chain = [use for use in patient.reading.uses if use.segment in segments]
    own = [change for use in named for change in _rescaled(patient, use, finding, True)]
    if own and finding.id in ("WI01", "WI05", "WI06", "WI13"):
        return own + _biases(patient, named, finding)
    rest = [use for use in chain if use not in named]
    changes = own + [
        change for use in rest for change in _rescaled(patient, use, finding, False)
    ]
    return changes + _biases(patient, chain, finding)


def _as_printed(
    patient: Patient, named: list[WeightUse], finding: Finding
) -> list[Change]:
    """Rescale each weight by the factor that the finding's fix says.

    Of a computed weight the parameter may be most of it, as a mean that noise is added
    to: the check afterwards tells.
    """
    ratios = finding.evidence["ratios"]
    able = {u.parameter for u in named if patient.can_change(u) or _is_source(u)}
    return [
        patient.rescaled(name, float(ratio), finding)
        for name, ratio in ratios.items()
        if name in able and math.isfinite(ratio) and ratio > 0
    ]


def _is_source(use: WeightUse) -> bool:
    return use.derived and not use.frozen and use.parameter in use.sources


def as_expected(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale the weight named so that its variance is what the finding expects."""
    factor = math.sqrt(finding.expected / finding.measured)
    return [
        patient.rescaled(use.parameter, factor, finding)
        for use in patient.uses(finding)
        if use.parameter == finding.parameter and patient.can_change(use)
    ]


def as_printed(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale the weights by the factors that the finding's fix says, and no bias.

    Of a packed weight, too: gates that are shut say that its scale is no choice.
    """
    return _as_printed(patient, patient.uses(finding), finding)


def named_to_the_law(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale the layer named, and no other, if it is off its law."""
    return [
        change
        for use in patient.uses(finding)
        if use.parameter == finding.parameter
        for change in _rescaled(patient, use, finding, named=True)
    ]


def quiet_choice(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale what makes softmaxes' logits to a deviation of 1."""
    known = dict(patient.model.named_parameters())
    return [
        patient.rescaled(name, ratio, finding)
        for name, ratio in finding.evidence["ratios"].items()
        if name in known and known[name].requires_grad
    ]


def centred(patient: Patient, finding: Finding) -> list[Change]:
    """Take the mean off weights, and bring what is left to the law."""
    found = []
    for use in patient.uses(finding):
        if not patient.can_change(use) or use.derived:
            continue
        values = patient.tensor(use.parameter).double()
        values = values - values.mean()
        variance = float(values.pow(2).mean()) * patient.fan_in(use)
        values *= (patient.target(use)[0] / variance) ** 0.5
        found.append(
            patient.change(
                use.parameter, values, kind="rescaled", amount="mean 0, to the law",
                finding=finding,
            )
        )  # fmt: skip
    return found


def centred_rows(patient: Patient, finding: Finding) -> list[Change]:
    """Take the mean off a table, which stays as spread as it is."""
    return [
        patient.change(
            use.parameter,
            (values := patient.tensor(use.parameter).double()) - values.mean(),
            kind="rescaled", amount="mean 0", finding=finding,
        )
        for use in patient.uses(finding)
        if patient.can_change(use) and not use.derived
    ]  # fmt: skip


def _rescaled(
    patient: Patient, use: WeightUse, finding: Finding, named: bool
) -> list[Change]:
    if not patient.can_change(use) or use.zero or use.adapter:
        return []
    # Packed projections have the variance that their author chose for the whole.
    if use.layer.packed > 1 or use.layer.kind == "embedding":
        return []
    variance, (target, _) = patient.variance(use), patient.target(use)
    if variance <= 0 or not math.isfinite(variance):
        return []
    ratio = variance / target
    near = _NEAR_AT_ENDS if (use.head or use.stem) and not named else _NEAR
    if use.head and ratio < near:
        return []
    if 1 / near <= ratio <= near:
        return []
    return [patient.rescaled(use.parameter, ratio**-0.5, finding)]


def _biases(patient: Patient, uses: list[WeightUse], finding: Finding) -> list[Change]:
    """Bring biases down to the variance that is critical, where they are far over."""
    known = dict(patient.model.named_parameters())
    found = []
    for use in uses:
        if not use.bias or use.bias not in known or not known[use.bias].requires_grad:
            continue
        own = float(patient.tensor(use.bias).double().pow(2).mean())
        target = patient.target(use)[1]
        # A sixteenth of what the weights contribute does not matter.
        if own <= max(2 * target, 1 / 16):
            continue
        if target == 0:
            found.append(patient.filled(use.bias, 0.0, finding))
        else:
            found.append(patient.rescaled(use.bias, math.sqrt(target / own), finding))
    return found


def quiet_branches(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale the ends of branches so that L blocks add one trunk's variance.

    Where loud factors are all that is wrong, they start at 0, as ReZero's do.
    """
    if finding.evidence.get("factor"):
        return [patient.filled(name, 0.0, finding) for name in finding.places]
    blocks = [one for one in patient.reading.blocks if one.outer is None and one.ends]
    wanted = len(blocks) ** -0.5
    found = []
    for block in blocks:
        ratio = block.branch_rms / block.skip_rms
        if not math.isfinite(ratio) or ratio <= 1.5 * wanted:
            continue
        ends = [patient.reading.uses[number] for number in block.ends]
        ends = [use for use in ends if patient.can_change(use)]
        found += [
            patient.rescaled(use.parameter, wanted / ratio, finding) for use in ends
        ]
        for use in ends:
            if use.bias:
                found.append(patient.rescaled(use.bias, wanted / ratio, finding))
    return found
