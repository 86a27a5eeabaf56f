"""Spreads and intervals: right by simulation and by hand."""

import numpy as np
import pytest
from scipy import stats

from initlab.analysis import pair, summarize
from initlab.analysis.statistics import share


@pytest.mark.parametrize("members", [6, 7, 20, 51])
def test_the_interval_of_the_median_covers_it_at_least_19_times_in_20(members):
    rng = np.random.default_rng(members)
    draws = rng.lognormal(size=(4000, members))  # true median 1, skewed

    covered = 0
    for values in draws:
        low, high = summarize(values, worst=np.inf).interval
        covered += low <= 1 <= high

    # Exact coverage is at least .95; 4 standard errors below would be a fault.
    assert covered / 4000 > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 4000)


def test_the_interval_is_the_narrowest_pair_of_order_statistics():
    low, high = summarize(np.arange(20.0), worst=np.inf).interval

    inside = stats.binom.cdf(14, 20, 0.5) - stats.binom.cdf(5, 20, 0.5)
    assert (low, high) == (5, 14)
    assert inside > 0.95
    narrower = stats.binom.cdf(13, 20, 0.5) - stats.binom.cdf(6, 20, 0.5)
    assert narrower < 0.95


def test_five_members_are_too_few_for_an_interval():
    assert summarize(np.arange(5.0), worst=np.inf).interval is None


def test_a_diverged_member_counts_as_the_worst():
    summary = summarize(np.array([np.nan, 1.0, 2.0]), worst=np.inf)

    assert summary.median == 2
    assert summary.spread == (1, np.inf)


def test_median_and_spread_are_quantiles_over_members():
    summary = summarize(np.arange(101.0), worst=np.inf)

    assert summary.median == 50
    assert summary.spread == (5, 95)
    assert summarize(np.array([1.0, 3.0]), worst=np.inf).median == 2


def test_pairs_count_ties_apart_and_bound_the_share():
    first = np.array([1.0, 1, 1, 2, np.nan])
    second = np.array([2.0, 2, 1, 1, np.nan])

    found = pair("a", "b", "loss", (first, second), worst=np.inf)

    assert (found.below, found.ties, found.members) == (2, 2, 5)
    assert found.interval == share(2, 3).interval


def test_nothing_but_ties_has_no_interval():
    same = np.ones(4)

    assert pair("a", "b", "loss", (same, same), worst=np.inf).interval is None


def test_a_diverged_member_has_the_lowest_score_and_the_highest_loss():
    values = (np.array([np.nan]), np.array([0.5]))

    assert pair("a", "b", "accuracy", values, worst=-np.inf).below == 1
    assert pair("a", "b", "loss", values, worst=np.inf).below == 0
    assert summarize(np.array([np.nan, 0.5]), worst=np.inf).median == np.inf
