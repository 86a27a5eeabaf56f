"""The variance that a layer gives its outputs, and its inputs' gradients.

A fan that is right for a shape may be wrong for the layer: groups, strides and
transposed convolutions change how many weights a signal meets.
"""

import math

import numpy as np
import scipy.stats

from initlab.spec import LayerSpec
from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Target, input_shape, layer_of, propagate
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
)
TOLERANCE = 0.05
STANDARD_ERRORS = 6
FEWEST, MOST = 24, 1000
EXAMPLES = 16


def variances(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge both directions of a layer over enough draws for the tolerance."""
    outcomes = []
    # What is preserved first: the other direction only follows from it.
    first = law.mode == "fan_out"
    for backward in (first, not first):
        expected = law.variance_at(target, backward=backward)
        if expected is None:
            continue
        name = "backward variance" if backward else "forward variance"
        measured, error = _measure(
            sampler, target, factor, *path, name, backward=backward
        )
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
    sampler: Sampler,
    target: Target,
    factor: int,
    *path: str | int,
    backward: bool,
) -> tuple[float, float]:
    """Mean square of the outputs and its standard error, over fresh weights."""
    layer = layer_of(target)
    noise = sampler.stream(*path, "signal")
    shape = (EXAMPLES, *input_shape(layer, backward=backward))
    found: list[float] = []
    wanted = FEWEST * factor
    while len(found) < wanted:
        drawn = sampler.draws(target, wanted - len(found), *path, len(found))
        for weight in drawn:
            signal = noise.standard_normal(shape)
            outputs = propagate(layer, weight, signal, backward=backward)
            found.append(float(np.mean(outputs**2)))
        relative = float(np.std(found) / (np.mean(found) or 1.0))
        enough = (STANDARD_ERRORS * relative / TOLERANCE) ** 2
        wanted = max(wanted, min(MOST, math.ceil(factor * enough * 1.1)))
        if len(found) >= MOST:
            break
    return float(np.mean(found)), float(np.std(found) / math.sqrt(len(found)))
