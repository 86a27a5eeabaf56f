"""Which slip explains wrong weights: hypotheses, tried until one gives those numbers.

A hypothesis says how the numbers were drawn; dividing by its draw must leave one
factor per layer. Which formula gives these factors is then a second question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from initlab.lesson.grader._scales import formulas

Shape = tuple[int, int]
Draw = Callable[[np.random.RandomState, Shape], np.ndarray]

# Products and quotients of the same numbers in another order differ by a few ulp.
SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hypothesis:
    """A way of drawing that is not the lesson's, and how to say so."""

    layers: Callable[[Sequence[Shape]], list[np.ndarray]]
    sentence: str


def _once(draw: Draw, seed: int = 3) -> Callable[[Sequence[Shape]], list[np.ndarray]]:
    def layers(shapes: Sequence[Shape]) -> list[np.ndarray]:
        rng = np.random.RandomState(seed)
        return [draw(rng, shape) for shape in shapes]

    return layers


def _randn(rng: np.random.RandomState, shape: Shape) -> np.ndarray:
    return rng.randn(*shape)


def _reseeded(shapes: Sequence[Shape]) -> list[np.ndarray]:
    return [np.random.RandomState(3).randn(*shape) for shape in shapes]


def _seeds_by_layer(shapes: Sequence[Shape]) -> list[np.ndarray]:
    return [
        np.random.RandomState(3 + number).randn(*shape)
        for number, shape in enumerate(shapes)
    ]


def _backwards(shapes: Sequence[Shape]) -> list[np.ndarray]:
    rng = np.random.RandomState(3)
    return [rng.randn(*shape) for shape in reversed(shapes)][::-1]


def _biases_after(shapes: Sequence[Shape]) -> list[np.ndarray]:
    rng = np.random.RandomState(3)
    drawn = []
    for shape in shapes:
        drawn.append(rng.randn(*shape))
        rng.randn(shape[0], 1)
    return drawn


def _biases_before(shapes: Sequence[Shape]) -> list[np.ndarray]:
    rng = np.random.RandomState(3)
    drawn = []
    for shape in shapes:
        rng.randn(shape[0], 1)
        drawn.append(rng.randn(*shape))
    return drawn


def _modern(shapes: Sequence[Shape]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.standard_normal(shape) for shape in shapes]


def _modern_uniform(shapes: Sequence[Shape]) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.random(shape) for shape in shapes]


