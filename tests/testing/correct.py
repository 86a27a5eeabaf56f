"""Initializers without a fault: every entry of the catalog, and two of layers."""

import numpy as np

from initlab import catalog
from initlab.errors import InvalidValueError
from initlab.spec import Init, LayerSpec

# Beside every row's defaults, the parameters that change the law.
INITS = (
    *catalog.names(),
    "normal(std=10, mean=3)",
    "uniform(low=1, high=4)",
    "truncated_normal(std=2, bound=0.5)",
    "he_normal(mode=fan_out)",
    "glorot_normal(gain=2, mode=fan_in)",
    "variance_scaling(variance=2, mode=fan_out, distribution=truncated_normal)",
    "orthogonal(gain=1.5)",
    "he_uniform(scale=-0.5)",
)


def of_catalog(init, dtype=np.float64):
    """The initializer as a function of shape (or layer) and rng."""

    def draw(shape, rng):
        return catalog.draw(init, shape, rng=rng).astype(dtype)

    return draw


def accepts(init):
    """Which shapes the entry is for: those that its law takes."""
    init = Init.parse(init)
    entry = catalog.get(init.name)

    def accepted(target):
        try:
            entry.std(target, **init.parameters)
        except InvalidValueError:
            return False
        return True

    return accepted


def drawn_from_a_shape(init):
    """Whether the entry needs no data."""
    needs = getattr(catalog.get(Init.parse(init).name), "needs", ())
    return not {"batch", "forward"} & set(needs)


def catalog_takes_layers():
    """Whether the catalog's fans are those of layers, not only of shapes."""
    try:
        catalog.fans(LayerSpec(shape=(2, 2)))
    except Exception:
        return False
    return True
