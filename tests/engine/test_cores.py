"""The cores that are ours: as many as the system gives, one thread of BLAS on each."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from initlab.engine import cores, one_blas_thread
from initlab.engine._threads import in_threads
from initlab.study._execute import workers_of


def blas_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }


@pytest.fixture
def two_threads():
    with threadpool_limits(2, user_api="blas"):
        yield


def groups_of_one():
    groups = [range(number, number + 1) for number in range(3)]
    return in_threads(groups, lambda *_: [0], steps=1, threads=1)


@pytest.mark.usefixtures("two_threads")
def test_overlapping_runs_leave_blas_as_they_found_it():
    first, second = groups_of_one(), groups_of_one()
    next(first)
    next(second)
    first.close()

    during = blas_threads()
    second.close()

    assert during == {1}
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_threads")
def test_many_users_at_once_each_have_one_thread_until_the_last_is_gone():
    seen, together = [], threading.Barrier(8)

    def use():
        for _ in range(20):
            with one_blas_thread():
                seen.append(blas_threads())
        together.wait()

    users = [threading.Thread(target=use) for _ in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join()

    assert seen == [{1}] * 160
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_threads")
def test_the_last_user_gives_back_what_a_living_thread_has_set():
    began, end, gone, ended = (threading.Event() for _ in range(4))

    def use():
        with one_blas_thread():
            began.set()
            end.wait()
        gone.set()
        ended.wait()

    first = threading.Thread(target=use)
    first.start()
    began.wait()
    with one_blas_thread():
        end.set()
        gone.wait()
    after = blas_threads()
    ended.set()
    first.join()

    assert after == {2}


def test_cores_are_those_that_this_process_may_use():
    code = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
else:
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
from initlab import engine
print(engine.cores())
"""

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert ended.stdout.strip() == "1", ended.stderr


def test_an_executor_that_tells_nothing_is_taken_for_one_of_our_cores(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")

    assert cores() == workers_of(object()) == 1