_DREW = "other numbers than the lesson's: "
_HYPOTHESES: tuple[_Hypothesis, ...] = (
    _Hypothesis(layers=_once(_randn), sentence=""),
    _Hypothesis(
        layers=_once(lambda rng, shape: rng.rand(*shape)),
        sentence="you used rand: uniform values in [0, 1); the lesson asks randn",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: rng.rand(*shape) - 0.5),
        sentence="you used rand - 0.5: uniform values; the lesson asks randn",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: rng.uniform(-1, 1, shape)),
        sentence="you used uniform values around 0; the lesson asks randn (normal)",
    ),
    _Hypothesis(
        layers=_reseeded,
        sentence="the seed is set again for every layer, so that layers start with "
        "the same numbers; set it once, before the loop",
    ),
    _Hypothesis(
        layers=_biases_after,
        sentence=_DREW + "the biases are drawn too, which uses up numbers of the "
        "stream; b is np.zeros",
    ),
    _Hypothesis(
        layers=_biases_before,
        sentence=_DREW + "the biases are drawn too, before the weights; b is np.zeros",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: rng.randn(shape[1], shape[0]).T),
        sentence="W is drawn transposed, with shape (n_prev, n), and then turned: the "
        "same numbers in other places; draw it as (n, n_prev)",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: rng.randn(shape[1], shape[0]).reshape(shape)),
        sentence="",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: np.abs(rng.randn(*shape))),
        sentence="all weights are positive (absolute values); randn has both signs",
    ),
    _Hypothesis(
        layers=_once(lambda rng, _: np.full(_, rng.randn())),
        sentence="one number is drawn per layer and put everywhere: every unit starts "
        "the same; draw randn(n, n_prev)",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: np.tile(rng.randn(1, shape[1]), (shape[0], 1))),
        sentence="one row is drawn per layer and repeated: all units are copies of "
        "each other; draw randn(n, n_prev)",
    ),
    _Hypothesis(
        layers=_once(lambda rng, shape: np.tile(rng.randn(shape[0], 1), (1, shape[1]))),
        sentence="one column is drawn per layer and repeated: a unit's weights are all "
        "the same; draw randn(n, n_prev)",
    ),
    _Hypothesis(
        layers=_backwards,
        sentence="the layers are drawn in reverse order; the lesson begins with W1",
    ),
    _Hypothesis(
        layers=_seeds_by_layer,
        sentence="each layer has a seed of its own; set the seed 3 once, before the "
        "loop",
    ),
    _Hypothesis(
        layers=_modern,
        sentence="default_rng(3) gives other numbers than the lesson's "
        "np.random.seed(3) with randn",
    ),
    _Hypothesis(
        layers=_modern_uniform,
        sentence="default_rng(3).random is uniform, and another generator; the lesson "
        "asks np.random.seed(3) with randn",
    ),
    *(
        _Hypothesis(
            layers=_once(draw, seed),
            sentence=f"the seed is {seed}; the lesson's is 3{more}",
        )
        for draw, more in (
            (_randn, ""),
            (lambda rng, shape: rng.rand(*shape), ", and it asks randn, not rand"),
        )
        for seed in (0, 1, 2, 4, 5, 7, 10, 13, 33, 42, 100, 123, 1234, 2024)
    ),
)


def explain(
    name: str, layers_dims: Sequence[int], weights: Sequence[np.ndarray]
) -> str:
    """Return the slip that gives exactly these weights, or "".

    Args:
        name: `"random"` or `"he"`.
        layers_dims: Of a network whose layers differ in size and have many weights.
        weights: W1, W2, ... as they came, of the right shapes.
    """
    dims = list(layers_dims)
    shapes = [(n, prev) for prev, n in pairwise(dims)]
    for hypothesis in _HYPOTHESES:
        drawn = hypothesis.layers(shapes)
        factors = [_factor(w, d) for w, d in zip(weights, drawn, strict=True)]
        if all(factor is not None for factor in factors):
            how = _formula(name, dims, [float(factor or 0) for factor in factors])
            return "; ".join(part for part in (hypothesis.sentence, how) if part)
    return _transformed(name, dims, weights)


def _factor(weight: np.ndarray, drawn: np.ndarray) -> float | None:
    """Return the one factor between the two, if there is one."""
    place = np.unravel_index(np.argmax(np.abs(drawn)), drawn.shape)
    factor = float(weight[place] / drawn[place])
    tolerance = SAME * max(abs(factor), 1e-12) * float(np.abs(drawn).max())
    if factor == 0 or not np.allclose(weight, factor * drawn, rtol=0, atol=tolerance):
        return None
    return factor


def _formula(name: str, dims: list[int], factors: list[float]) -> str:
    layers = range(1, len(dims))
    right = [10.0 if name == "random" else float(np.sqrt(2 / n)) for n in dims[:-1]]
    if np.allclose(factors, right, rtol=SAME):
        return ""
    for text, factor in formulas(name):
        values = [factor(dims, layer) for layer in layers]
        if np.allclose(factors, values, rtol=SAME):
            return text
    wrong = [
        n for n in layers if not np.isclose(factors[n - 1], right[n - 1], rtol=SAME)
    ]
    first = wrong[0]
    if len(wrong) < len(factors):
        which = ", ".join(f"W{n}" for n in wrong)
        return (
            f"the scale is right but for {which}: there it is {factors[first - 1]:.4g} "
            f"instead of {right[first - 1]:.4g}"
        )
    return (
        f"the scale of W{first} is {factors[first - 1]:.4g} times randn instead of "
        f"{right[first - 1]:.4g}"
    )


