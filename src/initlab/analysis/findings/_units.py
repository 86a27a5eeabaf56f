"""Checks of units: dead ones, and saturated ones."""

import math
from collections.abc import Iterator

from initlab import theory
from initlab.analysis.findings._finding import Finding, Severity
from initlab.analysis.findings._model import Model

_RECTIFIERS = frozenset({"relu", "relu6", "threshold"})
# Not quite flat below 0, but as good as that far below.
_SMOOTH = frozenset({"gelu", "silu", "elu", "mish", "hardswish", "softplus"})
_SQUASHING = frozenset({"tanh", "sigmoid", "erf", "hardtanh", "hardsigmoid"})
_MOSTLY, _ALL = 0.5, 0.999
_BEYOND_THEORY = 0.35
_BIASED = 0.05
# Standard deviations of a fair coin.
_BY_CHANCE = 2.8
_SATURATED, _MOSTLY_SATURATED = 0.35, 0.8


def dead_units(model: Model) -> Iterator[Finding]:
    """WI12: units that are off for every example, more than chance explains."""
    for use in model.uses:
        if use.activation not in _RECTIFIERS | _SMOOTH or use.gate or use.zero:
            continue
        units = model.of("activation_units", use.index)
        off = model.of("inactive_units", use.index) / units
        biased = model.of("biased_off", use.index)
        above = model.of("biased_on", use.index)
        # Biases that drown a signal without a preference are another fault.
        lopsided = biased - above > _BY_CHANCE * math.sqrt((biased + above) / units)
        lopsided |= above == 0 and biased > _MOSTLY
        biased = biased if lopsided and not use.normed else 0.0
        examples = max(2, model.facts.output.examples)
        cosine = model.of("cosine", use.index)
        expected = (
            theory.orthant_probability(min(max(cosine, 0.0), 1.0), examples)
            if math.isfinite(cosine) else 0.0
        )  # fmt: skip
        proven = biased > _BIASED and off > _BIASED
        many = off > _MOSTLY and off > expected + _BEYOND_THEORY
        if not (proven or many or off > _ALL):
            continue
        severity: Severity = "error" if off > _ALL or biased > 0.25 else "warning"
        yield Finding(
            id="WI12", severity=severity,
            cause="biased_off" if proven else "inactive_units", module=use.module,
            parameter=use.bias if proven else use.parameter, measured=off,
            expected=expected,
            evidence={"units": units, "examples": examples,
                      "bias_mean": model.of("bias_mean", use.index)},
        )  # fmt: skip


def saturated_units(model: Model) -> Iterator[Finding]:
    """WI13: activations where the function is flat; one finding for all layers."""
    shares = {
        use: model.of("saturated_share", use.index)
        for use in model.uses
        if use.activation in _SQUASHING and not use.role
    }
    saturated = [use for use, share in shares.items() if share > _SATURATED]
    if not saturated:
        return
    # What is upstream of the others has the cause in it.
    use = saturated[0]
    rms = model.of("entering_rms", use.index)
    worst = max(shares[each] for each in saturated)
    yield Finding(
        id="WI13",
        severity="error" if worst > _MOSTLY_SATURATED else "warning",
        cause="saturated", module=use.module, parameter=use.parameter,
        measured=shares[use], expected=_SATURATED,
        evidence={"activation": use.activation, "rms": rms,
                  "ratio": 1 / max(rms, 1e-30)},
        places=tuple(dict.fromkeys(each.parameter for each in saturated)),
    )  # fmt: skip
