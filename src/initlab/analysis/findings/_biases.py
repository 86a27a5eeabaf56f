"""Checks of biases beside the signals that they are added to."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._heads import compares
from initlab.analysis.findings._laws import wanted_factor, weights_with_a_law
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._ways import ends_in_linear_layers
from initlab.spec import WeightUse

# Next to the root of a batch normalization's usual epsilon, 3e-3, what is left of it.
_EPSILON = 1e-3
# With biases of 10 to 30 times the rest, before a norm or a head, a stranger's networks
# fell far behind; of 307 public models none starts with biases over 0.4.
_DROWNING, _LOUD_BIAS = 10.0, 2.0
# The same number in all units, as 8 where signals are 1, is loud in all layers above.
_OF_ONE_SIGN = 5.0
# Behind betas of 4 times the factor a stranger's transformers and cells lost a quarter
# to nine tenths of what they learn.
_DROWNING_BETA = 3.5
_GATES = frozenset({"sigmoid", "tanh", "hardsigmoid", "hardtanh", "glu"})
# Of fan_in times the weights' variance; every scheme's is over a hundred times as much.
_NO_WEIGHT = 1e-4
_BENT = frozenset(
    {"relu", "relu6", "leaky_relu", "gelu", "silu", "elu", "selu", "mish"}
)


def drowning_biases(model: Model) -> Iterator[Finding]:
    """WI07: a bias or a beta far larger than what it is added to."""
    if model.facts.trained:
        return
    ratios = {
        use.bias or "": ratio for use, ratio in _drowned(model).items()
        if model.of("bias_rms", use.index) > _LOUD_BIAS
    }  # fmt: skip
    every = model.facts.norms
    gates = {
        every[use.norm_after].beta for use in model.uses
        if use.activation in _GATES and use.norm_after is not None
    }  # fmt: skip
    for norm in every:
        # Gates may start open or shut.
        times = _DROWNING if norm.beta in gates else _DROWNING_BETA
        least = max(_LOUD_BIAS, times * norm.gamma_rms)
        if norm.beta and norm.gamma_rms > 0 and norm.beta_rms > least:
            ratios[norm.beta] = norm.beta_rms / norm.gamma_rms
    if ratios:
        first = next(iter(ratios))
        worst = max(ratios.values())
        yield Finding(
            id="WI07", severity="error" if worst > _DROWNING**2 else "warning",
            cause="bias_drowns", module=first.rpartition(".")[0], parameter=first,
            measured=ratios[first], expected=_DROWNING, places=tuple(ratios),
        )  # fmt: skip


def quiet_weights(model: Model) -> Iterator[Finding]:
    """WI05: weights so small that a bias of a usual size is all that a layer gives.

    Where most are as small it is meant, as in DeepCTR's models, or another fault.
    """
    found = {
        use: ratio for use, ratio in _drowned(model).items()
        if model.of("bias_rms", use.index) <= _LOUD_BIAS
        and use.block is None  # beside a skip, a quiet part is a choice
        and model.weight_factor(use.index) < _NO_WEIGHT
    }  # fmt: skip
    hidden = [use for use in weights_with_a_law(model) if not use.head]
    if 0 < len(found) < len(hidden) / 2 and not model.facts.trained:
        first = next(iter(found))
        factors = {u: wanted_factor(u) / model.weight_factor(u.index) for u in found}
        yield Finding(
            id="WI05", severity="warning", cause="quiet_beside", module=first.module,
            parameter=first.parameter, measured=1 / found[first], expected=1.0,
            evidence={
                "beside": first.bias,
                "ratios": {u.parameter: math.sqrt(f) for u, f in factors.items()},
            },
            places=tuple(use.parameter for use in found),
        )  # fmt: skip


def deaf_cells(model: Model) -> Iterator[Finding]:
    """WI05: cells whose inputs are next to nothing beside biases of a usual size."""
    found = {
        use: size / signal
        for use in model.fresh()
        if use.role == "input" and use.bias
        and 0 < model.weight_factor(use.index) < _NO_WEIGHT
        and (signal := model.of("given_rms", use.index)
             * math.sqrt(model.weight_factor(use.index))) > 0
        and (size := model.of("bias_rms", use.index)) > _DROWNING * signal
    }  # fmt: skip
    if found:
        first = next(iter(found))
        yield Finding(
            id="WI05", severity="warning", cause="quiet_beside", module=first.module,
            parameter=first.parameter, measured=1 / found[first], expected=1.0,
            evidence={"beside": first.bias, "ratios": {
                use.parameter: model.weight_factor(use.index) ** -0.5 for use in found
            }},
            places=tuple(use.parameter for use in found),
        )  # fmt: skip


def _drowned(model: Model) -> dict[WeightUse, float]:
    """Return the layers of which a bias makes most, with its ratio to the signal."""
    found: dict[WeightUse, float] = {}
    for use in model.fresh():
        size = model.of("bias_rms", use.index)
        signal = model.of("given_rms", use.index) * math.sqrt(
            model.weight_factor(use.index)
        )
        heard = use.bias and signal > 0 and _carries_on(model, use, signal)
        of_one_sign = abs(model.of("bias_mean", use.index)) > 0.9 * size
        if heard and size > (_OF_ONE_SIGN if of_one_sign else _DROWNING) * signal:
            found[use] = size / signal
    return found


def _carries_on(model: Model, use: WeightUse, signal: float) -> bool:
    """Whether a layer passes a signal on, in which its bias has no part to play.

    In front of a gate, a step's size or a sine it says where these start. A batch
    normalization takes off what is the same in all examples, and brings back a signal
    that its epsilon does not drown.
    """
    given = use.given_out or (use.head and not use.normed)
    if given or use.gate or use.role or _says_a_prior(model, use):
        return False
    plain = use.activation == "identity"
    averaged = (
        use.normed
        and signal > _EPSILON
        and any(
            norm.kind == "batch_norm" and use.index in norm.before
            for norm in model.facts.norms
        )
    )
    return (use.activation in _BENT or plain) and not averaged


def _says_a_prior(model: Model, use: WeightUse) -> bool:
    """Whether a bias starts outputs where targets are, by linear layers at most."""
    output = model.facts.output
    nothing_known = math.log(2) if output.loss_binary else output.prior_loss
    # The variance is what a regression at its targets' mean has left.
    limit = 2 * nothing_known if compares(output) else nothing_known
    return output.loss < limit and ends_in_linear_layers(model, use)