def _transformed(name: str, dims: list[int], weights: Sequence[np.ndarray]) -> str:
    """Return what was done to the lesson's weights, or what the numbers look like."""
    rng = np.random.RandomState(3)
    drawn = [rng.randn(n, prev) for prev, n in pairwise(dims)]
    scales = [10.0 if name == "random" else np.sqrt(2 / n) for n in dims[:-1]]
    right = [d * s for d, s in zip(drawn, scales, strict=True)]
    pairs = list(zip(weights, right, strict=True))
    for draws, how in ((drawn, "numbers of randn"), (right, "scaled weights")):
        offsets = [w - d for w, d in zip(weights, draws, strict=True)]
        if all(np.ptp(each) <= SAME * (1 + np.abs(each).max()) for each in offsets):
            return (
                f"{how} are shifted: a number is added or subtracted "
                f"({offsets[0].flat[0]:.4g} in W1); the scale is a factor: multiply"
            )
    if not any(np.any(w) for w in weights):
        return (
            "all weights are zero: is the scale an integer division (//), or are the "
            "drawn numbers not used?"
        )
    for decimals in range(6):
        if all(np.allclose(w, np.round(r, decimals), atol=1e-12) for w, r in pairs):
            return f"the weights are rounded to {decimals} decimals"
    if all(np.allclose(np.sort(w, axis=None), np.sort(r, axis=None)) for w, r in pairs):
        return "the right numbers in other places: sorted, shuffled or reshaped"
    if all(np.allclose(np.abs(w), np.abs(r)) for w, r in pairs):
        return "the right sizes with other signs: randn has both signs"
    limits = [float(np.abs(w).max()) for w in weights]
    if all(
        np.allclose(w, np.clip(r, -limit, limit))
        for (w, r), limit in zip(pairs, limits, strict=True)
    ):
        return f"the weights are clipped at {max(limits):.4g}"
    if all(np.allclose(w, r, rtol=1e-5) for w, r in pairs):
        return "the weights are the lesson's to single precision only: keep float64"
    same = np.isclose(*pairs[0])
    if 0.5 < same.mean() < 1:
        return (
            f"most values of W1 are the lesson's draws, {(~same).sum()} differ: were "
            "they drawn again, cut or replaced (truncated)?"
        )
    wrong = [n for n, (w, r) in enumerate(pairs, start=1) if not np.allclose(w, r)]
    if len(wrong) < len(pairs) and wrong[0] > 1:
        return (
            f"W1 is right, W{wrong[0]} is not: something else is drawn or seeded in "
            "between"
        )
    return _look(name, weights)


def _look(name: str, weights: Sequence[np.ndarray]) -> str:
    """Return what the numbers look like, from the largest weight."""
    largest = max(weights, key=lambda weight: weight.size)
    values = largest.ravel()
    if np.ptp(values) == 0:
        return (
            f"all entries of a weight are the same number ({values[0]:.4g}): every "
            "unit starts the same"
        )
    if (largest == largest[0]).all():
        return "all rows of a weight are the same: the units are copies of each other"
    if values.min() >= 0:
        return (
            f"no weight is negative (from {values.min():.3g} to {values.max():.3g}), "
            "as of rand: the lesson asks randn"
        )
    wanted = "10" if name == "random" else "sqrt(2/layers_dims[l-1])"
    return (
        f"the numbers are not those of np.random.seed(3) and randn times {wanted} "
        f"(their std is {values.std():.3g}); is the seed set inside, once, before the "
        "loop?"
    )


def explain_zeros(parameters: Mapping[str, np.ndarray]) -> str:
    """Return why these are not all zeros."""
    wrong = {name: values for name, values in parameters.items() if np.any(values)}
    name, values = next(iter(wrong.items()))
    if np.ptp(values) == 0:
        return f"{name} is filled with {values.flat[0]:.4g}; use np.zeros"
    if np.array_equal(values, np.eye(*values.shape)):
        return f"{name} is the identity matrix; use np.zeros"
    return f"{name} is random; this initialization is np.zeros everywhere"
