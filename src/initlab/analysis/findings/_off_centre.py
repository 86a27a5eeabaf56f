"""A check of weights that are mostly of one sign."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import FANS, expected_std, weights_with_a_law
from initlab.analysis.findings._model import Model
from initlab.spec import WeightUse

# Of weights of one sign, drawn uniformly or as sizes of normal ones, the mean is 1.7 or
# 1.3 deviations. Layers that average are meant so, and have weights that add up to 1.
_OFF_CENTRE, _ADDS_UP, _FEWEST_ENTRIES, _FEWEST_INPUTS = 0.75, 2.0, 64, 8
_MANY_LAYERS = 3


def not_centred(model: Model) -> Iterator[Finding]:
    """WI05: weights mostly of one sign, so that all units put out the same sum."""
    found = [use for use in weights_with_a_law(model) if _is_off_centre(model, use)]
    if not found:
        return
    first = found[0]
    mean, deviation = (
        model.of(name, first.index) for name in ("weight_mean", "weight_std")
    )
    yield Finding(
        id="WI05", severity="error" if len(found) >= _MANY_LAYERS else "warning",
        cause="not_centred", module=first.module, parameter=first.parameter,
        measured=abs(mean) / deviation, expected=_OFF_CENTRE,
        evidence={
            "mean": mean, "std": deviation,
            "gain": expected_std(first, None) * math.sqrt(FANS["fan_in"](first.layer)),
        },
        places=tuple(use.parameter for use in found),
    )  # fmt: skip


def _is_off_centre(model: Model, use: WeightUse) -> bool:
    """Whether the mean of enough entries is large beside their deviation, and matters.

    A deviation of 0 is a constant tensor, which is a finding of its own.
    """
    size = abs(model.of("weight_mean", use.index))
    own = FANS["fan_in"](use.layer)
    return (
        size > _OFF_CENTRE * model.of("weight_std", use.index) > 0
        and size * own > _ADDS_UP
        and own >= _FEWEST_INPUTS
        and model.of("units", use.index) > 1  # of one, no others put out the same
        and math.prod(use.layer.shape) >= _FEWEST_ENTRIES
    )
