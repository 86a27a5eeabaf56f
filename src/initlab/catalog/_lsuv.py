"""LSUV: weights scaled by what a network's layers put out for a batch of data.

The network is a function, so that this serves the lab's own networks and anybody's:

    >>> rng = np.random.default_rng(0)
    >>> inputs = rng.standard_normal((100, 3))
    >>> def forward(weights):
    ...     hidden = inputs @ weights["W1"].T
    ...     yield "W1", hidden
    ...     yield "W2", np.maximum(hidden, 0) @ weights["W2"].T
    >>> scaled = lsuv({"W1": np.ones((8, 3)), "W2": np.ones((2, 8))}, forward, rng=rng)
    >>> [(layer.name, layer.outcome, layer.attempts) for layer in scaled.layers]
    [('W1', 'scaled', 1), ('W2', 'scaled', 1)]
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from initlab.catalog._checks import Shape, checked_number
from initlab.catalog._draw import draw
from initlab.catalog._rng import Rng, Weight
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import Init

Forward = Callable[[dict[str, Any]], Iterable[tuple[str, Any]]]
Outcome = Literal["scaled", "not reached", "zero", "dead", "not finite", "unused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LsuvLayer:
    """What became of one layer.

    Attributes:
        name: Key of its weight.
        outcome: `"scaled"` to the tolerance; `"not reached"` after the last attempt;
            or left alone: `"zero"`, its weights were all 0; `"dead"`, its outputs are
            the same for every example; `"not finite"`; `"unused"`, the network did
            not run it.
        attempts: Divisions done.
        std_before: Standard deviation of its first outputs, before its first
            division; None where there is none.
        std_after: The same after the last division.
        later_stds: Of its further outputs in the finished network, if it is shared.
    """

    name: str
    outcome: Outcome
    attempts: int = 0
    std_before: float | None = None
    std_after: float | None = None
    later_stds: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lsuv:
    """Weights after LSUV, and what became of each layer.

    Attributes:
        weights: By name, in the order in which they were given.
        layers: In the order of execution, unused ones last.
    """

    weights: dict[str, Weight]
    layers: tuple[LsuvLayer, ...]


def lsuv(
    weights: Mapping[str, Any],
    forward: Forward,
    *,
    rng: Rng,
    start: str | Init | None = "orthogonal",
    shapes: Mapping[str, Shape] | None = None,
    tolerance: float = 0.1,
    attempts: int = 10,
) -> Lsuv:
    """Orthonormal weights, each divided by its layer's standard deviation on data.

    Layer after layer, in the order in which the network runs them, so that a layer is
    measured behind others that are finished already. Where biases or anything else
    between weight and output is not linear, one division may not do: it is measured
    again and repeated, always on the same layer. (The code that came with the paper
    goes on to another layer from the second attempt on, and follows the order in
    which layers were registered.)

    A layer that runs more than once, its weights shared, is scaled at its first run,
    by that run's outputs: later runs depend on layers that are not finished then.
    What they put out in the end is reported.

    A weight that is all 0 is meant to be 0 and left so. A layer that puts out the same
    for every example has no scale to divide by: it is left alone too, and reported.

    Args:
        weights: By name; read, never written to.
        forward: Runs the network on your batch with the weights that it is given, and
            gives `(name, outputs)` for every run of a layer, in order, before the
            activation; outputs are `(example, ...)`. A generator is read no further
            than necessary.
        rng: Where the start's numbers come from.
        start: Init of the start; None starts from the weights as given.
        shapes: Layers of some names, whose groups and packing the start shall know.
        tolerance: Of the standard deviation around 1; above 0.
        attempts: Divisions per layer, at most.

    Raises:
        InvalidValueError: If a weight, the tolerance or the number of attempts is not
            allowed, or `forward` gives no `(name, outputs)`.
        UnknownNameError: If `forward` names a layer that has no weight.

    References:
        Mishkin and Matas (2016), algorithm 1, https://arxiv.org/abs/1511.06422
    """
    checked_number("tolerance", tolerance, above=0.0)
    if attempts < 1:
        raise InvalidValueError(f"attempts: give 1 or more, got {attempts}")
    given = {name: _checked_weight(name, weight) for name, weight in weights.items()}
    current = {
        name: _started(name, weight, rng, start, shapes or {})
        for name, weight in given.items()
    }
    order = list(dict.fromkeys(name for name, _ in _runs(forward, current)))
    found = {}
    for name in order:
        if not given[name].any():
            found[name] = LsuvLayer(name=name, outcome="zero")
        else:
            found[name] = _scaled(name, current, forward, tolerance, attempts)
    later = _later_stds(forward, current)
    layers = [_with_later(found[name], later[name]) for name in order]
    unused = [name for name in given if name not in later]
    layers += [LsuvLayer(name=name, outcome="unused") for name in unused]
    return Lsuv(weights=current, layers=tuple(layers))


def _checked_weight(name: str, weight: Any) -> Weight:
    array = np.array(weight, dtype=np.float64)
    if array.ndim < 2 or not np.isfinite(array).all():
        raise InvalidValueError(
            f"weights[{name!r}]: give finite numbers of two axes or more, "
            f"got shape {array.shape}"
        )
    return array


def _started(
    name: str,
    weight: Weight,
    rng: Rng,
    start: str | Init | None,
    shapes: Mapping[str, Shape],
) -> Weight:
    if start is None or not weight.any():
        return weight
    return draw(start, shapes.get(name, weight.shape), rng=rng)


def _scaled(
    name: str,
    current: dict[str, Weight],
    forward: Forward,
    tolerance: float,
    attempts: int,
) -> LsuvLayer:
    """Divide one weight, in `current`, until its outputs have the deviation 1."""
    start = current[name]
    before = std = _first_std(name, current, forward)
    for attempt in range(attempts + 1):
        if isinstance(std, str):  # no scale to divide by
            current[name] = start
            return LsuvLayer(name=name, outcome=std)
        reached = abs(std - 1) < tolerance
        if reached or attempt == attempts:
            break
        with np.errstate(over="ignore"):
            divided = current[name] / std
        if not np.isfinite(divided).all():
            current[name] = start
            return LsuvLayer(name=name, outcome="not finite")
        current[name] = divided
        std = _first_std(name, current, forward)
    assert isinstance(before, float)
    assert isinstance(std, float)
    return LsuvLayer(
        name=name,
        outcome="scaled" if reached else "not reached",
        attempts=attempt,
        std_before=before,
        std_after=std,
    )


def _first_std(
    name: str, current: dict[str, Weight], forward: Forward
) -> float | Literal["dead", "not finite"]:
    """Return the deviation of a layer's first outputs, or why there is none."""
    for run, outputs in _runs(forward, current):
        if run == name:
            return _std(outputs)
    raise InvalidValueError(
        f"forward: ran {name!r} once and then no more; it must run the same layers "
        "every time"
    )


