"""Anybody's executor: the same bytes, few shards in flight, faults survived."""

import os
import signal
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

import initlab as il
from initlab.errors import ExecutionError, InvalidValueError


def small(**choices):
    base = {
        "network": {"width": 4},
        "inits": ["normal(std=1)", "he_normal"],
        "members": 8,
        "steps": 200,
        "shard_members": 2,
        "grid": {"network.depth": [1, 2]},
    }
    return il.Study(**(base | choices))


def assert_equal(stored, memory):
    for name in memory.data_vars:
        assert stored[name].values.tobytes() == memory[name].values.tobytes(), name


@pytest.fixture(scope="module")
def expected():
    return il.run(small(), threads=1, engine="lanes")


def mine(shape, rng):
    return rng.standard_normal(shape)


def there(study, store, executor, **choices):
    return il.run(study, store=store, executor=executor, engine="lanes", **choices)


@pytest.mark.slow
def test_processes_give_the_same_bytes_as_threads(tmp_path, expected):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert_equal(there(small(), tmp_path / "a.zarr", pool), expected)
        # A callable's weights are drawn here: it need not travel.
        local = small(inits={"local": lambda shape, rng: rng.standard_normal(shape)})
        drawn = there(local, tmp_path / "b.zarr", pool)

    assert_equal(drawn, il.run(local, threads=1, engine="lanes"))


def test_arrays_of_the_user_travel_with_the_shards(tmp_path, expected):
    X, y = expected.loss.values.reshape(-1, 4)[:40, :2].copy(), [0, 1] * 12
    study = small(problem=(X[:24], y), grid=None, network={})

    with ThreadPoolExecutor(2) as pool:
        assert_equal(
            there(study, tmp_path / "a.zarr", pool), il.run(study, engine="lanes")
        )


def test_few_shards_are_in_flight(tmp_path):
    seen = []

    class Counting(ThreadPoolExecutor):
        flying = 0

        def submit(self, *work):
            type(self).flying += 1
            seen.append(type(self).flying)
            future = super().submit(*work)
            future.add_done_callback(self.landed)
            return future

        def landed(self, _):
            type(self).flying -= 1

    with Counting(1) as pool:
        there(small(), tmp_path / "a.zarr", pool)

    assert len(seen) == 16
    assert max(seen) <= 4


def test_a_lost_shard_is_tried_again_and_then_named(tmp_path, expected):
    class Losing(Executor):
        def __init__(self, lost):
            self.lost, self.pool = lost, ThreadPoolExecutor(1)

        def submit(self, *work):
            if self.lost:
                self.lost -= 1
                future = Future()
                future.set_exception(RuntimeError("worker died"))
                return future
            return self.pool.submit(*work)

    assert_equal(there(small(), tmp_path / "a.zarr", Losing(2)), expected)
    with pytest.raises(ExecutionError, match="failed 3 times: RuntimeError: worker"):
        there(small(), tmp_path / "b.zarr", Losing(99))


def test_a_worker_with_other_versions_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("initlab.study._work.versions", lambda _: {"numpy": "1.0"})

    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(InvalidValueError, match=r"a worker has \w+ None, and this"),
    ):
        there(small(), tmp_path / "a.zarr", pool)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_dask_cluster_loses_workers_and_then_its_scheduler(tmp_path):
    from distributed import Client, LocalCluster

    study = small(steps=4000, members=24)
    expected = il.run(study, engine="lanes")
    killed = []

    def kill_a_worker(done, total):
        if done > total / 4 and not killed:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        executor = client.get_executor(pure=False)
        survived = there(study, tmp_path / "a.zarr", executor, progress=kill_a_worker)
        assert killed
        assert_equal(survived, expected)

        def lose_the_scheduler(done, total):
            if done > total / 4 and len(killed) == 1:
                killed.append("scheduler")
                threading.Thread(target=cluster.close).start()

        with pytest.raises(ExecutionError, match="the same command resumes"):
            there(study, tmp_path / "b.zarr", executor, progress=lose_the_scheduler)

    assert_equal(il.run(study, store=tmp_path / "b.zarr"), expected)
