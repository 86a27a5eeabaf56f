"""Initial weights: every initializer with its law, its source and its use.

    >>> import numpy as np
    >>> from initlab import catalog
    >>> weight = catalog.draw("normal(std=10)", (10, 2), rng=np.random.default_rng(0))
    >>> catalog.get("he_normal").std((10, 2))
    1.0

Every initializer is `name(shape, *, rng, **parameters)` and gives an array of float64.
`initlab.spec` owns the names, parameters and defaults; this room owns the mathematics.
"""

from initlab.catalog._bibliography import BIBLIOGRAPHY, Reference
from initlab.catalog._checks import Shape
from initlab.catalog._constant import constant, identity, ones, zeros
from initlab.catalog._draw import draw, get, names
from initlab.catalog._fans import Fans, fan, fans
from initlab.catalog._orthogonal import orthogonal
from initlab.catalog._phases import Phases, phases
from initlab.catalog._plain import normal, truncated_normal, uniform
from initlab.catalog._rng import Rng, Weight
from initlab.catalog._table import CATALOG, Entry
from initlab.catalog._variance import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    lesson_xavier,
    variance_scaling,
)

__all__ = [
    "BIBLIOGRAPHY",
    "CATALOG",
    "Entry",
    "Fans",
    "Phases",
    "Reference",
    "Rng",
    "Shape",
    "Weight",
    "constant",
    "draw",
    "fan",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "lesson_xavier",
    "names",
    "normal",
    "ones",
    "orthogonal",
    "phases",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zeros",
]
