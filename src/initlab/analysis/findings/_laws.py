"""Which law a model's weights follow, and which of them do not.

A law is a fan that variances are divided by. Healthy models mix gains (heads, branch
ends), so that one gain says little of one layer; that all layers but one follow a law
says much of that one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from initlab import theory
from initlab.activations import ACTIVATIONS, akin
from initlab.analysis.findings._model import Model
from initlab.spec import LayerSpec, WeightUse

# Gains that differ by less are the same: He's and LeCun's differ by 1.41.
_SAME_GAIN = math.log(1.6)
_MAJORITY, _FEWEST = 0.6, 4
# Standard errors of a sample's deviation that are no evidence.
_SIGMAS = 4.0
_A_MULTIPLE = 2.0
# What rounding leaves of a 1.
_ONE_HOT = 1e-3
# Weight variance of PyTorch's own start, the least in wide use, less a third.
_USUAL = 2 / 9


def _taps(layer: LayerSpec) -> int:
    return math.prod(layer.kernel)


def _own(layer: LayerSpec) -> float:
    """Inputs that a unit adds up."""
    first, second = layer.shape[:2]
    if layer.transposed:
        strides = math.prod(layer.strides)
        return first / layer.groups * _taps(layer) / strides
    return float(second * _taps(layer))


def _outputs(layer: LayerSpec) -> float:
    """PyTorch's fan_out: groups ignored."""
    return float(layer.shape[0] * _taps(layer))


def _reported(layer: LayerSpec) -> float:
    """PyTorch's fan_in: of a transposed convolution, its outputs."""
    return float(layer.shape[1] * _taps(layer))


FANS: Mapping[str, Callable[[LayerSpec], float]] = MappingProxyType(
    {
        "fan_in": _own,
        "fan_out": _outputs,
        "fan_out of a group": lambda layer: _outputs(layer) / layer.groups,
        "fan_avg": lambda layer: (_reported(layer) + _outputs(layer)) / 2,
        "torch's fan_in": _reported,
        "none": lambda _: 1.0,
    }
)

