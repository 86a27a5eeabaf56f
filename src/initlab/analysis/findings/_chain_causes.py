"""Why a chain's budget is over: biases, one layer, a fan, a gain, or none of these."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from initlab import theory
from initlab.analysis.findings._fans import tells, wrong_fan
from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import (
    are_quiet,
    multiple,
    std,
    wanted_factor,
    wanted_gain,
)
from initlab.analysis.findings._model import Model
from initlab.messages import Severity
from initlab.spec import WeightUse

# Largest sum of ln chi: docs/trainability.md and docs/check-calibration.md.
BUDGET_WARNING = 9.0
# Largest ln change of the pre-activations' size.
FORWARD_WARNING = math.log(1e2)
# Share of the pre-activations' largest rms that biases may have.
_DROWNED = 0.3
# In ln of a weight's deviation: one layer beside the others, and any beside its law.
_ONE_LAYER, _OFF_GAIN = math.log(5.0), math.log(1.5) / 2
# Of a chain's layers that share a gain, and of these that share a fan.
_MOST, _SAME_FAN = 0.5, 0.6
_SAME_DIGITS = 6
# Of how far one layer is off, what others are off by that do not matter beside it.
_FAR_LESS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A plain chain over which the signal or the gradient changes too much.

    Attributes:
        model: That it is a part of.
        uses: Its layers, in order.
        budget: Of its ln chi.
        forward: Ln change of the pre-activations' size.
        severity: Of whatever is found.
        inside: The layers that are judged: no head, and a stem where it is quiet too.
        is_quiet: Whether most weights are smaller than any start in wide use gives.
        away: By layer, ln of the deviation of its weights over that of its law.
        middle: Median of these.
    """

    model: Model
    uses: Sequence[WeightUse]
    budget: theory.GradientBudget
    forward: float
    severity: Severity
    inside: Sequence[WeightUse]
    is_quiet: bool
    away: Mapping[int, float]
    middle: float

    @classmethod
    def of(
        cls,
        model: Model,
        uses: Sequence[WeightUse],
        budget: theory.GradientBudget,
        forward: float,
        severity: Severity,
    ) -> "Chain":
        """Return the chain with its layers judged by their laws."""
        inside = [use for use in uses if not use.head and not use.stem] or list(uses)
        is_quiet = are_quiet(model, inside)
        if is_quiet:
            inside = [u for u in uses if u in inside or _is_quiet_stem(model, u)]
        away = {use.index: _away(model, use) for use in inside}
        middle = float(np.median(list(away.values())))
        return cls(
            model=model, uses=uses, budget=budget, forward=forward, severity=severity,
            inside=inside, is_quiet=is_quiet, away=away, middle=middle,
        )  # fmt: skip

    @property
    def off(self) -> list[WeightUse]:
        """Layers that are off their law on the side on which most are."""
        return [
            use for use in self.inside
            if self.away[use.index] * self.middle > 0
            and abs(self.away[use.index]) > _OFF_GAIN
        ]  # fmt: skip

    @property
    def changes(self) -> float:
        """The sum of ln chi, largest over any part, with its sign."""
        return self.budget.largest * self.budget.sign

    @property
    def consequences(self) -> tuple[str, ...]:
        """What the chain does: checks of the gradient and of the signal."""
        done = {
            "WI07": self.budget.largest > BUDGET_WARNING,
            "WI08": self.forward < -FORWARD_WARNING,
            "WI09": self.forward > FORWARD_WARNING,
        }
        return tuple(check for check, here in done.items() if here)

    @property
    def evidence(self) -> dict[str, Any]:
        """What is said of the chain, whatever is found."""
        first = self.inside[0]
        return {
            "layers": len(self.uses),
            "budget": self.changes,
            "gradient_factor": math.exp(self.changes / 2),
            "forward_factor": math.exp(self.forward),
            "activation": first.activation,
            "critical": wanted_factor(first),
            "gain": wanted_gain(first),
        }


def _away(model: Model, use: WeightUse) -> float:
    """Return ln of the deviation of a layer's weights over that of its law.

    Of a weight that is also read transposed, the law of either way is one: what lies
    between the two is not off.
    """
    factor = max(model.weight_factor(use.index), 1e-300)
    away = math.log(factor / wanted_factor(use)) / 2
    if not model.is_read_both_ways(use):
        return away
    other = away + math.log(use.layer.shape[0] / use.layer.shape[1]) / 2
    low, high = sorted((away, other))
    return low if low > 0 else min(high, 0.0)


def cause_of(chain: Chain) -> Finding:
    """Return the finding for a chain: the gain where that is why, else the budget."""
    return (
        _drowned_by_biases(chain)
        or _one_layer(chain)
        or _wrong_fan(chain)
        or _wrong_gain(chain)
        or _no_weights(chain)
    )


def _drowned_by_biases(chain: Chain) -> Finding | None:
    model, inside = chain.model, chain.inside
    biases = np.median([model.of("bias_rms", use.index) for use in inside])
    signal = np.nanmax([model.of("preactivation_rms", u.index) for u in chain.uses])
    if chain.is_quiet:  # biases of a usual size are not what is wrong
        signal *= math.exp(-chain.middle)
    if not (biases > _DROWNED * signal and chain.budget.largest > BUDGET_WARNING):
        return None
    first = (chain.off or inside)[0]
    return Finding(
        id="WI07", severity=chain.severity, cause="drowned_by_biases",
        module=first.module, parameter=first.bias,
        measured=chain.changes, expected=BUDGET_WARNING, evidence=chain.evidence,
        places=tuple(use.bias or use.parameter for use in inside),
        consequences=("WI11",),
    )  # fmt: skip


