"""Samples against the stated laws; every tolerance follows from the sample size."""

import math

import numpy as np
import pytest
import scipy.stats
from catalog_shapes import legal

from initlab import catalog
from initlab.catalog import CATALOG, _plain
from initlab.spec import Init

# Five standard errors: a correct law fails once in 1.7 million checks.
STANDARD_ERRORS = 5
SHAPES = [(400, 100), (100, 400), (64, 32, 3, 3), (128, 1, 5, 5), (40, 30, 9)]

# Beside every row's defaults, the parameters that change the law.
WRITTEN_OUT = (
    "identity(gain=-3)",
    "normal(std=10, mean=3)",
    "uniform(low=1, high=4)",
    "truncated_normal(std=2, bound=0.5)",
    "truncated_normal(std=1, bound=4)",
    "lecun_normal(gain=1.6666666666666667, mode=fan_out)",
    "glorot_normal(gain=2, mode=fan_in)",
    "he_normal(mode=fan_avg)",
    "he_uniform(gain=1, mode=fan_out)",
    "variance_scaling(variance=2, mode=fan_avg, distribution=uniform)",
    "variance_scaling(variance=2, mode=fan_out, distribution=truncated_normal)",
    "he_normal(dialect=keras)",
    "lecun_normal(gain=2, dialect=jax)",
    "glorot_normal(mode=fan_geometric, dialect=torch)",
    "variance_scaling(mode=fan_geometric, dialect=keras)",
    "orthogonal(gain=1.5)",
    "orthogonal(gain=1.5, dialect=torch)",
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
INITS = (*CATALOG, *WRITTEN_OUT)
RANDOM_INITS = [text for text in INITS if CATALOG[Init.parse(text).name].random]

every_init = pytest.mark.parametrize("init", INITS)
every_random_init = pytest.mark.parametrize("init", RANDOM_INITS)


def kurtosis_law(init, shape):
    law = CATALOG[init.name].excess_kurtosis
    return None if law is None else law(shape, **init.parameters)


def assert_std_follows_the_law(text, shape, seed):
    init = Init.parse(text)
    shape = legal(init.name, shape)
    weight = catalog.draw(init, shape, rng=np.random.default_rng(seed))
    law = CATALOG[init.name].std(shape, **init.parameters)
    kurtosis = kurtosis_law(init, shape)
    # The variance of n draws has the relative variance (kurtosis + 2) / n, their
    # standard deviation a quarter of it. What is not random agrees to rounding.
    relative = math.sqrt(((kurtosis or 0) + 2) / (4 * weight.size))
    tolerance = 1e-12 if kurtosis is None else STANDARD_ERRORS * relative
    assert weight.std() == pytest.approx(law, rel=tolerance, abs=1e-15)


@every_init
@pytest.mark.parametrize("shape", SHAPES)
def test_sample_std_follows_the_stated_law(init, shape):
    assert_std_follows_the_law(init, shape, seed=20)


@pytest.mark.parametrize("name", CATALOG)
def test_std_is_within_one_percent_at_a_million_samples(name):
    assert_std_follows_the_law(name, (1000, 1000), seed=21)


@every_random_init
@pytest.mark.parametrize("shape", [(400, 100), (64, 32, 3, 3), (300, 300)])
def test_sample_kurtosis_is_the_declared_distributions(init, shape):
    init = Init.parse(init)
    shape = legal(init.name, shape)
    law = kurtosis_law(init, shape)

    weight = catalog.draw(init, shape, rng=np.random.default_rng(22))

    # Of a normal sample with a share p of entries that are not 0; lighter tails have
    # less: [m8 - 4 m4 m6 + 4 m4^3 - m4^2] / n, standardized, is 24 / n at p = 1.
    share = min(1.0, 3 / (law + 3))
    copies = 4 if init.name == "looks_linear" else 1
    independent = weight.size / copies
    standard_error = math.sqrt((33 / share**3 - 9 / share**2) / independent)
    actual = scipy.stats.kurtosis(weight, axis=None)
    assert actual == pytest.approx(law, abs=STANDARD_ERRORS * standard_error)


@every_random_init
def test_sample_mean_is_the_stated_mean(init):
    init = Init.parse(init)
    shape = legal(init.name, (200, 300))
    law = CATALOG[init.name].std(shape, **init.parameters)

    weight = catalog.draw(init, shape, rng=np.random.default_rng(23))

    middle = {"normal": init.parameters.get("mean", 0.0), "uniform": 2.5}
    mean = middle.get(init.name, 0.0) if init.parameters else 0.0
    tolerance = STANDARD_ERRORS * law / math.sqrt(weight.size)
    assert weight.mean() == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("bound", [0.1, 0.5, 1.0, 2.0, 4.0])
def test_the_cut_normals_moments_are_scipys(bound):
    variance, kurtosis = scipy.stats.truncnorm.stats(-bound, bound, moments="vk")

    std = CATALOG["truncated_normal"].std((10, 2), std=1.0, bound=bound)

    # SciPy's closed form cancels: at bound 0.1 it keeps about ten digits of variance.
    assert std**2 == pytest.approx(float(variance), rel=1e-8)
    assert _plain.truncated_kurtosis(bound) == pytest.approx(float(kurtosis), abs=1e-5)


def test_a_barely_open_cut_is_a_uniform_distribution():
    bound = 1e-9

    std = CATALOG["truncated_normal"].std((10, 2), std=1.0, bound=bound)

    assert std == pytest.approx(bound / math.sqrt(3), rel=1e-12)
    assert _plain.truncated_kurtosis(bound) == pytest.approx(-1.2)


def test_a_cut_beyond_all_draws_changes_nothing():
    weight = catalog.truncated_normal(
        (100, 100), rng=np.random.default_rng(24), std=1.0, bound=100.0
    )

    assert np.isfinite(weight).all()
    assert CATALOG["truncated_normal"].std((2, 2), std=1.0, bound=100.0) == 1.0


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("uniform(low=-2, high=2)", 2.0),
        ("truncated_normal(std=3, bound=2)", 6.0),
        ("lecun_uniform", math.sqrt(3 / 100)),
        ("glorot_uniform", math.sqrt(6 / 500)),
        ("he_uniform", math.sqrt(6 / 100)),
        ("torch_default", 0.1),
        ("keras_default", math.sqrt(6 / 500)),
        ("flax_default", 2 / math.sqrt(100) / 0.87962566103423978),
        ("siren", math.sqrt(6 / 100) / 30),
        ("siren(first=True)", 0.01),
        (
            "he_normal(dialect=keras)",
            2 * math.sqrt(2 / 100) / 0.87962566103423978,
        ),
        (
            "variance_scaling(distribution=truncated_normal)",
            2 / math.sqrt(100) / 0.87962566103423978,
        ),
    ],
)
def test_bounded_distributions_fill_their_interval_and_stay_inside(init, bound):
    largest = abs(catalog.draw(init, (400, 100), rng=np.random.default_rng(25))).max()

    # At least 1 in 1,000 of each has its magnitude in the last hundredth: of 40,000
    # draws none is there with probability e^-40.
    assert 0.99 * bound < largest <= bound * (1 + 1e-15)


@pytest.mark.parametrize("name", ["lecun", "glorot", "he"])
def test_normal_and_uniform_of_a_family_have_the_same_law(name):
    normal, uniform = CATALOG[f"{name}_normal"], CATALOG[f"{name}_uniform"]

    assert normal.std((64, 32, 3, 3)) == uniform.std((64, 32, 3, 3))


def test_lesson_xavier_is_lecuns_and_not_glorots():
    shape = (10, 2)

    assert CATALOG["lesson_xavier"].std(shape) == CATALOG["lecun_normal"].std(shape)
    assert CATALOG["lesson_xavier"].std(shape) != CATALOG["glorot_normal"].std(shape)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((10, 2), (2, 10)), ((64, 32, 3, 3), (288, 576)), ((8, 1, 5), (5, 40))],
)
def test_fans_follow_pytorchs_convention(shape, expected):
    assert catalog.fans(shape) == expected
    assert catalog.fan(shape, "fan_in") == expected[0]
    assert catalog.fan(shape, "fan_out") == expected[1]
    assert catalog.fan(shape, "fan_avg") == sum(expected) / 2
