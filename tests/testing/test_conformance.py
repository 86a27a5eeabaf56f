"""Every correct entry of the catalog passes, in every type; no false alarm."""

import pathlib
import sys

import jaxtyping
import ml_dtypes
import numpy as np
import pytest

from initlab.testing import Law, check_initializer, taps

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from correct import ENTRIES, OF_LAYERS, VARIANTS, accepts, of_catalog

# Of every entry; the parameters that change its law, and layers, have one each.
SEEDS = range(10)


def assert_passes(init, seed, *, layers=False):
    report = check_initializer(
        of_catalog(init),
        law=init,
        rng_seed=seed,
        accepts=accepts(init),
        layers=layers,
    )

    assert not report.broken


@pytest.mark.parametrize("init", ENTRIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_correct_entry_passes(init, seed, monkeypatch):
    # Checking every call's types takes a third of the time; the first run does.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", seed > 0)

    assert_passes(init, seed)


@pytest.mark.parametrize("init", VARIANTS)
def test_an_entry_with_parameters_passes(init):
    assert_passes(init, seed=0)


@pytest.mark.parametrize("init", OF_LAYERS)
def test_a_correct_entry_passes_for_layers(init):
    assert_passes(init, seed=0, layers=True)


@pytest.mark.parametrize("dtype", ["float32", "float16", ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    "init", ["he_normal", "he_uniform", "truncated_normal(std=1)", "orthogonal"]
)
def test_a_correct_entry_passes_when_it_is_rounded(init, dtype):
    name = np.dtype(dtype).name

    report = check_initializer(of_catalog(init, dtype), law=init, dtype=name)

    assert not report.broken


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
def test_a_correct_initializer_of_layers_passes(mode):
    def scaled(layer, rng):
        fan = taps(layer)[mode == "fan_out"]
        return rng.standard_normal(layer.shape) * (2 / fan) ** 0.5

    law = Law(distribution="normal", mode=mode, gain=2**0.5)
    report = check_initializer(scaled, law=law, layers=True)

    assert {"forward variance", "backward variance"} <= set(report.names)
