"""The variance that a layer gives its outputs, and its inputs' gradients.

A fan that is right for a shape may be wrong for the layer: groups, strides and
transposed convolutions change how many weights a signal meets.
"""

import math
from collections.abc import Callable

import numpy as np
import scipy.stats

from initlab.spec import LayerSpec
from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import (
    Array,
    Target,
    input_shape,
    layer_of,
    propagate_each,
)
from initlab.testing._report import Outcome

SHAPES: tuple[tuple[int, ...], ...] = ((96, 60), (60, 96), (20, 12, 5), (12, 16, 3, 3))


def _conv(*shape: int, **parts: object) -> LayerSpec:
    return LayerSpec.model_validate({"kind": "conv", "shape": shape, **parts})


LAYERS: tuple[LayerSpec, ...] = (
    LayerSpec(shape=(96, 60)),
    LayerSpec(shape=(60, 96)),
    _conv(20, 12, 5),
    _conv(12, 16, 3, 3),
    _conv(16, 12, 3, 3, stride=(2, 2)),
    _conv(12, 16, 5, stride=(3,)),
    _conv(12, 10, 3, 3, dilation=(2, 1)),
    _conv(24, 4, 3, 3, groups=6),
    _conv(36, 1, 5, 5, groups=36),
    _conv(32, 8, 3, 3, transposed=True),
    _conv(8, 32, 3, 3, transposed=True),
    _conv(16, 12, 4, 4, stride=(2, 2), transposed=True),
    _conv(12, 16, 3, 3, stride=(2, 1), transposed=True),
    _conv(24, 3, 3, 3, groups=4, transposed=True),
    _conv(10, 6, 3, 2, 3),
    LayerSpec(shape=(120, 30), packed=4),
)
TOLERANCE = 0.05
STANDARD_ERRORS = 6
FEWEST, MOST = 24, 1000
# Weights that are in memory at once.
TOGETHER = 64


def variances(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge both directions of a layer over enough draws for the tolerance."""
    outcomes = []
    drawn: list[Array] = []

    def weights(start: int) -> Array:
        """The draws from there on, at most `TOGETHER`: the same for both directions."""
        if start == sum(map(len, drawn)):
            count = TOGETHER if drawn else FEWEST
            drawn.append(sampler.draws(target, count, *path, start))
        return drawn[0 if start == 0 else 1 + (start - FEWEST) // TOGETHER]

    # What is preserved first: the other direction only follows from it.
    first = law.mode == "fan_out"
    for backward in (first, not first):
        expected = law.variance_at(target, backward=backward)
        if expected is None:
            continue
        name = "backward variance" if backward else "forward variance"
        noise = sampler.stream(*path, name)
        measured, error = _measure(weights, target, noise, factor, backward=backward)
        deviation = measured / expected - 1 if expected else measured
        z = deviation * expected / error if error else math.inf * abs(deviation)
        within = abs(deviation) <= TOLERANCE
        outcomes.append(
            Outcome(
                name=name,
                where=target,
                measured=measured,
                expected=expected,
                p=1.0 if within else float(2 * scipy.stats.norm.sf(abs(z))),
                detail=f"{100 * deviation:+.1f} %, tolerance {100 * TOLERANCE:g} %",
            )
        )
    return outcomes


def _measure(
    weights: Callable[[int], Array],
    target: Target,
    noise: np.random.Generator,
    factor: int,
    *,
    backward: bool,
) -> tuple[float, float]:
    """Mean square of the outputs and its standard error, over fresh weights."""
    found = np.empty(0)
    wanted = FEWEST * factor
    while len(found) < wanted:
        more = _mean_squares(weights(len(found)), target, noise, backward=backward)
        found = np.concatenate([found, more])
        relative = float(np.std(found) / (np.mean(found) or 1.0))
        enough = (STANDARD_ERRORS * relative / TOLERANCE) ** 2
        wanted = max(FEWEST * factor, min(MOST, math.ceil(factor * enough * 1.1)))
    return float(np.mean(found)), float(np.std(found) / math.sqrt(len(found)))


def _mean_squares(
    weights: Array, target: Target, noise: np.random.Generator, *, backward: bool
) -> Array:
    """Of each draw's outputs; packed matrices are layers of their own."""
    layer = layer_of(target)
    count, parts = len(weights), layer.packed
    first = layer.shape[0] // parts
    part = layer.model_copy(update={"shape": (first, *layer.shape[1:]), "packed": 1})
    shape = input_shape(part, backward=backward)
    # As many numbers as weights: neither then decides alone about the error.
    examples = max(2, math.ceil(math.prod(part.shape) / math.prod(shape)))
    signals = noise.standard_normal((count * parts, examples, *shape))
    split = weights.reshape(count * parts, *part.shape)
    outputs = propagate_each(part, split, signals, backward=backward)
    return np.mean(np.square(outputs).reshape(count, -1), axis=1)
