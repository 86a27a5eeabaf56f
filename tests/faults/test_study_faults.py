"""Faults of benchmarks/study_faults.py, once: nothing lost, nothing complete redone.

Those of a cluster are in tests/study/test_executors.py.
"""

import random
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def faults():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        import study_faults

        yield study_faults


@pytest.fixture(scope="module")
def lab(faults, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # Shorter than the published one: CI waits for every run.
        patch.setattr(faults, "STUDY", faults.STUDY.replace("6000", "1000"))
        yield faults.Laboratory(tmp_path_factory.mktemp("faults"))


def assert_nothing_lost(outcome):
    assert outcome.trials > 0 or outcome.remarks
    assert outcome.lost == 0
    assert outcome.most_redone == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT", "SIGTERM"])
def test_a_signal_at_a_random_moment_loses_nothing(faults, lab, name):
    number = getattr(signal, name)

    outcome = faults.signals(lab, number, 1, random.Random(name))

    assert_nothing_lost(outcome)


def test_files_that_a_power_cut_took_are_found_and_made_again(faults, lab):
    assert_nothing_lost(faults.power_cut(lab, 3, random.Random(1)))


def test_documents_that_a_power_cut_took_are_made_again(faults, lab):
    assert_nothing_lost(faults.description_cut(lab, 3, random.Random(2)))


@pytest.mark.parametrize("fault", ["ENOSPC", "EROFS", "short"])
def test_a_disk_that_fails_costs_a_sentence_and_a_resume(faults, lab, fault):
    assert_nothing_lost(faults.disk(lab, fault, 1, random.Random(3)))


@pytest.mark.slow
def test_a_real_disk_that_fills_up_costs_a_sentence_and_a_resume(faults, lab):
    assert_nothing_lost(faults.mounts(lab, 1, random.Random(4)))


@pytest.mark.slow
def test_a_second_process_is_refused_and_a_dead_one_recognised(faults, lab):
    outcome = faults.two_writers(lab, 1, random.Random(5))

    assert_nothing_lost(outcome)
    told = "second refused 1 of 1, the dead one recognised 1 of 1"
    assert outcome.remarks == [told]
