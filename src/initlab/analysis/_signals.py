"""What signals at initialization say about an init: one verdict, with its numbers."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from initlab.activations import ACTIVATIONS
from initlab.analysis.statistics import Summary, summarize
from initlab.messages import VerdictId
from initlab.spec import signal_study_from_toml

# Sums of ln chi over the depth. Of 648 random plain networks, all 196 beyond 12 failed
# with gradient descent, and 108 of them with Adam; from 6 to 12 it was 73 and 11 of 144
# (docs/trainability.md).
HARD, DOUBTFUL, LEVEL = 12.0, 6.0, 1.0
# From here on, chi_1 is 1 but for rounding.
_CRITICAL_WITHIN = 1e-6
_ALIKE = 0.99
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalVerdict:
    """What one init does to signals; `initlab.messages` has the sentence for each id.

    Attributes:
        init: Its label.
        id: Of the verdict.
        evidence: The numbers that the sentence shows.
        norm_factor: Gradient norm of the first layer's pre-activations over the last's,
            over members.
        activation_ratio: Root mean square of the last hidden layer's activations over
            the first's, over members.
        cosine: Of two examples in the last hidden layer, over members.
    """

    init: str
    id: VerdictId
    evidence: dict[str, Any]
    norm_factor: Summary
    activation_ratio: Summary
    cosine: Summary


def signal_verdicts(signals: xr.Dataset) -> list[SignalVerdict]:
    """Return one verdict per init, in their order.

    Example:
        >>> from initlab.spec import MLP
        >>> from initlab.study import signal
        >>> signals = signal(MLP(widths=(50,) * 41), ["he_normal", "torch_default"])
        >>> [verdict.id for verdict in signal_verdicts(signals)]
        ['critical', 'vanishing_gradient']
    """
    candidates = json.loads(signals.attrs["critical_inits"])
    return [
        _verdict(signals.isel(init=i, step=0), candidates)
        for i in range(signals.sizes["init"])
    ]


def _verdict(one: xr.Dataset, candidates: list[str]) -> SignalVerdict:
    chi = one["chi"].values[:, :-1]
    logs = np.log(_positive(chi))
    totals = logs.sum(axis=1)
    # The floor is for logarithms: a gradient that is 0 stays 0.
    factors = np.where((chi == 0).any(axis=1), 0.0, np.exp(totals / 2))
    chi_1 = float(one["chi_1"])
    budget = float(np.median(totals))
    evidence = {
        "layers": one.sizes["layer"],
        "chi": float(np.exp(np.median(logs.mean(axis=1)))) if logs.size else 1.0,
        "norm_factor": float(np.exp(budget / 2)),
        "chi_1": chi_1,
        "critical_inits": [
            name for name in candidates if name != str(one["init"].values)
        ],
    }
    hidden = one["activation_rms"].values[:, : max(1, one.sizes["layer"] - 1)]
    last = min(one.sizes["layer"] - 1, hidden.shape[1] - 1)
    cosines = one["cosine"].values[:, last]
    found, more = _judged(one, budget, chi_1, hidden, cosines)
    return SignalVerdict(
        init=str(one["init"].values),
        id=found,
        evidence=evidence | more,
        norm_factor=summarize(factors, worst=np.inf),
        activation_ratio=summarize(_ratio(hidden[:, -1], hidden[:, 0]), worst=np.inf),
        cosine=summarize(cosines, worst=np.inf),
    )


def _judged(
    one: xr.Dataset,
    budget: float,
    chi_1: float,
    hidden: np.ndarray,
    cosines: np.ndarray,
) -> tuple[VerdictId, dict[str, Any]]:
    """Return the strongest verdict's id, and what else its sentence shows."""
    units = one["units"].values[:-1]
    distinct = one["distinct_units"].values[:, :-1]
    alike = (distinct == 1).all(axis=0) & (units > 1)
    if not np.isfinite(one["activation_rms"].values).all():
        return "not_finite", {}
    if alike.any():
        layer = int(alike.argmax())
        return "symmetric_units", {"layer": layer + 1, "units": int(units[layer])}
    if not (hidden[:, -1] > 0).any():
        layer = int((hidden == 0).all(axis=0).argmax())
        return "no_signal", {"layer": layer + 1}
    if one.sizes["layer"] == 1:
        return "single_layer", {}
    saturated = np.median(one["saturated_share"].values[:, :-1], axis=0)
    study = signal_study_from_toml(one.attrs["spec"])
    levels_off = ACTIVATIONS[study.network.activation].saturates
    if levels_off and len(saturated) and saturated.mean() > _MOSTLY:
        layer = int(saturated.argmax())
        share = float(saturated[layer])
        return "saturated_units", {"layer": layer + 1, "saturated_share": share}
    if abs(budget) > HARD:
        return ("exploding_gradient" if budget > 0 else "vanishing_gradient"), {}
    if abs(budget) > DOUBTFUL:
        return ("growing_gradient" if budget > 0 else "shrinking_gradient"), {}
    if abs(chi_1 - 1) < _CRITICAL_WITHIN or (np.isnan(chi_1) and abs(budget) < LEVEL):
        return "critical", {}
    cosine = float(np.median(cosines))
    inputs = float(one["input_cosine"]) if "input_cosine" in one else 0.0
    if inputs > _ALIKE and cosine > _ALIKE:
        return "alike_inputs", {"cosine": cosine, "input_cosine": inputs}
    if cosine > _ALIKE:
        return "alike_examples", {"cosine": cosine}
    return ("chaotic" if budget > 0 else "ordered"), {}


def _ratio(last: np.ndarray, first: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):  # of infinite signals: nan
        return last / _positive(first)


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.finfo(np.float64).tiny)
