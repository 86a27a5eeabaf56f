"""The fans that scales were made for, where these are not the layers' own."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import FANS, WRONG_FANS, noise, std, wanted_gain
from initlab.analysis.findings._model import Model
from initlab.spec import WeightUse

# How far ln std may be from what a formula says, and from what a gain would excuse.
_FITS, _EXPLAINED = 0.07, 0.12
# Spread of the lengths of columns that are all of one length.
_ROUNDING = 1e-4
_DEFAULT_GAIN = 1 / math.sqrt(3.0)
# LeCun's, He's, and PyTorch's own start.
_GAINS = (1.0, math.sqrt(2.0), _DEFAULT_GAIN)


def is_default(model: Model, use: WeightUse) -> bool:
    """Whether a layer has PyTorch's own start: left alone where others were drawn."""
    gain = std(model, use) * math.sqrt(FANS["torch's fan_in"](use.layer))
    return _apart(gain, _DEFAULT_GAIN) < _FITS + noise(use)


def wrong_fan(
    use: WeightUse, deviation: float, gains: Sequence[float] = ()
) -> str | None:
    """Return the formula that a weight's std fits, where its true fan does not.

    Scales that some gain in use explains with the true fan are no evidence.
    """
    wanted = tuple(gains) or (wanted_gain(use), 1.0)
    own = FANS["fan_in"](use.layer)
    if not deviation > 0:
        return None
    tolerance = _FITS + noise(use) / 2
    explained = (*wanted, *_GAINS)
    if any(_apart(deviation * math.sqrt(own), gain) < _EXPLAINED for gain in explained):
        return None
    if use.layer.transposed and _is_xaviers(use, deviation, tolerance):
        return None
    for name, fan in WRONG_FANS.items():
        other = fan(use.layer)
        if not 0.6 < own / other < 1.7 and any(
            _apart(deviation * math.sqrt(other), gain) < tolerance for gain in wanted
        ):
            return name
    return None


def tells(uses: Sequence[WeightUse], formula: str) -> bool:
    """Whether layers show another fan, and not as well a gain that all have."""
    ratios = [FANS["fan_in"](u.layer) / WRONG_FANS[formula](u.layer) for u in uses]
    sizes = np.abs(np.log(ratios))
    return bool(np.ptp(np.log(ratios)) > 0.4 or sizes.min() > math.log(4.0))


def whole_law(
    model: Model, inner: Sequence[WeightUse], known: set[int]
) -> Iterator[Finding]:
    """WI06 where no layer is odd, but all follow a fan that is not theirs.

    Only where nothing normalizes, and where the two fans differ enough to tell. What
    makes weights is as quiet as these are to be (Chang et al., 2020).
    """
    plain = [
        use for use in (*inner, *(u for u in model.uses if u.head and not u.zero))
        if not use.normed and not use.norm_before and use.index not in known
        and not use.tied and not model.is_read_both_ways(use)
        and not model.of("makes_weights", use.index) > 0
    ]  # fmt: skip
    for name in WRONG_FANS:
        fan = WRONG_FANS[name]
        telling = [
            use for use in plain
            if not 0.6 < FANS["fan_in"](use.layer) / fan(use.layer) < 1.7
            and not use.stem
        ]  # fmt: skip
        fitting = [
            use for use in telling
            if wrong_fan(use, std(model, use)) == name and not _is_wide(model, use)
        ]  # fmt: skip
        if not fitting or len(fitting) < max(1, 0.6 * len(telling)):
            continue
        if name == "fan_out for fan_in" and not _matters(fitting):
            continue
        if len(fitting) == 1 and _keeps_channels(fitting[0]):
            continue
        ratios = [FANS["fan_in"](u.layer) / fan(u.layer) for u in fitting]
        worst = fitting[int(np.argmax(np.abs(np.log(ratios))))]
        wanted = {
            use.parameter: wanted_gain(use) / math.sqrt(FANS["fan_in"](use.layer))
            for use in fitting
        }
        expected = wanted[worst.parameter]
        yield Finding(
            id="WI06", severity="warning", cause="wrong_fan", module=worst.module,
            parameter=worst.parameter, measured=model.weight_factor(worst.index),
            expected=wanted_gain(worst) ** 2,
            evidence={
                "factor": math.sqrt(max(max(ratios), 1 / min(ratios))),
                "direction": "larger" if ratios[0] > 1 else "smaller",
                "fan_in": FANS["fan_in"](worst.layer), "std": std(model, worst),
                "expected_std": expected,
                "ratios": {u.parameter: wanted[u.parameter] / std(model, u)
                           for u in fitting},
                "law": "fan_in", "formula_that_fits": name, "normed": False,
            },
            places=tuple(use.parameter for use in fitting),
        )  # fmt: skip
        return


def _is_wide(model: Model, use: WeightUse) -> bool:
    """Whether a layer is orthogonal with more units than inputs, whose law it follows.

    Its columns have one length then, as no drawn ones have.
    """
    wide = model.of("units", use.index) > model.fan_in(use.index)
    return wide and model.of("column_spread", use.index) < _ROUNDING


def _is_xaviers(use: WeightUse, deviation: float, tolerance: float) -> bool:
    """Whether a scale is Xavier's by PyTorch's own count, which knows no strides.

    Conv-TasNet's decoder of 64 channels starts so, and trains.
    """
    return _apart(deviation * math.sqrt(FANS["fan_avg"](use.layer)), 1.0) < tolerance


def _keeps_channels(use: WeightUse) -> bool:
    """Whether a transposed convolution has as many outputs as inputs.

    Mask R-CNN's single one, by He's law in PyTorch's fans, is half as loud as by its
    own, and trains.
    """
    first, second = use.layer.shape[:2]
    return use.layer.transposed and first == second


def _matters(uses: Sequence[WeightUse]) -> bool:
    """Whether fan_out was used in linear layers, or beyond doubling of channels.

    In convolutions it preserves the gradient, and is a scheme in wide use.
    """
    ratios = [FANS["fan_in"](u.layer) / FANS["fan_out"](u.layer) for u in uses]
    linear = all(use.layer.kind == "linear" for use in uses)
    return linear or max(ratios) > 2.5


def _apart(first: float, second: float) -> float:
    return abs(math.log(first / second))
