"""Steps to a target and performance profiles of whole studies."""

import numpy as np
import pytest
from scipy import stats

import initlab as il
from initlab import analysis
from initlab.analysis.statistics import profiles, share, steps_to
from initlab.errors import InvalidValueError


@pytest.fixture(scope="module")
def results():
    study = il.Study(
        network={"width": 6}, inits=["zeros", "he_normal", "normal(std=1)"],
        members=9, steps=120, record_every=20, problem="moons",
        grid={"network.depth": [1, 3], "learning_rate": [0.1, 0.5, 1e200]},
    )  # fmt: skip
    return il.run(study, threads=1)


def test_every_cells_steps_are_those_of_its_own_curves(results):
    found = analysis.target_steps(results, 0.4)

    assert found.steps.dims == ("depth", "learning_rate", "init")
    for depth, rate, init in np.ndindex(found.steps.shape):
        loss = results.loss.values[depth, rate, init]
        one = steps_to(0.4, loss, results.step.values)
        place = (depth, rate, init)
        assert found.steps.values[place] == one.steps.median
        assert tuple(found.steps_interval.values[place]) == one.steps.interval
        assert found.reached.values[place] == one.reached.value
        assert tuple(found.reached_interval.values[place]) == one.reached.interval
        assert found.never.values[place] == 9 - one.reached.count
    assert 0 < int(found.never.sum()) < found.never.size * 9


def test_with_one_step_of_censoring_quantiles_are_kaplan_and_meiers(results):
    curves = results.loss.sel(depth=3, learning_rate=0.5, init="he_normal").values
    there = curves <= 0.4
    arrived = there.any(axis=1)
    assert arrived.sum() > 0
    first = results.step.values[there.argmax(axis=1)]
    censored = np.full((~arrived).sum(), 120)
    curve = stats.ecdf(stats.CensoredData(first[arrived], right=censored)).cdf

    found = steps_to(0.4, curves, results.step.values)

    at_the_end = curve.evaluate(120) if arrived.any() else 0
    assert found.reached.value == pytest.approx(at_the_end)
    low = curve.quantiles[curve.probabilities >= 0.5][:1]
    assert found.steps.median == (low[0] if low.size else np.inf)


def test_the_target_is_half_a_constants_loss_unless_one_is_given(results):
    constant = results.baseline_loss

    assert (analysis.target_losses(results) == constant / 2).all()
    given = analysis.target_losses(results, 0.1)
    assert given.dims == ("depth", "learning_rate")
    assert (given == 0.1).all()


def test_problems_have_targets_of_their_own():
    study = il.Study(inits=["zeros"], steps=10, grid={"problem": ["moons", "wine"]})
    two = il.run(study, threads=1)

    moons, wine = analysis.target_losses(two).values

    assert moons == pytest.approx(np.log(2) / 2, rel=1e-3)
    assert wine > 1.5 * moons


@pytest.mark.parametrize("target", [-0.1, np.nan, np.inf])
def test_what_is_no_loss_is_no_target(results, target):
    with pytest.raises(InvalidValueError, match="target: a finite loss of 0 or more"):
        analysis.target_steps(results, target)


def test_a_study_without_a_grid_has_steps_per_init(short_results):
    assert analysis.target_steps(short_results).steps.dims == ("init",)


def test_profiles_are_of_every_member_in_every_cell(results):
    final = results.loss.isel(step=-1).transpose("init", "depth", "learning_rate", ...)
    pooled = dict(zip(final.init.values, final.values.reshape(3, -1), strict=True))

    found = analysis.performance_profiles(results)

    assert found == profiles(pooled, members=9)
    assert {share.members for each in found for share in each.within} == {54}


def test_a_members_runs_are_no_more_than_one_member():
    within = share(30, 60, independent=20).interval

    assert within == pytest.approx(share(10, 20).interval, rel=1e-12)
    assert share(60, 60, independent=20).interval[1] == 1
    assert share(0, 60, independent=20).interval[0] == 0


def test_intervals_of_runs_that_share_members_cover_the_share():
    rng = np.random.default_rng(0)
    # Each member has a probability of its own, in all of its five cells.
    chance = rng.beta(1, 1, size=(4000, 100))
    counts = rng.binomial(5, chance).sum(axis=1)

    ends = [share(int(count), 500, independent=100).interval for count in counts]

    assert np.mean([low <= 0.5 <= high for low, high in ends]) >= 0.95
    naive = [share(int(count), 500).interval for count in counts]
    assert np.mean([low <= 0.5 <= high for low, high in naive]) < 0.9


def test_one_init_has_no_profile(results):
    with pytest.raises(InvalidValueError, match="inits: a profile needs at least 2"):
        analysis.performance_profiles(results.isel(init=[0]))


def test_factors_begin_at_the_best(results):
    with pytest.raises(InvalidValueError, match="factors: each at least 1"):
        analysis.performance_profiles(results, factors=(0.5, 2.0))


def test_a_grid_that_grew_is_shown_in_order():
    study = il.Study(
        inits=["he_normal"], steps=10,
        grid={"learning_rate": [1.0, 0.1, 0.3], "network.activation": ["tanh", "relu"]},
    )  # fmt: skip
    results = il.run(study, threads=1)

    shown = analysis.in_grid_order(results)

    assert shown.learning_rate.values.tolist() == [0.1, 0.3, 1.0]
    assert shown.activation.values.tolist() == ["tanh", "relu"]
    assert shown.loss.sel(learning_rate=1.0).equals(results.loss.sel(learning_rate=1.0))


@pytest.mark.parametrize(
    "ask",
    [analysis.cell_statistics, analysis.target_steps, analysis.performance_profiles,
     analysis.orders, analysis.compare],
)  # fmt: skip
def test_networks_that_did_not_run_are_neither_diverged_nor_alike(ask, tmp_path):
    study = il.Study(members=4, steps=10, shard_members=2)
    half = il.run(study, store=tmp_path / "s.zarr", part=(1, 2), threads=1)

    with pytest.raises(InvalidValueError, match="of 12 networks have not run yet"):
        ask(half)
