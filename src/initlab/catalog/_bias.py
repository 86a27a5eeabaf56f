"""The biases that an initializer starts a layer with."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float64

from initlab.catalog._blocks import blocks
from initlab.catalog._checks import Shape
from initlab.catalog._rng import Rng, checked_rng
from initlab.catalog._table import CATALOG
from initlab.errors import InvalidValueError
from initlab.spec import Init, LayerSpec


def draw_bias(
    init: str | Init | Mapping[str, Any] | Callable[..., Any],
    shape: Shape,
    *,
    rng: Rng,
) -> Float64[np.ndarray, " unit"]:
    """One layer's biases, as an array of float64.

    The init's `bias=` for every unit; where the entry draws its biases, as
    `torch_default` does, that is added to them. `scale=` is the weights' alone.

    Args:
        init: As for `draw`.
        shape: Of the weight, or the layer.
        rng: Where drawn biases come from; not advanced by an entry that draws none.

    Raises:
        UnknownNameError: If no initializer or parameter has that name.
        InvalidValueError: If a value is not allowed, or the layer is an embedding.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> draw_bias("he_normal(bias=1)", (2, 9), rng=rng).tolist()
        [1.0, 1.0]
        >>> drawn = draw_bias("torch_default", (2, 9), rng=rng)
        >>> bool(abs(drawn).max() <= 1 / 3)
        True
    """
    init, rng = Init.of(init), checked_rng(rng)
    if isinstance(shape, LayerSpec) and shape.kind == "embedding":
        raise InvalidValueError("layer: an embedding has no biases")
    entry = CATALOG.get(init.name)  # a function has none
    if entry is None or entry.bias is None:
        parts, outputs, *_ = blocks(shape)
        return np.full(parts * outputs, init.bias)
    return entry.bias(shape, rng=rng, **init.parameters) + init.bias
