"""Intervals cover what they claim, and bear diverged members."""

import time
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from initlab.analysis.statistics import (
    bands,
    best_rates,
    differences,
    holm,
    iqm,
    mean,
    members_needed,
    order,
    pair,
    profiles,
    share,
    steps_to,
    summarize,
)

SIMULATIONS = 4000
SIZES = pytest.mark.parametrize("members", [100, 200])


def covered(intervals, truth):
    return np.mean([low <= truth <= high for low, high in intervals])


def exponential(members):
    return np.random.default_rng(members).exponential(size=(SIMULATIONS, members))


@pytest.mark.slow
@SIZES
def test_the_interval_of_a_mean_covers_it_though_losses_are_skewed(members):
    found = [mean(values, worst=np.inf).interval for values in exponential(members)]

    assert 0.93 <= covered(found, 1.0) <= 0.97


@pytest.mark.slow
@SIZES
def test_the_interval_of_the_interquartile_mean_covers_it(members):
    found = [iqm(values, worst=np.inf).interval for values in exponential(members)]

    quarter, three = np.log(4 / 3), np.log(4)
    # Mean of the middle half: the integral of x exp(-x) between the quartiles, twice.
    truth = 2 * ((quarter + 1) * 0.75 - (three + 1) * 0.25)
    assert 0.93 <= covered(found, truth) <= 0.97


@SIZES
@pytest.mark.parametrize("truth", [0.5, 0.1, 0.02])
def test_wilsons_interval_covers_a_share(members, truth):
    counts = np.random.default_rng(members).binomial(members, truth, SIMULATIONS)

    by_count = {k: share(k, members).interval for k in set(counts.tolist())}

    # Counts are whole, so the exact coverage differs from one true share to the next.
    found = [by_count[count] for count in counts.tolist()]
    assert 0.92 <= covered(found, truth) <= 0.98


@pytest.mark.slow
@SIZES
def test_intervals_of_paired_differences_cover_the_median(members):
    rng = np.random.default_rng(members)
    second = rng.lognormal(size=(SIMULATIONS, members))
    first = second * rng.lognormal(0.2, 1, size=second.shape)

    found = [
        differences({"a": a, "b": b}, worst=np.inf)[0]
        for a, b in zip(first, second, strict=True)
    ]

    assert covered([each.ratio.interval for each in found], np.exp(0.2)) >= 0.93
    below = stats.norm.cdf(-0.2)
    assert 0.93 <= covered([each.below.interval for each in found], below) <= 0.97
    dominance = [each.dominance.interval for each in found]
    assert 0.93 <= covered(dominance, 1 - 2 * below) <= 0.97


def test_a_mean_is_infinite_once_a_member_diverged_and_the_middle_half_is_not():
    values = np.append(np.arange(1.0, 20), np.nan)

    assert mean(values, worst=np.inf).value == np.inf
    assert mean(values, worst=np.inf).interval is None
    assert iqm(values, worst=np.inf).value == np.arange(6.0, 16).mean()
    low, high = iqm(values, worst=np.inf).interval
    assert 5 < low < 10.5 < high < 16


def test_the_middle_half_is_infinite_once_a_quarter_diverged():
    values = np.append(np.arange(10.0), [np.nan] * 6)

    assert iqm(values, worst=np.inf).value == np.inf
    assert iqm(values, worst=np.inf).interval is None


def test_members_that_are_all_alike_have_an_interval_without_width():
    assert mean(np.full(20, 0.7), worst=np.inf).interval == pytest.approx((0.7, 0.7))
    assert iqm(np.full(20, 0.7), worst=np.inf).interval == pytest.approx((0.7, 0.7))


def test_nine_members_are_too_few_for_the_interval_of_a_mean():
    assert mean(np.arange(9.0), worst=np.inf).interval is None
    assert iqm(np.arange(9.0), worst=np.inf).interval is None


def test_an_interval_of_a_mean_leans_to_the_long_tail():
    values = np.random.default_rng(0).lognormal(size=100)

    low, high = mean(values, worst=np.inf).interval

    assert high - values.mean() > values.mean() - low
    mirrored = mean(-values, worst=np.inf).interval
    assert mirrored == pytest.approx((-high, -low))


