"""Generated problems in the plane; circles and moons are the classic lesson's own.

A generator maps `(count, noise, seed)` to points and labels. Train and test are two
calls with neighbouring seeds, so they follow one law and share no number.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from initlab.errors import DataError
from initlab.problems._data import Table
from initlab.rng import stream
from initlab.spec import Problem

Points = tuple[Float[np.ndarray, "example 2"], Int[np.ndarray, "example"]]

DEFAULT_EXAMPLES = 300

# Asking for more is a slip of the keyboard (or a test_fraction of nearly one), and
# would end as a machine out of memory.
MOST_EXAMPLES = 10_000_000

# Apart by about 6, so that three clusters of the default spread hardly overlap.
BLOB_CENTERS = ((0.0, 3.0), (-3.0, -2.0), (3.0, -2.0))


def circles(count: int, noise: float, seed: int) -> Points:
    """Two rings, one inside the other."""
    from sklearn.datasets import make_circles

    return make_circles(n_samples=count, noise=noise, random_state=seed)


def moons(count: int, noise: float, seed: int) -> Points:
    """Two half rings that reach into each other."""
    from sklearn.datasets import make_moons

    return make_moons(n_samples=count, noise=noise, random_state=seed)


def spirals(count: int, noise: float, seed: int) -> Points:
    """Two arms of one and a half turns, wound around each other."""
    rng = stream(seed, "problem", "spirals")
    y = rng.permutation(np.arange(count) % 2)
    radius = rng.uniform(0.1, 1.0, count)
    angle = 3 * np.pi * radius + np.pi * y
    x = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return x + noise * rng.standard_normal(x.shape), y


def xor(count: int, noise: float, seed: int) -> Points:
    """Four squares; the class is 1 where the coordinates differ in sign."""
    rng = stream(seed, "problem", "xor")
    y = rng.permutation(np.arange(count) % 2)
    x = rng.uniform(0.1, 1.0, (count, 2)) * rng.choice([-1.0, 1.0], (count, 1))
    x[:, 1] *= 1 - 2 * y
    return x + noise * rng.standard_normal(x.shape), y


def blobs(count: int, noise: float, seed: int) -> Points:
    """Three round clusters with fixed centers."""
    from sklearn.datasets import make_blobs

    x, y = make_blobs(
        n_samples=count,
        centers=np.array(BLOB_CENTERS),
        cluster_std=noise,
        random_state=seed,
    )
    return x, y


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """A row of the table of generated problems."""

    draw: Callable[[int, float, int], Points]
    noise: float
    classes: tuple[str, ...]


GENERATORS = {
    "circles": Generator(draw=circles, noise=0.05, classes=("outer", "inner")),
    "moons": Generator(draw=moons, noise=0.05, classes=("upper", "lower")),
    "spirals": Generator(draw=spirals, noise=0.05, classes=("arm 1", "arm 2")),
    "xor": Generator(draw=xor, noise=0.05, classes=("same sign", "other sign")),
    "blobs": Generator(draw=blobs, noise=1.0, classes=("top", "left", "right")),
}


def generate(problem: Problem, label: str) -> Table:
    """Return the training examples of a generated problem, then its test examples.

    Args:
        problem: Names one of `GENERATORS`.
        label: How messages name the problem.

    Raises:
        DataError: If there are too few examples for every class, or absurdly many, or
            if the noise leaves the range of float64.
    """
    generator = GENERATORS[problem.name]
    noise = generator.noise if problem.noise is None else problem.noise
    trained = problem.examples or DEFAULT_EXAMPLES
    tested = trained * problem.test_fraction / (1 - problem.test_fraction)
    if trained < len(generator.classes):
        raise DataError(
            f"{label}: examples must be at least {len(generator.classes)}, one of each "
            f"class, got {trained}"
        )
    if trained + tested > MOST_EXAMPLES:
        raise DataError(
            f"{label}: at most {MOST_EXAMPLES} examples are generated, got examples "
            f"{trained} and test_fraction {problem.test_fraction}"
        )
    with np.errstate(over="ignore"):  # refused below
        parts = [generator.draw(trained, noise, problem.seed)]
        if round(tested):
            parts.append(generator.draw(round(tested), noise, problem.seed + 1))
    x = np.concatenate([part[0] for part in parts])
    if not np.isfinite(x).all():
        raise DataError(f"{label}: noise {noise} is too large for float64")
    return Table(
        label=label,
        x=x,
        y=np.concatenate([part[1] for part in parts]),
        feature_names=("x1", "x2"),
        class_names=generator.classes,
        trained=trained,
    )
