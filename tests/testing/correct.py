"""Initializers without a fault: every entry of the catalog, and two of layers."""

import numpy as np

from initlab import catalog
from initlab.errors import InvalidValueError
from initlab.spec import Init

# Beside every row's defaults, the parameters that change the law.
VARIANTS = (
    "identity(gain=-3)",
    "normal(std=10, mean=3)",
    "uniform(low=1, high=4)",
    "truncated_normal(std=2, bound=0.5)",
    "truncated_normal(std=1, bound=4)",
    "lecun_normal(gain=1.6666666666666667, mode=fan_out)",
    "lecun_normal(gain=2, dialect=jax)",
    "lecun_uniform(mode=fan_geometric)",
    "glorot_normal(gain=2, mode=fan_in)",
    "glorot_normal(mode=fan_geometric, dialect=torch)",
    "glorot_uniform(dialect=keras)",
    "he_normal(mode=fan_out)",
    "he_normal(mode=fan_avg)",
    "he_normal(dialect=keras)",
    "he_normal(mode=fan_out, dialect=torch)",
    "he_uniform(scale=-0.5)",
    "he_uniform(gain=1, mode=fan_out, dialect=jax)",
    "variance_scaling(variance=2, mode=fan_avg, distribution=uniform)",
    "variance_scaling(variance=2, mode=fan_out, distribution=truncated_normal)",
    "variance_scaling(mode=fan_geometric, dialect=keras)",
    "variance_scaling(dialect=jax)",
    "orthogonal(gain=1.5)",
    "orthogonal(gain=1.5, dialect=torch)",
    "orthogonal(dialect=keras)",
    "orthogonal(dialect=jax)",
    "delta_orthogonal(gain=-2)",
    "looks_linear(gain=2, first=True)",
    "looks_linear(last=True)",
    "looks_linear(first=True, last=True)",
    "sparse(sparsity=0.9, std=2)",
    "sparse(sparsity=0)",
    "siren(omega=1)",
    "siren(first=True)",
)
ENTRIES = catalog.names()
INITS = (*ENTRIES, *VARIANTS)


def of_catalog(init, dtype=np.float64):
    """The initializer as a function of shape (or layer) and rng."""
    init = Init.parse(init)

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


def knows_layers(init):
    """Whether more than the shape matters to the entry."""
    return "layer" in catalog.get(Init.parse(init).name).needs


# What is asked for layers: groups, strides, transposed and packed ones, embeddings.
OF_LAYERS = tuple(filter(knows_layers, INITS))
