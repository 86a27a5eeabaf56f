"""Every correct entry of the catalog passes, in every type; no false alarm."""

import ml_dtypes
import numpy as np
import pytest

from initlab import catalog
from initlab.testing import check_initializer

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


def needs_nothing(init):
    """Whether the entry can be drawn from a shape alone."""
    return not getattr(catalog.get(init.split("(")[0]), "needs", ())


every_init = pytest.mark.parametrize("init", [i for i in INITS if needs_nothing(i)])


def of_catalog(init, dtype=np.float64):
    def draw(shape, rng):
        return catalog.draw(init, shape, rng=rng).astype(dtype)

    return draw


@every_init
@pytest.mark.parametrize("seed", range(3))
def test_a_correct_entry_passes(init, seed):
    report = check_initializer(of_catalog(init), law=init, rng_seed=seed)

    assert not report.broken


@pytest.mark.slow
@every_init
@pytest.mark.parametrize("seed", range(3, 10))
def test_a_correct_entry_passes_again(init, seed):
    report = check_initializer(of_catalog(init), law=init, rng_seed=seed)

    assert not report.broken


@pytest.mark.parametrize("dtype", ["float32", "float16", ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    "init", ["he_normal", "he_uniform", "truncated_normal(std=1)", "orthogonal"]
)
def test_a_correct_entry_passes_when_it_is_rounded(init, dtype):
    name = np.dtype(dtype).name

    report = check_initializer(of_catalog(init, dtype), law=init, dtype=name)

    assert not report.broken