def _std(outputs: Any) -> float | Literal["dead", "not finite"]:
    array = np.asarray(outputs)
    values = array.astype(np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        return "not finite"
    # Constant but for rounding, over examples or, of a single one, over units.
    differences = values - (values[:1] if len(values) > 1 else values.mean())
    largest = float(abs(values).max())
    precision = np.finfo(array.dtype if array.dtype.kind == "f" else np.float64).eps
    if float(abs(differences).max()) <= 8 * float(precision) * largest:
        return "dead"
    with np.errstate(over="ignore"):
        std = largest * float((values / largest).std())
    return std if math.isfinite(std) and std > 0 else "not finite"


def _later_stds(
    forward: Forward, current: dict[str, Weight]
) -> dict[str, list[float | None]]:
    stds: dict[str, list[float | None]] = {}
    for name, outputs in _runs(forward, current):
        std = _std(outputs)
        stds.setdefault(name, []).append(None if isinstance(std, str) else std)
    return {name: found[1:] for name, found in stds.items()}


def _with_later(layer: LsuvLayer, later: list[float | None]) -> LsuvLayer:
    return LsuvLayer(
        name=layer.name,
        outcome=layer.outcome,
        attempts=layer.attempts,
        std_before=layer.std_before,
        std_after=layer.std_after,
        later_stds=tuple(later),
    )


def _runs(
    forward: Forward, current: dict[str, Weight]
) -> Iterable[tuple[str, np.ndarray]]:
    """Yield what `forward` gives for copies of the weights, its form checked."""
    copies = {name: weight.copy() for name, weight in current.items()}
    for run in forward(copies):
        if not isinstance(run, tuple) or len(run) != 2:
            raise InvalidValueError(
                f"forward: give (name, outputs) for every run of a layer, got "
                f"{type(run).__name__}"
            )
        if run[0] not in current:
            raise UnknownNameError("layer", str(run[0]), current)
        yield run
