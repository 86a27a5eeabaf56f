"""Initializers that order the axes of a weight in another way."""

from typing import Any

import numpy as np

from initlab.testing._calls import Initializer, Sampler, as_array


def channels_last(function: Initializer) -> Initializer:
    """An initializer for `(*kernel, in, out)`, as one for `(out, in, *kernel)`.

    Keras, JAX and Flax order the axes that way.

    Args:
        function: Called with shapes in its own order, and with a source of random
            numbers if it takes one.

    Example:
        >>> def flax_like(shape, rng):
        ...     return rng.standard_normal(shape) / shape[0] ** 0.5
        >>> channels_last(flax_like)((10, 2), np.random.default_rng(0)).shape
        (10, 2)
    """
    sampler = Sampler(function=function, seed=0)

    def turned(shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[2:], shape[1], shape[0])

    def back(result: Any) -> Any:
        array = as_array(result)
        return np.moveaxis(array, (-1, -2), (0, 1))

    if sampler.takes_rng:

        def with_rng(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
            return back(sampler.call(turned(shape), rng))

        return with_rng

    def without(shape: tuple[int, ...]) -> Any:
        return back(sampler.call(turned(shape), np.random.default_rng(0)))

    return without