def _one_layer(chain: Chain) -> Finding | None:
    """Return that one layer is off, and the others are not, or next to nothing."""
    odd = _oddest(chain)
    away = chain.away[odd.index]
    stands_out = abs(away - chain.middle) > _ONE_LAYER and abs(away) > _OFF_GAIN
    least = max((abs(one) for number, one in chain.away.items() if number != odd.index),
                default=math.inf)  # fmt: skip
    beside_usual = least < _FAR_LESS * abs(away) and least < _ONE_LAYER
    if not (stands_out and (beside_usual or len(chain.off) < len(chain.inside))):
        return None
    return Finding(
        id="WI05", severity=chain.severity, cause="one_layer", module=odd.module,
        parameter=odd.parameter, measured=chain.model.weight_factor(odd.index),
        expected=wanted_factor(odd),
        evidence=chain.evidence | {
            "ratios": _ratios(chain, [odd]),
            "critical": wanted_factor(odd), "activation": odd.activation,
        },
        places=(odd.parameter,), consequences=chain.consequences,
    )  # fmt: skip


def _wrong_fan(chain: Chain) -> Finding | None:
    """Return that most layers that are off have a gain over the same wrong fan."""
    model, off = chain.model, chain.off
    if not _are_most_off(chain):
        return None
    fans = [
        None if model.is_read_both_ways(use)
        else wrong_fan(use, std(model, use), (wanted_gain(use),))
        for use in off
    ]  # fmt: skip
    named = max(set(fans), key=lambda name: (name is not None, fans.count(name)))
    if named is None or fans.count(named) < _SAME_FAN * len(off):
        return None
    if not tells([u for u, fan in zip(off, fans, strict=True) if fan == named], named):
        return None
    first = off[fans.index(named)]
    own = model.fan_in(first.index)
    return Finding(
        id="WI06", severity=chain.severity, cause="wrong_fan", module=first.module,
        parameter=first.parameter, measured=model.weight_factor(first.index),
        expected=wanted_gain(first) ** 2,
        evidence=chain.evidence | {
            "formula_that_fits": named, "fan_in": own,
            "std": std(model, first),
            "expected_std": wanted_gain(first) / math.sqrt(own),
            "ratios": {
                use.parameter: wanted_gain(use)
                / math.sqrt(model.fan_in(use.index)) / std(model, use)
                for use in off
            },
        },
        places=tuple(use.parameter for use in off), consequences=chain.consequences,
    )  # fmt: skip


def _wrong_gain(chain: Chain) -> Finding | None:
    """Return that most layers are off their law on one side."""
    if not _are_most_off(chain):
        return None
    off = _on_one_side(chain)
    first = off[0]
    return Finding(
        id="WI05", severity=chain.severity, cause="wrong_gain", module=first.module,
        parameter=first.parameter, measured=chain.model.weight_factor(first.index),
        expected=wanted_factor(first),
        evidence=chain.evidence | {
            "ratios": _ratios(chain, off),
            "critical": wanted_factor(first), "activation": first.activation,
            "gain": wanted_gain(first),
        },
        places=tuple(dict.fromkeys(use.parameter for use in (*off, *chain.off))),
        consequences=chain.consequences,
    )  # fmt: skip


def _no_weights(chain: Chain) -> Finding:
    """Return what the chain does, where its weights do not say why."""
    by_forward = chain.budget.largest <= BUDGET_WARNING
    first = chain.uses[max(0, chain.budget.first - 1)]
    check, *others = chain.consequences or ("WI07",)
    return Finding(
        id=check, severity=chain.severity,
        cause="forward_change" if by_forward else "depth_budget", module=first.module,
        parameter=first.parameter,
        measured=math.exp(chain.forward) if by_forward else chain.changes,
        expected=math.exp(FORWARD_WARNING) if by_forward else BUDGET_WARNING,
        evidence=chain.evidence, places=tuple(use.parameter for use in chain.uses),
        consequences=tuple(others),
    )  # fmt: skip


def _are_most_off(chain: Chain) -> bool:
    most = len(chain.off) >= _MOST * len(chain.inside)
    return abs(chain.middle) > _OFF_GAIN and most


def _on_one_side(chain: Chain) -> list[WeightUse]:
    """Return the layers that are off, without those that a multiple makes loud.

    As the first of sines of 30 z, before quiet ones.
    """
    logs = {
        use: math.log(ratio) for use in chain.off
        for ratio in _ratios(chain, [use]).values()
    }  # fmt: skip
    total = sum(logs.values())
    return [use for use, log in logs.items() if log * total > 0] or chain.off


def _ratios(chain: Chain, uses: Sequence[WeightUse]) -> dict[str, float]:
    """Return by weight the factor that makes it critical; `repair_` takes it, too.

    Where an activation is given a multiple, as in sin(30 z), that much less.
    """
    return {
        use.parameter: math.exp(-chain.away[use.index]) / multiple(chain.model, use)
        for use in uses
    }


def _is_quiet_stem(model: Model, use: WeightUse) -> bool:
    """Whether a first layer is too quiet, too, and that for no loud inputs."""
    loud = model.of("preactivation_rms", use.index) > 1
    return use.stem and are_quiet(model, [use]) and not loud


def _oddest(chain: Chain) -> WeightUse:
    """Return the layer that is farthest from the others.

    Two are as far from their median: of these it is the one that is off its law.
    """
    away = chain.away
    return max(
        chain.inside,
        key=lambda use: (
            round(abs(away[use.index] - chain.middle), _SAME_DIGITS),
            abs(away[use.index]),
        ),
    )
