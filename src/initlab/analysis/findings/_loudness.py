"""Checks of what is added or put side by side: one of it may drown the others."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter, is_matrix
from initlab.spec import ParameterReading, WeightUse

# Strangers' language models and vision transformers learn half as fast with positions
# 10 times as loud as words, a sixth with 20, and not at all with 40; of 307 public
# models none adds a louder one than the signal.
_DROWNS, _DROWNS_ERROR = 8.0, 300.0
# The same of sines of positions, which do not learn.
_DROWNS_FOR_EVER = 30.0
# Next to nothing beside tables and layers of any scheme.
_QUIET = 0.005
# With pixels from 0 to 255, behind whose patches positions were a 4,000th, a stranger's
# Perceiver was left with four times the loss.
_DROWNED, _UNSCALED = 0.01, 20.0
# Of 307 public models none concatenates a part of more than 2.6.
_LOUDER, _LOUD_PART = 30.0, 10.0
_LOUD_TOKEN = 5.0
# Share of what a layer gives that makes its bias the cause.
_MOSTLY = 0.7


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


def drowned_by_inputs(model: Model) -> Iterator[Finding]:
    """WI05: positions next to nothing, for inputs are pixels from 0 to 255, say.

    A normalization of the sum hides that from everything after it.
    """
    stems = [use for use in model.fresh() if use.stem and use.layer.kind != "embedding"]
    if not stems:
        return
    stem = max(stems, key=lambda use: model.of("given_rms", use.index))
    size = model.of("given_rms", stem.index)
    drowned = [
        p for p in model.facts.parameters
        if is_matrix(p) and not p.frozen and 0 < p.added_ratio < _DROWNED
        # Beside inputs of size 1 they would be heard.
        and p.added_ratio * size > _DROWNED
    ]  # fmt: skip
    if drowned and size > _UNSCALED:
        least = drowned[0].added_ratio
        yield Finding(
            id="WI05", severity="error" if least * _DROWNS_ERROR < 1 else "warning",
            cause="drowned_by_inputs", module=stem.module, parameter=drowned[0].name,
            measured=least, expected=1.0,
            evidence={"size": size}, places=tuple(p.name for p in drowned),
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


def drowned_neighbours(model: Model) -> Iterator[Finding]:
    """WI05: a part of a concatenation, as a class token, far louder than the others.

    Of a residual trunk that is for WI16 to say: CoaT's is concatenated in every block.
    """
    for use in model.fresh():
        if use.branch_end:
            continue
        ratio = model.of("beside_ratio", use.index)
        size = model.of("beside_rms", use.index)
        if not (ratio > _LOUDER and size > _LOUD_PART):
            continue
        if model.of("bias_rms", use.index) > _MOSTLY * size:
            continue  # what the bias does is said of the bias
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