def test_the_interval_of_a_mean_is_halls_transformation():
    values = np.random.default_rng(1).exponential(size=30)
    skewness = stats.skew(values, bias=False)

    ends = mean(values, worst=np.inf).interval

    # Hall (1992): u + g (u^2 / 3 + 1 / 6) / sqrt(n) + g^2 u^3 / (27 n) is Student's t.
    u = np.sqrt(30) * (values.mean() - np.array(ends)) / values.std(ddof=1)
    t = u + skewness * (u**2 / 3 + 1 / 6) / np.sqrt(30) + skewness**2 * u**3 / (27 * 30)
    quantile = stats.t.ppf(0.975, 29)
    assert t == pytest.approx([quantile, -quantile])


def test_two_members_that_both_diverged_are_a_tie():
    values = {"a": np.array([np.nan, 1, 2]), "b": np.array([np.nan, np.nan, 1])}

    (found,) = differences(values, worst=np.inf)

    assert (found.ties, found.below.count, found.below.members) == (1, 1, 2)
    assert found.difference.value == 0  # of -inf, 0 and 1


def test_nothing_but_ties_is_no_order():
    same = {"a": np.ones(30), "b": np.ones(30)}

    (found,) = differences(same, worst=np.inf)

    assert found.below is None
    assert found.p_value == 1
    assert not found.settled
    assert found.dominance.value == 0


def test_a_factor_needs_positive_numbers():
    values = {"a": np.array([0.0, 1]), "b": np.array([2.0, 1])}

    assert differences(values, worst=np.inf)[0].ratio is None


def test_pairs_are_corrected_for_their_number():
    rng = np.random.default_rng(0)
    a = rng.normal(size=40)
    values = {"a": a, "b": a + np.tile([1, 1, 1, -1], 10), "c": a + 0.01, "d": a - 1}

    found = {(d.first, d.second): d for d in differences(values, worst=np.inf)}

    one = found["a", "b"]
    assert one.p_value == stats.binomtest(30, 40).pvalue
    assert one.adjusted >= one.p_value
    assert found["a", "c"].adjusted == pytest.approx(6 * found["a", "c"].p_value)


def test_holm_keeps_the_order_and_never_exceeds_one():
    # Holm (1979) by hand: 4 x .01; max(3 x .02, .04); max(2 x .03, .06); 1 x .9.
    assert holm([0.03, 0.9, 0.01, 0.02]) == pytest.approx((0.06, 0.9, 0.04, 0.06))
    assert holm([0.6, 0.7]) == (1, 1)
    assert holm([]) == ()


def test_bands_are_the_summary_of_every_record():
    values = np.random.default_rng(0).lognormal(size=(30, 4))
    values[0, 2:] = np.nan

    found = bands(values, worst=np.inf)

    for step in range(4):
        one = summarize(values[:, step], worst=np.inf)
        assert found.median[step] == one.median
        assert tuple(found.spread[:, step]) == one.spread
        assert tuple(found.interval[:, step]) == one.interval


def test_few_members_have_bands_without_an_interval():
    assert bands(np.ones((5, 2)), worst=np.inf).interval is None


def test_members_that_do_not_arrive_rank_behind_all_that_do():
    loss = np.ones((20, 3))
    loss[:8, 1:] = 0.1
    loss[19] = np.nan

    found = steps_to(0.5, loss, np.array([0, 10, 20]))

    assert found.reached.count == 8
    assert found.steps.median == np.inf
    assert found.steps.spread == (10, np.inf)
    assert steps_to(1.0, loss, np.array([0, 10, 20])).steps.median == 0


def test_profiles_count_runs_within_a_factor_of_the_best():
    losses = {
        "a": np.array([1.0, 4.0, np.nan, np.nan]),
        "b": np.array([2.0, 1.0, 1.0, np.nan]),
    }

    first, second = profiles(losses, factors=(1.0, 2.0, 4.0))

    assert [each.count for each in first.within] == [1, 1, 2]
    assert [each.count for each in second.within] == [2, 3, 3]


