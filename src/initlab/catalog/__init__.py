"""Initial weights: every initializer with its law, its source and its use.

    >>> import numpy as np
    >>> from initlab import catalog
    >>> weight = catalog.draw("normal(std=10)", (10, 2), rng=np.random.default_rng(0))
    >>> catalog.get("he_normal").std((10, 2))
    1.0

Every initializer is `name(shape, *, rng, **parameters)` and gives an array of float64.
A shape is a tuple, or a `LayerSpec`, which knows its fans.
`initlab.spec` owns the names, parameters and defaults; this room owns the mathematics.
"""

from initlab.catalog._bias import draw_bias
from initlab.catalog._bibliography import BIBLIOGRAPHY, Reference
from initlab.catalog._checks import Shape
from initlab.catalog._constant import constant, ones, zeros
from initlab.catalog._delta_orthogonal import delta_orthogonal
from initlab.catalog._draw import draw, get, names, placed
from initlab.catalog._entry import Entry
from initlab.catalog._fans import Fans, fan, fans
from initlab.catalog._frameworks import flax_default, keras_default, torch_default
from initlab.catalog._glorot import glorot_normal, glorot_uniform
from initlab.catalog._hadamard import zero_hadamard
from initlab.catalog._he import he_normal, he_uniform
from initlab.catalog._lecun import lecun_normal, lecun_uniform, lesson_xavier
from initlab.catalog._looks_linear import looks_linear
from initlab.catalog._lsuv import Lsuv, LsuvLayer, lsuv
from initlab.catalog._orthogonal import orthogonal
from initlab.catalog._partial_identity import dirac, identity
from initlab.catalog._phases import Phases, phases
from initlab.catalog._plain import normal, truncated_normal, uniform
from initlab.catalog._procedures import PROCEDURES, Procedure
from initlab.catalog._rng import Rng, Weight
from initlab.catalog._scaling import variance_scaling
from initlab.catalog._sinusoidal import sinusoidal
from initlab.catalog._siren import siren
from initlab.catalog._sparse import sparse
from initlab.catalog._table import CATALOG

__all__ = [
    "BIBLIOGRAPHY",
    "CATALOG",
    "PROCEDURES",
    "Entry",
    "Fans",
    "Lsuv",
    "LsuvLayer",
    "Phases",
    "Procedure",
    "Reference",
    "Rng",
    "Shape",
    "Weight",
    "constant",
    "delta_orthogonal",
    "dirac",
    "draw",
    "draw_bias",
    "fan",
    "fans",
    "flax_default",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "keras_default",
    "lecun_normal",
    "lecun_uniform",
    "lesson_xavier",
    "looks_linear",
    "lsuv",
    "names",
    "normal",
    "ones",
    "orthogonal",
    "phases",
    "placed",
    "sinusoidal",
    "siren",
    "sparse",
    "torch_default",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zero_hadamard",
    "zeros",
]
