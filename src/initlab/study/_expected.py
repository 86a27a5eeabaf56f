"""What a wide network with these starting weights is expected to do, as arrays.

Weight variances are those of the init's law, so that a measured signal is compared with
what the catalog promises; where there is no law (a function of the user's), with those
of the weights that were drawn. Weights that are not random or not centred, and biases
that are all one number, have no expectation: nan.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import special

from initlab import catalog, theory
from initlab.activations import ACTIVATIONS
from initlab.engine import SATURATED_SLOPE, input_cosine
from initlab.errors import InvalidValueError
from initlab.spec import CALLABLE, Init, SignalStudy

# Named inits that a verdict may point to.
CANDIDATES = ("lecun_normal", "glorot_normal", "he_normal")
_PREDICTED = (
    "preactivation_rms", "activation_mean", "activation_std", "activation_rms",
    "delta_rms", "chi", "cosine", "centred_cosine", "gradient_norm", "saturated_share",
    "inactive_units",
)  # fmt: skip
# Where q goes to 0 or infinity, chi_1 is a limit that is reached to some digits only.
_CRITICAL_WITHIN = 1e-6
_QUANTILES = special.ndtri((np.arange(4096) + 0.5) / 4096)


def predictions(
    study: SignalStudy,
    weight_norm: Float[np.ndarray, "init member one layer"],
    bias_rms: Float[np.ndarray, "init member one layer"],
    x: Float[np.ndarray, "example feature"],
) -> dict[str, np.ndarray]:
    """Return the schema's predictions `(init, layer)`, bands and budgets.

    Args:
        study: What was measured.
        weight_norm: Of the weights that were drawn.
        bias_rms: Of the biases that were drawn.
        x: The inputs.
    """
    widths = np.array(study.network.widths)
    drawn = np.square(weight_norm).mean(axis=(1, 2)) / widths[1:]
    biases = np.square(bias_rms).mean(axis=(1, 2))
    rows = []
    for i, init in enumerate(study.inits):
        weights = _variances(study, init, drawn[i])
        rows.append(_expected(study, weights, biases[i], x))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def critical_candidates(study: SignalStudy) -> list[str]:
    """Return the named inits whose chi_1 is 1 in this network, deep inside."""
    zeros = np.zeros(study.network.layers)
    return [
        name
        for name in CANDIDATES
        if abs(_chi_1(study, _variances(study, Init(name=name), zeros), zeros) - 1)
        < _CRITICAL_WITHIN
    ]


def _chi_1(
    study: SignalStudy,
    weights: Float[np.ndarray, "layer"],
    biases: Float[np.ndarray, "layer"],
) -> float:
    """Return chi_1 where hidden layers lead, if they are all alike; nan otherwise."""
    inner, shifts = weights[1:-1], biases[:-1]
    if not len(inner) or np.ptp(inner) > 1e-9 * inner.max() or not inner.any():
        return float("nan")
    try:
        field = theory.mean_field(
            study.network.activation,
            weight_variance=float(inner[0]),
            bias_variance=float(shifts.mean()),
        )
    except InvalidValueError:  # beyond all variances that moments are known of
        return float("nan")
    return field.chi_1


def _variances(
    study: SignalStudy, init: Init, drawn: Float[np.ndarray, "layer"]
) -> Float[np.ndarray, "layer"]:
    """Return fan_in times the variance of an entry, per layer."""
    if init.name == CALLABLE:
        return drawn
    entry = catalog.get(init.name)
    if init.bias or not entry.random or not _is_centred(init):
        return np.full(len(drawn), np.nan)
    widths = study.network.widths
    assert widths is not None
    found = []
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        here = catalog.placed(init, first=layer == 1, last=layer == len(widths) - 1)
        std = entry.std((fan_out, fan_in), **here.parameters)
        found.append(std * init.scale)
    fans = np.array(widths[:-1])
    with np.errstate(over="ignore"):  # what overflows has no expectation
        return fans * np.square(np.array(found, dtype=np.float64))


def _is_centred(init: Init) -> bool:
    if init.name == "uniform":
        both = catalog.get("uniform").parameters | init.parameters
        return both["low"] == -float(both["high"])
    return not init.parameters.get("mean", 0.0)


def _expected(
    study: SignalStudy,
    weights: Float[np.ndarray, "layer"],
    biases: Float[np.ndarray, "layer"],
    x: Float[np.ndarray, "example feature"],
) -> dict[str, Any]:
    activation, inputs = study.network.activation, float(np.mean(x**2))
    variances = {"weight_variance": weights, "bias_variance": biases}
    if not (np.isfinite(weights).all() and inputs > 0):
        return _nothing(len(weights)) | variances
    chain = {"weight_variances": weights, "bias_variances": biases}
    with np.errstate(all="ignore"):  # what overflows has no expectation
        q = theory.layer_variances(activation, input_second_moment=inputs, **chain)
        if not np.isfinite(q).all():
            return _nothing(len(weights)) | variances
        signal = theory.predict_signal(
            activation,
            input_second_moment=inputs,
            input_cosine=float(np.clip(np.nan_to_num(input_cosine(x)), -1, 1)),
            **chain,
        )
        budget = theory.gradient_budget(signal.chi[:-1]) if len(q) > 1 else None
        return (
            {
                f"predicted_{name}": values
                for name, values in _layers(study, signal, inputs, len(x)).items()
            }
            | _bands(study, weights, q)
            | variances
            | {
                "chi_1": _chi_1(study, weights, biases),
                "gradient_budget": budget.sign * budget.largest if budget else 0.0,
                "correlation_budget": theory.correlation_budget(
                    activation, variances=q, **chain
                ),
            }
        )


def _layers(
    study: SignalStudy, signal: theory.Signal, inputs: float, examples: int
) -> dict[str, np.ndarray]:
    """Return the predictions of every layer; the last has no activation."""
    widths = np.array(study.network.widths)
    rms = np.sqrt(signal.variance)
    mean = np.append(signal.mean[:-1], 0.0)
    second = np.append(signal.second_moment[:-1], signal.variance[-1])
    std = np.append(signal.std[:-1], rms[-1])
    cosine = np.append(signal.cosine[:-1], signal.correlation[-1])
    centred = (cosine * second - mean**2) / std**2
    delta = np.sqrt(signal.gradient * widths[-1] / widths[1:])
    below = np.append(inputs, second[:-1])
    # Gradients of different examples have independent signs: their squares add up.
    squares = examples * widths[1:] * delta**2 * widths[:-1] * below
    found = (
        rms, mean, std, np.sqrt(second), delta, signal.chi, cosine, centred,
        np.sqrt(squares), _saturated(study, signal), _inactive(study, signal, examples),
    )  # fmt: skip
    return dict(zip(_PREDICTED, found, strict=True))


def _saturated(study: SignalStudy, signal: theory.Signal) -> np.ndarray:
    """Return the share of entries whose slope is under the limit, layer by layer."""
    activation = ACTIVATIONS[study.network.activation]
    limit = SATURATED_SLOPE * activation.steepest
    shares = [
        float(np.mean(abs(activation.derivative(np.sqrt(q) * _QUANTILES)) < limit))
        for q in signal.variance[:-1]
    ]
    return np.array([*shares, 0.0])


def _inactive(study: SignalStudy, signal: theory.Signal, examples: int) -> np.ndarray:
    """Return the units that are flat on every example: known for ReLU alone."""
    layers = len(signal.variance)
    if study.network.activation != "relu":
        return np.append(np.full(layers - 1, np.nan), 0.0)
    units = np.array(study.network.widths)[1:-1]
    shares = [
        theory.orthant_probability(max(float(each), 0.0), examples)
        for each in signal.correlation[:-1]
    ]
    return np.append(units * np.array(shares), 0.0)


def _bands(
    study: SignalStudy, weights: np.ndarray, variances: np.ndarray
) -> dict[str, np.ndarray]:
    """Return factors `(layer, end)` around squared activations and gradient norms."""
    chain = {
        "widths": np.array(study.network.widths)[1:],
        "weight_variances": weights,
        "variances": variances,
    }
    activation = study.network.activation
    of_z, of_a = theory.forward_log_variances(activation, **chain)
    forward = np.append(of_a[:-1], of_z[-1])
    backward = theory.backward_log_variances(activation, **chain)
    return {
        name: np.stack(theory.log_normal_band(scatter), axis=-1)
        for name, scatter in (("forward_band", forward), ("backward_band", backward))
    }


def _nothing(layers: int) -> dict[str, Any]:
    return (
        {f"predicted_{name}": np.full(layers, np.nan) for name in _PREDICTED}
        | {
            name: np.full((layers, 2), np.nan)
            for name in ("forward_band", "backward_band")
        }
        | dict.fromkeys(("chi_1", "gradient_budget", "correlation_budget"), np.nan)
    )
