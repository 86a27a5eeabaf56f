"""Formulas that learners put in the place of the lesson's factor, and their words."""

from collections.abc import Callable, Iterator

import numpy as np


def formulas(name: str) -> Iterator[tuple[str, Callable[[list[int], int], float]]]:
    """Yield formulas as (how it is written, factor of layer l), the lesson's first."""
    prev = "layers_dims[l-1]"

    def of_prev(f: Callable[[float], float]) -> Callable[[list[int], int], float]:
        return lambda dims, layer: f(dims[layer - 1])

    def of_this(f: Callable[[float], float]) -> Callable[[list[int], int], float]:
        return lambda dims, layer: f(dims[layer])

    wanted = "10" if name == "random" else f"sqrt(2/{prev})"
    lesson = f"the lesson asks randn times {wanted}"
    swapped = ", as in the other initialization" if name == "random" else ""
    yield (
        f"the factor is sqrt(2/{prev}){swapped}; {lesson}",
        of_prev(lambda n: np.sqrt(2 / n)),
    )
    for number in (1.0, 0.01, 0.1, 10.0, 100.0, 0.5, 2.0, 5.0, 0.001, 1000.0):
        missing = {
            ("random", 1.0): "the factor 10 is missing",
            ("he", 1.0): f"the factor sqrt(2/{prev}) is missing",
            ("he", 10.0): "the factor is 10, as in the other initialization",
        }.get((name, number), f"the factor is {number:g}")
        yield f"{missing}; {lesson}", lambda *_, number=number: number
    this = "layers_dims[l]"
    for text, factor in (
        (
            f"scale sqrt(2/{this}) uses this layer's size, not the previous one's",
            of_this(lambda n: np.sqrt(2 / n)),
        ),
        (
            f"scale sqrt(1/{prev}) has 1 where He has 2",
            of_prev(lambda n: np.sqrt(1 / n)),
        ),
        (
            f"scale sqrt(1/{this}) has 1 where He has 2, and this layer's size, not "
            "the previous one's",
            of_this(lambda n: np.sqrt(1 / n)),
        ),
        (
            f"scale 2/{prev}: the square root is missing",
            of_prev(lambda n: 2 / n),
        ),
        (
            f"scale 2/{this}: the square root is missing, and it is this layer's size",
            of_this(lambda n: 2 / n),
        ),
        (
            f"scale 1/{prev}: the square root and the 2 are missing",
            of_prev(lambda n: 1 / n),
        ),
        (
            f"scale sqrt(2)/{prev}: the square root is of the 2 only, it must hold the "
            "quotient",
            of_prev(lambda n: np.sqrt(2) / n),
        ),
        (
            f"scale 2/sqrt({prev}): the 2 must be under the square root too",
            of_prev(lambda n: 2 / np.sqrt(n)),
        ),
        (
            f"He multiplies by sqrt(2/{prev}); here it is divided by it",
            of_prev(lambda n: np.sqrt(n / 2)),
        ),
        (f"scale sqrt({prev}): multiplied, not divided", of_prev(np.sqrt)),
        (
            f"scale sqrt(2*{prev}): it is a quotient, 2/{prev}",
            of_prev(lambda n: np.sqrt(2 * n)),
        ),
        (
            "scale sqrt(2/(n_prev + n)) is Glorot's (Xavier's), for both fans; He uses "
            "the previous layer's size only",
            lambda dims, layer: np.sqrt(2 / (dims[layer - 1] + dims[layer])),
        ),
        (
            "scale sqrt(6/(n_prev + n)) is Glorot's (Xavier's)",
            lambda dims, layer: np.sqrt(6 / (dims[layer - 1] + dims[layer])),
        ),
        (
            f"scale sqrt(6/{prev}) is the limit of a uniform law",
            of_prev(lambda n: np.sqrt(6 / n)),
        ),
        (
            f"scale sqrt(3/{prev}) has 3 where He has 2",
            of_prev(lambda n: np.sqrt(3 / n)),
        ),
        (
            "scale sqrt(2/layers_dims[0]) uses the input's size in every layer, not "
            "the previous layer's",
            lambda dims, _: np.sqrt(2 / dims[0]),
        ),
        (
            "scale sqrt(2/layers_dims[1]) uses the first hidden layer's size in every "
            "layer, not the previous layer's",
            lambda dims, _: np.sqrt(2 / dims[1]),
        ),
        (
            "scale sqrt(2/layers_dims[-1]) uses the output's size in every layer, not "
            "the previous layer's",
            lambda dims, _: np.sqrt(2 / dims[-1]),
        ),
        (
            "scale sqrt(2/len(layers_dims)) uses the number of layers, not the "
            "previous layer's size",
            lambda dims, _: np.sqrt(2 / len(dims)),
        ),
        (
            "scale sqrt(2/L) uses the number of layers, not the previous layer's size",
            lambda dims, _: np.sqrt(2 / (len(dims) - 1)),
        ),
        (
            "scale sqrt(2/l) uses the layer's number, not the previous layer's size",
            lambda _, layer: np.sqrt(2 / layer),
        ),
        (
            "scale sqrt(2/sum(layers_dims)) uses all sizes, not the previous layer's",
            lambda dims, _: np.sqrt(2 / sum(dims)),
        ),
        (
            f"the factor is -sqrt(2/{prev}): the sign is turned",
            of_prev(lambda n: -np.sqrt(2 / n)),
        ),
        (
            f"scale sqrt(2/{prev}) times 10: both factors at once",
            of_prev(lambda n: 10 * np.sqrt(2 / n)),
        ),
        (f"scale sqrt(2/{prev}) times 0.01", of_prev(lambda n: 0.01 * np.sqrt(2 / n))),
        (
            f"the scale is 2/{prev} squared away: sqrt is applied twice",
            of_prev(lambda n: (2 / n) ** 0.25),
        ),
        ("the factor is -10: the sign is turned", lambda *_: -10.0),
    ):
        yield f"{text}; {lesson}", factor
