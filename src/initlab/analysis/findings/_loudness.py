"""Checks of what is added or put side by side: one of it may drown the others."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._heads import compares
from initlab.analysis.findings._laws import std, wanted_factor
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter
from initlab.analysis.findings._scales import weights_with_a_law
from initlab.analysis.findings._ways import ends_in_linear_layers
from initlab.spec import ParameterReading, WeightUse

# Strangers' language models and vision transformers learn half as fast with positions
# 10 times as loud as words, a sixth with 20, and not at all with 40; of 307 public
# models none adds a louder one than the signal.
_DROWNS, _DROWNS_ERROR = 8.0, 300.0
# Next to the root of a batch normalization's usual epsilon, 3e-3, what is left of it.
_EPSILON = 1e-3
# The same of sines of positions, which do not learn.
_DROWNS_FOR_EVER = 30.0
# Next to nothing beside tables and layers of any scheme.
_QUIET = 0.005
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
# Of 307 public models none concatenates a part of more than 2.6.
_LOUDER, _LOUD_PART = 30.0, 10.0
_LOUD_TOKEN = 5.0
# PyTorch's own tables have 1.
_LOUD_TABLE, _LOUD_BESIDE = 10.0, 3.0
# DeepCTR's tables, the quietest in public use, have 1e-4; most have .02 to 1. Bags of
# 3.5e-6 learned half as fast.
_QUIET_TABLE, _TABLE, _ADDS_LITTLE = 3e-5, 0.02, 10.0


def drowned_signals(model: Model) -> Iterator[Finding]:
    """WI05: positions or another table far louder than what they are added to."""
    if model.facts.trained:
        return
    for parameter in model.facts.parameters:
        ratio = parameter.added_ratio
        if parameter.frozen or not ratio > _DROWNS:
            continue
        quiet = _too_quiet(model, parameter)
        if quiet is not None:
            yield Finding(
                id="WI05", severity="error" if ratio > _DROWNS_ERROR else "warning",
                cause="quiet_beside", module=quiet.module, parameter=quiet.parameter,
                measured=1 / ratio, expected=1.0,
                evidence={
                    "ratio": ratio, "ratios": {quiet.parameter: ratio},
                    "beside": parameter.name,
                },
                places=(quiet.parameter, parameter.name),
            )  # fmt: skip
            continue
        yield Finding(
            id="WI05", severity="error" if ratio > _DROWNS_ERROR else "warning",
            cause="drowns_a_signal", module=parameter.name.rpartition(".")[0],
            parameter=parameter.name, measured=ratio, expected=1.0,
            evidence={"ratio": 1 / ratio}, places=(parameter.name,),
        )  # fmt: skip


def quiet_beside_constants(model: Model) -> Iterator[Finding]:
    """WI05: words or patches next to nothing beside positions that are no parameter."""
    found = {
        use: ratio for use in model.fresh()
        if (ratio := model.of("beside_constant", use.index)) > _DROWNS_FOR_EVER
        and not (use.head or use.given_out)
    }  # fmt: skip
    if found:
        first = max(found, key=lambda use: found[use])
        yield Finding(
            id="WI05", severity="error" if found[first] > _DROWNS_ERROR else "warning",
            cause="quiet_beside", module=first.module, parameter=first.parameter,
            measured=1 / found[first], expected=1.0,
            evidence={
                "beside": "a constant",
                "ratios": {use.parameter: ratio for use, ratio in found.items()},
            },
            places=tuple(use.parameter for use in found),
        )  # fmt: skip


def _too_quiet(model: Model, added: ParameterReading) -> WeightUse | None:
    """Return what makes the signal that a parameter of a usual size is added to.

    None if it is the parameter that is not of a usual size.
    """
    size = math.hypot(added.mean, added.std)
    signal = size / added.added_ratio
    if size > 1 or signal > _QUIET:
        return None
    made = {
        use: model.of("preactivation_rms", use.index)
        for use in model.fresh()
        if use.stem or use.layer.kind == "embedding"
    }
    near = [use for use, rms in made.items() if 0.5 < rms / signal < 2]
    return near[0] if near else None


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


def loud_tables(model: Model) -> Iterator[Finding]:
    """WI05: a table whose rows no scheme makes as large.

    Beside one that is others are named that are nearly as loud.
    """
    tables = [
        use for use in model.fresh()
        if use.layer.kind == "embedding" and not use.tied
        and std(model, use) > _LOUD_BESIDE
    ]  # fmt: skip
    loud = [use for use in tables if std(model, use) > _LOUD_TABLE]
    if loud:
        first = loud[0]
        found = [first, *(use for use in tables if use is not first)]
        yield Finding(
            id="WI05", severity="warning", cause="loud_table", module=first.module,
            parameter=first.parameter, measured=std(model, first), expected=1.0,
            evidence={"ratios": {u.parameter: 1 / std(model, u) for u in found}},
            places=tuple(dict.fromkeys(use.parameter for use in found)),
        )  # fmt: skip


def quiet_tables(model: Model) -> Iterator[Finding]:
    """WI05: a table of next to nothing, and nothing beside it that is louder.

    A normalization brings it back.
    """
    found = [
        use for use in model.fresh()
        if use.layer.kind == "embedding" and not use.tied
        and 0 < std(model, use) < _QUIET_TABLE
        and (_is_lost_on_a_trunk(model, use)
             or (not use.normed and _is_all_that_is_read(model, use)))
    ]  # fmt: skip
    if found:
        first = found[0]
        yield Finding(
            id="WI05", severity="warning", cause="quiet_table", module=first.module,
            parameter=first.parameter, measured=std(model, first),
            expected=_TABLE,
            evidence={
                "ratios": {use.parameter: _TABLE / std(model, use) for use in found}
            },
            places=tuple(use.parameter for use in found),
        )  # fmt: skip


def _is_lost_on_a_trunk(model: Model, table: WeightUse) -> bool:
    """Whether a trunk starts with what a table gives, and ends far louder."""
    size, blocks = model.of("preactivation_rms", table.index), model.facts.blocks
    starts = bool(blocks) and 0.5 < blocks[0].skip_rms / size < 2
    return starts and blocks[-1].sum_rms > _ADDS_LITTLE * size


def _is_all_that_is_read(model: Model, table: WeightUse) -> bool:
    readers = [one.index for one in model.uses if table.index in one.previous]
    size = model.of("preactivation_rms", table.index)
    return bool(readers) and all(
        0 < model.of("given_rms", reader) < _ADDS_LITTLE * size for reader in readers
    )


def drowned_neighbours(model: Model) -> Iterator[Finding]:
    """WI05: a part of a concatenation, as a class token, far louder than the others.

    Of a residual trunk that is for WI16 to say: CoaT's is concatenated in every block.
    """
    for use in model.fresh():
        if use.branch_end:
            continue
        ratio = model.of("beside_ratio", use.index)
        if not (ratio > _LOUDER and model.of("beside_rms", use.index) > _LOUD_PART):
            continue
        added = _made_by_hand(model, use)
        name = added or use.parameter
        yield Finding(
            id="WI05", severity="error" if ratio > _DROWNS_ERROR else "warning",
            cause="drowns_its_neighbours",
            module=added.rpartition(".")[0] if added else use.module,
            parameter=name, measured=ratio, expected=1.0,
            evidence={"ratio": 1 / ratio}, places=(name,),
        )  # fmt: skip
    for parameter in () if model.facts.trained else model.facts.parameters:
        ratio, size = parameter.beside_ratio, math.hypot(parameter.mean, parameter.std)
        if ratio > _DROWNS and size > _LOUD_TOKEN and not parameter.frozen:
            yield at_parameter(
                parameter, "WI05", "error" if ratio > _DROWNS_ERROR else "warning",
                "drowns_its_neighbours", measured=ratio, expected=1.0,
                evidence={"ratio": 1 / ratio}, places=(parameter.name,),
            )  # fmt: skip


def _made_by_hand(model: Model, use: WeightUse) -> str | None:
    """Return what makes a layer's part loud that left it quiet: what is added to it."""
    size = model.of("beside_rms", use.index)
    left = [model.of(f"{of}_rms", use.index) for of in ("preactivation", "activation")]
    if not all(math.isnan(rms) or rms < size / _LOUDER for rms in left):
        return None
    sizes = {
        p.name: math.hypot(p.mean, p.std) for p in model.facts.parameters
        if p.role in ("shift", "scale") and not p.frozen
    }  # fmt: skip
    loudest = max(sizes, key=lambda name: sizes[name], default=None)
    return loudest if loudest and sizes[loudest] > size / _LOUDER else None
