"""Checks of what arrives at the end: signals that grew, inputs that came out alike."""

import math
from collections.abc import Iterator, Sequence

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._flows import FEW_LAYERS
from initlab.analysis.findings._laws import (
    are_quiet,
    is_narrow,
    wanted_factor,
    weights_with_a_law,
)
from initlab.analysis.findings._model import Model
from initlab.spec import WeightUse

# Of what layers before gave: docs/check-calibration.md has healthy models' largest.
_JUMP_WARNING, _JUMP_ERROR, _LOUD = 1e2, 1e4, 10.0
# The least of 307 public models is .02, but for one with products of tables of 1e-4.
_LOST_WARNING, _LOST_ERROR = 1e-5, 1e-8
# Of what the inputs differ by; three layers are fewer than it takes to fade.
_FADED, _FEWEST = 0.05, 3
# Thirty layers of He's weights under ReLU reach 0.994, and train.
_ALIKE, _CERTAINLY_ALIKE, _ALIKE_INPUTS = 0.998, 0.9999, 0.9


def loud_signals(model: Model) -> Iterator[Finding]:
    """WI09: between two layers a signal grows as no layer makes it grow."""
    for use in model.uses:
        given = model.of("given_rms", use.index)
        if use.stem or use.norm_before or not given > _LOUD:
            continue
        loudest, size = _loudest_below(model, use)
        jump = given / size
        if not jump > _JUMP_WARNING:
            continue
        # What grew in a loop grew by the weight that is given its own outputs.
        below = [model.uses[number] for number in use.previous]
        loops = [u for u in below if u.calls > 1 and len({*u.layer.shape}) == 1]
        before = loops[0] if loops else loudest
        yield Finding(
            id="WI09", severity="error" if jump > _JUMP_ERROR else "warning",
            cause="loud_signal", module=before.module, parameter=before.parameter,
            measured=jump, expected=_JUMP_WARNING,
            evidence={"size": given, "after": use.parameter},
            places=(before.parameter, use.parameter),
        )  # fmt: skip
        return


def lost_signals(model: Model) -> Iterator[Finding]:
    """WI08: between two layers a signal is lost as no layer loses it."""
    for use in model.uses:
        given = model.of("given_rms", use.index)
        before, size = _loudest_below(model, use)
        if use.stem or use.gate or not 0 < given < _LOST_WARNING * size < math.inf:
            continue
        yield Finding(
            id="WI08", severity="error" if given < _LOST_ERROR * size else "warning",
            cause="lost_signal", module=before.module, parameter=before.parameter,
            measured=given / size, expected=_LOST_WARNING,
            evidence={"size": given, "after": use.parameter},
            places=(before.parameter, use.parameter),
        )  # fmt: skip
        return


def faded_networks(model: Model) -> Iterator[Finding]:
    """WI05: most weights are below any start in use, and next to nothing arrives.

    Where sums or concatenations join layers to no chain that has a budget. What is kept
    in a loop starts as quiet.
    """
    looped = any(use.role or use.calls > 1 for use in model.uses)
    if looped or any(norm.before for norm in model.facts.norms):
        return  # behind a norm, what is quiet is as loud as anything
    hidden = [use for use in weights_with_a_law(model) if not use.head]
    if len(hidden) < _FEWEST or not are_quiet(model, hidden):
        return
    # Branches may be quiet, as ESRGAN's are; it is their trunk that must lead on.
    trunk = [use for use in hidden if use.block is None]
    if not all(are_quiet(model, [use]) for use in trunk):
        return
    heads = [use for use in model.uses if use.head and not use.gate]
    arrives = max((_difference(model, use) for use in heads), default=math.nan)
    sent = max((_difference(model, use) for use in hidden if use.stem), default=0.0)
    if not arrives < _FADED * sent:
        return
    quiet = [use for use in hidden if are_quiet(model, [use])]
    first = quiet[0]
    yield Finding(
        id="WI05", severity="warning", cause="faded", module=first.module,
        parameter=first.parameter, measured=model.weight_factor(first.index),
        expected=wanted_factor(first),
        evidence={"arrives": arrives / sent, "layers": len(hidden)},
        places=tuple(use.parameter for use in quiet),
    )  # fmt: skip


def _difference(model: Model, use: WeightUse) -> float:
    """Return how far what a layer is given lies apart between examples, as an rms."""
    alike = model.of("given_cosine", use.index)
    size = model.of("given_rms", use.index)
    return size * math.sqrt(max(0.0, 1 - alike)) if alike <= 1 else size


def _loudest_below(model: Model, use: WeightUse) -> tuple[WeightUse, float]:
    """Return which use before gives the most, and how much; infinity of none."""
    sizes = {
        # Of a number and nan, in this order, the number is the larger one.
        below: max(given, model.of("activation_rms", below))
        for below in use.previous
        if (given := model.of("preactivation_rms", below)) > 0
    }
    if not sizes:
        return use, math.inf
    loudest = max(sizes, key=lambda below: sizes[below])
    return model.uses[loudest], sizes[loudest]


def alike_features(model: Model) -> Iterator[Finding]:
    """WI11: inputs that differ come out alike of the last hidden layer."""
    if model.facts.attentions:
        return
    found = False
    for chain in model.chains():
        hidden = [use for use in chain if not use.head]
        if len(hidden) > 1 and not hidden[-1].gate:
            for one in _alike(model, hidden, few=len(chain) <= FEW_LAYERS):
                found = True
                yield one
    way = _longest_way(model)
    plain = not any(use.gate or use.block is not None for use in way)
    if not found and plain and len(way) > FEW_LAYERS:
        # Averages over neighbours, say, join layers to no chain with a budget.
        yield from (
            one for one in _alike(model, way) if one.measured > _CERTAINLY_ALIKE
        )


def _alike(
    model: Model, hidden: Sequence[WeightUse], *, few: bool = False
) -> Iterator[Finding]:
    first, last = hidden[0], hidden[-1]
    before = model.of("given_cosine", first.index)
    after = model.of("centred_cosine", last.index)
    units = model.of("units", last.index)
    if not (before < _ALIKE_INPUTS and after > _ALIKE and units > 2):
        return
    sizes = [model.of("centred_cosine", use.index) for use in hidden]
    places = [u for u, size in zip(hidden, sizes, strict=True) if size > _ALIKE_INPUTS]
    collapsing = places[0] if places else last
    certain, narrow = after > _CERTAINLY_ALIKE, is_narrow(model, last)
    yield Finding(
        id="WI11",
        # As of AlexNet from PyTorch's start: biases drown the signal; it trains.
        severity="info" if few or (narrow and not certain) else
        "error" if certain else "warning",
        cause="alike_features", module=collapsing.module,
        parameter=collapsing.parameter, measured=after, expected=_ALIKE,
        evidence={"before": before, "layers": len(hidden), "last": last.parameter},
        places=tuple(use.parameter for use in hidden),
    )  # fmt: skip


def _longest_way(model: Model) -> list[WeightUse]:
    """Return the hidden layers on the longest way to the last head."""
    lengths: list[int] = []
    for use in model.uses:
        below = [lengths[b] for b in use.previous if b < use.index]
        lengths.append(1 + max(below, default=0))
    heads = [use for use in model.uses if use.head]
    if not heads:
        return []
    way = [heads[-1]]
    while before := [b for b in way[-1].previous if b < way[-1].index]:
        way.append(model.uses[max(before, key=lambda b: lengths[b])])
    return way[:0:-1]