# Formulas in circulation that miss a layer's true fan_in.
WRONG_FANS: Mapping[str, Callable[[LayerSpec], float]] = MappingProxyType(
    {
        "groups ignored": lambda layer: _own(layer) * layer.groups,
        "kernel area left out": lambda layer: layer.shape[1],
        "transposed fans swapped": lambda layer: (
            _reported(layer) if layer.transposed else _own(layer)
        ),
        "stride ignored": lambda layer: (
            layer.shape[0] / layer.groups * _taps(layer)
            if layer.transposed
            else _own(layer)
        ),
        "fan_out for fan_in": lambda layer: (
            _own(layer) if layer.transposed else _outputs(layer) / layer.packed
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LawFit:
    """The law that most of some weights follow.

    Attributes:
        fan: Name of the fan.
        gain: Median of std times the root of the fan.
        coverage: Share of the weights within the same gain.
        spread: Median absolute deviation of ln gain.
        away: By use, ln of its gain over the median one.
    """

    fan: str
    gain: float
    coverage: float
    spread: float
    away: Mapping[int, float]


def fit_law(model: Model, uses: Sequence[WeightUse], fan: str) -> LawFit:
    """Return how well a law fits some weights."""
    logs = {
        use.index: math.log(std(model, use) * math.sqrt(FANS[fan](use.layer)))
        for use in uses
    }
    middle = float(np.median(list(logs.values())))
    away = {use: log - middle for use, log in logs.items()}
    sizes = np.abs(list(away.values()))
    return LawFit(
        fan=fan,
        gain=math.exp(middle),
        coverage=float(np.mean(sizes < _SAME_GAIN)),
        spread=float(np.median(sizes)),
        away=away,
    )


def laws(model: Model, uses: Sequence[WeightUse]) -> list[LawFit]:
    """Return the laws that most of some weights follow, the best first."""
    if len(uses) < _FEWEST:
        return []
    fits = [fit_law(model, uses, fan) for fan in FANS]
    good = [fit for fit in fits if fit.coverage >= _MAJORITY]
    return sorted(good, key=lambda fit: (-round(fit.coverage, 2), fit.spread))


def std(model: Model, use: WeightUse) -> float:
    """Return the root of the second moment of a weight's entries."""
    return math.hypot(
        model.of("weight_std", use.index), model.of("weight_mean", use.index)
    )


def noise(use: WeightUse) -> float:
    """Return how far ln std may be off by chance."""
    return _SIGMAS / math.sqrt(2 * math.prod(use.layer.shape))


def multiple(model: Model, use: WeightUse) -> float:
    """Return what an activation is given over what the layer puts out; 1 if alike."""
    given, put_out = (
        model.of(name, use.index) for name in ("entering_rms", "preactivation_rms")
    )
    # What is cut apart is not given to one activation.
    whole = model.of("units", use.index) == model.of("activation_units", use.index)
    known = use.activation in ACTIVATIONS
    alone = whole and known and not (use.normed or use.joined)
    factor = given / put_out if alone and put_out > 0 else 1.0
    return factor if factor > _A_MULTIPLE or 0 < factor < 1 / _A_MULTIPLE else 1.0


def wanted_gain(use: WeightUse) -> float:
    """Return the second-moment gain of what the layer is given; 1 where unknown."""
    known = (akin(use.source), akin(use.activation))
    name = next((one for one in known if one not in (None, "identity")), None)
    return float(theory.gain(name or "identity"))


def wanted_factor(use: WeightUse) -> float:
    """Return the weight variance at which a layer is critical at q = 1, or nearly."""
    name = akin(use.activation) or akin(use.source)
    if name is None:
        return 1.0
    if use.activation == "leaky_relu":
        return 2 / (1 + use.negative_slope**2)
    slope = float(theory.slope_moment(name, 1.0))
    return 1 / slope if slope > 0 else wanted_gain(use) ** 2


def width_sum(model: Model, chain: Sequence[WeightUse]) -> float:
    """Return the sum of 1/width over a chain's hidden layers."""
    return sum(1 / model.of("units", use.index) for use in chain if not use.head)


def is_narrow(model: Model, use: WeightUse) -> bool:
    """Whether a layer's chain is so narrow that its width explains what seeds do."""
    chains = (chain for chain in model.chains() if use in chain)
    return any(width_sum(model, c) > theory.WIDTH_SUM_LIMIT for c in chains)


def are_quiet(model: Model, uses: Sequence[WeightUse]) -> bool:
    """Whether layers have mostly smaller weights than any start in wide use gives."""
    factors = [model.weight_factor(use.index) for use in uses]
    return bool(factors) and float(np.median(factors)) < _USUAL


def expected_std(use: WeightUse, law: LawFit | None) -> float:
    """Return the std that a layer's weights have by a law, or by He's or Glorot's."""
    if law is not None:
        return law.gain / math.sqrt(FANS[law.fan](use.layer))
    return wanted_gain(use) / math.sqrt(FANS["fan_in"](use.layer))


def weights_with_a_law(model: Model) -> list[WeightUse]:
    """Return the uses whose scale can be compared with a law.

    Of what makes a softmax's logits, these say more, and codes have none. A computed
    weight has the scale that it is given; a weight norm's is that of its parameters.
    """
    choose = {each.parameter for each in model.facts.choices}
    return [
        use
        for use in model.fresh()
        if use.layer.kind in ("linear", "conv")
        and not (use.zero or use.tied or use.gate)
        and use.sized
        and not (use.activation == "identity" and use.parameter in choose)
        and not _looks_up_rows(model, use)
        and use.role != "recurrent"
        and std(model, use) > 0
        and math.isfinite(std(model, use))
        and not model.of("constant_weight", use.index)
    ]


def _looks_up_rows(model: Model, use: WeightUse) -> bool:
    """Whether a layer is given a 1 among zeros, as one of its codes is chosen."""
    mean, size = (model.of(f"given_{name}", use.index) for name in ("mean", "rms"))
    sums = (mean * model.fan_in(use.index), size**2 * model.fan_in(use.index))
    return not use.stem and all(abs(one - 1) < _ONE_HOT for one in sums)
