"""Dialects against the frameworks' own numbers and laws.

Torch and JAX are not needed here: `benchmarks/framework_laws.py` compares live, and
prints the numbers that are kept.
"""

import math

import numpy as np
import pytest

from initlab import catalog
from initlab.spec import Init, LayerSpec

# The frameworks' own first three entries, torch 2.13 and jax 0.10, on the Gaussian of
# RandomState(0) in double precision.
ORTHOGONAL = [
    ("torch", (8, 8), [0.455426099162, 0.110143777155, 0.129669334729]),
    ("jax", (8, 8), [0.455426099162, -0.026648052219, 0.385726991426]),
    ("torch", (12, 5), [0.453109289074, 0.09449078162, 0.240062623792]),
    ("jax", (12, 5), [0.453109289074, 0.09449078162, 0.240062623792]),
    ("torch", (5, 12), [0.428667552721, 0.097238844191, 0.23783490176]),
    ("jax", (5, 12), [0.453109289074, -0.251020717379, 0.036998607368]),
    ("torch", (6, 4, 3, 3), [0.260042102504, 0.058987887765, 0.144277511815]),
    ("jax", (6, 4, 3, 3), [0.255399838778, 0.328615512094, -0.233660441546]),
    ("torch", (4, 6, 3), [0.393358519959, 0.089229351722, 0.218244614869]),
    ("jax", (4, 6, 3), [0.315419039804, 0.405840464839, -0.288570863887]),
]


@pytest.mark.parametrize(("dialect", "shape", "expected"), ORTHOGONAL)
def test_the_same_gaussian_gives_the_frameworks_matrix(dialect, shape, expected):
    weight = catalog.orthogonal(shape, rng=np.random.RandomState(0), dialect=dialect)

    np.testing.assert_allclose(weight.ravel()[:3], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12), (6, 4, 3, 3)])
def test_ours_is_torchs_on_a_bare_shape_and_keras_is_jaxs(shape):
    def draw(dialect):
        rng = np.random.RandomState(0)
        return catalog.orthogonal(shape, rng=rng, dialect=dialect)

    assert draw("initlab").tobytes() == draw("torch").tobytes()
    assert draw("keras").tobytes() == draw("jax").tobytes()


def transposed(*shape, **choices):
    return LayerSpec(kind="conv", shape=shape, transposed=True, **choices)


@pytest.mark.parametrize("shape", [(4, 6, 9), (90, 6, 3), (9, 60, 2)])
@pytest.mark.parametrize("dialect", ["torch", "keras", "jax"])
def test_a_transposed_kernel_is_orthogonal_as_it_is_stored(dialect, shape):
    layer = transposed(*shape)

    weight = catalog.orthogonal(layer, rng=np.random.default_rng(0), dialect=dialect)

    # torch (in, out * k); Keras (*k, out, in); Flax (*k, in, out).
    stored = {
        "torch": weight.reshape(layer.shape[0], -1),
        "keras": np.moveaxis(weight, (0, 1), (-1, -2)).reshape(-1, layer.shape[0]),
        "jax": np.moveaxis(weight, (0, 1), (-2, -1)).reshape(-1, layer.shape[1]),
    }[dialect]
    short = stored if stored.shape[0] <= stored.shape[1] else stored.T
    np.testing.assert_allclose(short @ short.T, np.eye(len(short)), atol=1e-12)
    law = catalog.get("orthogonal").std(layer, dialect=dialect)
    assert np.sqrt(np.mean(weight**2)) == pytest.approx(law, rel=1e-12)


UPSAMPLING = transposed(64, 256, 3, 3)


# He's gain is sqrt(2), the fan of each framework beside it.
@pytest.mark.parametrize(
    ("init", "layer", "expected"),
    [
        ("he_normal", UPSAMPLING, math.sqrt(2 / (64 * 9))),
        ("he_normal(dialect=torch)", UPSAMPLING, math.sqrt(2 / (256 * 9))),
        ("he_normal(dialect=keras)", UPSAMPLING, math.sqrt(2 / (256 * 9))),
        ("he_normal(dialect=jax)", UPSAMPLING, math.sqrt(2 / (64 * 9))),
        ("torch_default", UPSAMPLING, 1 / math.sqrt(3 * 256 * 9)),
        ("keras_default", UPSAMPLING, math.sqrt(2 / (320 * 9))),
        ("flax_default", UPSAMPLING, math.sqrt(1 / (64 * 9))),
        ("torch_default", LayerSpec(kind="embedding", shape=(99, 25)), 1.0),
        (
            "keras_default",
            LayerSpec(kind="embedding", shape=(99, 25)),
            0.05 / math.sqrt(3),
        ),
        ("flax_default", LayerSpec(kind="embedding", shape=(99, 25)), 0.2),
    ],
)
def test_laws_of_layers_are_the_frameworks(init, layer, expected):
    parsed = Init.parse(init)
    law = catalog.get(parsed.name).std(layer, **parsed.parameters)

    weight = catalog.draw(init, layer, rng=np.random.default_rng(0))

    assert law == pytest.approx(expected, rel=1e-12)
    # Five standard errors of a normal sample; of a uniform one it is less.
    assert weight.std() == pytest.approx(law, rel=5 / math.sqrt(2 * weight.size))


@pytest.mark.parametrize(
    ("init", "cut"),
    [
        ("he_normal", False),
        ("he_normal(dialect=torch)", False),
        ("he_normal(dialect=keras)", True),
        ("glorot_normal(dialect=jax)", True),
        ("lecun_normal(dialect=jax)", True),
        ("variance_scaling(dialect=keras)", True),
        ("variance_scaling(dialect=jax)", False),
        ("flax_default", True),
    ],
)
def test_keras_and_jax_cut_at_two_standard_deviations(init, cut):
    weight = catalog.draw(init, (200, 200), rng=np.random.default_rng(0))

    # Widened by 1 / 0.88: the cut is at 2.27 of the stated standard deviation.
    law = catalog.get(Init.parse(init).name).std((200, 200))
    largest = abs(weight).max() / law
    assert (largest <= 2 / 0.87962566103423978 + 1e-9) == cut


def test_an_embedding_has_no_biases():
    layer = LayerSpec(kind="embedding", shape=(9, 4))

    with pytest.raises(ValueError, match="an embedding has no biases"):
        catalog.draw_bias("torch_default", layer, rng=np.random.default_rng(0))


def test_torchs_biases_have_the_weights_bound():
    layer = transposed(6, 500, 3, groups=2)

    bias = catalog.draw_bias("torch_default", layer, rng=np.random.default_rng(0))

    bound = 1 / math.sqrt(500 * 3)
    assert bias.shape == (1000,)
    assert 0.98 * bound < abs(bias).max() <= bound