def test_the_best_rate_is_not_chosen_by_those_it_is_judged_on():
    # Pure noise: choosing on the same members would promise less than is true.
    losses = np.random.default_rng(0).normal(size=(500, 20, 40))

    judged = [best_rates(each, np.arange(20.0)).values.mean() for each in losses]
    flattered = [np.median(each, axis=1).min() for each in losses]

    assert np.mean(judged) == pytest.approx(0, abs=4 / np.sqrt(500 * 40))
    assert np.mean(flattered) < -0.3


def test_halves_that_agree_say_so():
    losses = np.stack([np.full(6, 2.0), np.full(6, 1.0), np.full(6, np.nan)])

    found = best_rates(losses, np.array([0.1, 0.2, 0.4]))

    assert found.agreed
    assert found.rates == (0.2, 0.2)
    assert found.values.tolist() == [1.0] * 6


def test_one_member_chooses_for_itself():
    found = best_rates(np.array([[2.0], [1.0]]), np.array([0.1, 0.2]))

    assert found.rates == (0.2, 0.2)
    assert found.values.tolist() == [1.0]


@pytest.mark.parametrize("comparisons", [1, 12])
@pytest.mark.parametrize("share_below", [0.6, 0.75, 0.9, 1.0])
def test_so_many_members_settle_an_order_as_often_as_asked(share_below, comparisons):
    needed = members_needed(share_below, power=0.8, comparisons=comparisons)

    def settled(members):
        counts = np.arange(members + 1)
        p_values = [stats.binomtest(int(k), members).pvalue for k in counts]
        right = (np.array(p_values) * comparisons < 0.05) & (counts > members / 2)
        return stats.binom.pmf(counts, members, share_below)[right].sum()

    assert settled(needed) >= 0.8
    assert settled(needed - 1) < 0.8
    other_way = members_needed(1 - share_below, power=0.8, comparisons=comparisons)
    assert other_way == needed


# Golden, of looking at every number of members up to twice the approximate one.
NEEDED = [
    (0.504, 0.9, 164619),
    (0.51, 0.05, 418),
    (0.51, 0.99, 46060),
    (0.502, 0.5, 241000),
    (0.55, 0.8, 820),
    (0.7, 0.9, 70),
    (0.999, 0.99, 6),
    (1.0, 0.5, 6),
]


@pytest.mark.parametrize(("share", "power", "needed"), NEEDED)
def test_numbers_of_members_are_those_of_looking_at_all(share, power, needed):
    assert members_needed(share, power=power) == needed


def test_close_orders_cost_little_time_and_keep_no_memory():
    tracemalloc.start()
    began = time.process_time()
    for each in np.linspace(0.504, 0.5041, 12):
        members_needed(float(each))
    took = time.process_time() - began
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert took < 5  # 0.1 s, and under tracemalloc more; looking at all took 19 s
    assert kept < 1e6
    assert most < 2e7


def test_an_even_share_is_never_settled():
    assert members_needed(0.5) is None
    assert members_needed(0.5001) is None


def test_impossible_shares_and_powers_are_refused():
    with pytest.raises(ValueError, match="share: a number from 0 to 1, got 79"):
        members_needed(79.0)
    with pytest.raises(ValueError, match="power: a number between 0 and 1, got 90"):
        members_needed(0.7, power=90.0)


def test_an_unsettled_order_may_need_any_number_of_members():
    first = np.zeros(20)
    second = np.tile([1.0, 1, 1, -1, -1], 4)

    found = order(pair("a", "b", "loss", (first, second), worst=np.inf))

    assert not found.settled
    assert found.needed > 100
    assert found.needed_range[1] is None


def test_ties_raise_the_number_of_members():
    first = np.zeros(80)
    plain = np.tile([1.0, 1, 1, -1], 20)
    tied = np.where(np.arange(80) % 8 < 4, plain, 0)

    def needed(second):
        return order(pair("a", "b", "loss", (first, second), worst=np.inf)).needed

    assert needed(tied) == 2 * needed(plain)


def test_all_ties_need_no_number():
    same = np.ones(10)

    found = order(pair("a", "b", "loss", (same, same), worst=np.inf))

    assert (found.settled, found.needed) == (False, None)
