"""All peers train alike: from the same starts they reach the same losses."""

import os
from functools import partial
from itertools import pairwise

import numpy as np
import peers
import pytest
from peers import PEERS, Task, final_losses, pinned
from sklearn.datasets import make_circles, make_classification

MEMBERS, STEPS = 5, 40
CASES = {
    **PEERS,
    "torch_vmap in twos": partial(peers.torch_vmap, chunk=2),
    "jax_vmap_scan in twos": partial(peers.jax_vmap_scan, chunk=2),
}


def he_starts(widths, members, seed=0):
    drawn = np.random.default_rng(seed)
    return [
        [
            (drawn.normal(size=(o, i)) * np.sqrt(2 / i), drawn.normal(size=o) * 0.1)
            for i, o in pairwise(widths)
        ]
        for _ in range(members)
    ]


def circles(**changes):
    x, y = make_circles(n_samples=60, noise=0.05, random_state=0)
    values = {
        "widths": (2, 10, 5, 1),
        "activation": "relu",
        "loss": "binary_cross_entropy",
        "x": x,
        "y": y[:, None].astype(float),
        "learning_rate": 0.3,
    }
    return Task(**(values | changes))


def three_classes(**changes):
    x, y = make_classification(
        n_samples=60,
        n_features=4,
        n_informative=3,
        n_redundant=0,
        n_classes=3,
        n_clusters_per_class=1,
        random_state=0,
    )
    values = {
        "widths": (4, 8, 3),
        "activation": "tanh",
        "loss": "softmax_cross_entropy",
        "x": x,
        "y": np.eye(3)[y],
        "learning_rate": 0.3,
    }
    return Task(**(values | changes))


def two_labels(**changes):
    y = circles().y
    return circles(widths=(2, 6, 2), y=np.hstack([y, 1 - y]), **changes)


def batches(size=16, steps=STEPS - 10):
    return np.random.default_rng(1).integers(0, 60, size=(steps, size))


def trained_losses(task, starts):
    """The same training, as plainly as can be written, to compare with."""
    members = [[(w.astype(float), b.astype(float)) for w, b in s] for s in starts]
    for layers in members:
        for step in range(STEPS):
            rows = slice(None)
            if task.batches is not None:
                rows = task.batches[step % len(task.batches)]
            x, y = task.x[rows], task.y[rows]
            values, zs = [x], []
            for w, b in layers:
                zs.append(values[-1] @ w.T + b)
                relu = task.activation == "relu"
                values.append(np.maximum(zs[-1], 0) if relu else np.tanh(zs[-1]))
            if task.loss == "binary_cross_entropy":
                outputs = 1 / (1 + np.exp(-zs[-1]))
            else:
                outputs = np.exp(zs[-1])
                outputs /= outputs.sum(axis=1, keepdims=True)
            delta = (outputs - y) / len(y)
            for index in reversed(range(len(layers))):
                w, b = layers[index]
                slope_w, slope_b = delta.T @ values[index], delta.sum(axis=0)
                relu = task.activation == "relu"
                slope = zs[index - 1] > 0 if relu else 1 - values[index] ** 2
                delta = (delta @ w) * slope if index else delta
                layers[index] = (
                    w - task.learning_rate * slope_w,
                    b - task.learning_rate * slope_b,
                )
    return final_losses(task, members)


@pytest.mark.parametrize("peer", CASES.values(), ids=CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("batches", [None, batches()], ids=["full", "batches"])
@pytest.mark.parametrize("make", [circles, three_classes, two_labels])
def test_peers_reach_the_same_losses(make, batches, dtype, peer):
    task = make(dtype=dtype, batches=batches)
    starts = he_starts(task.widths, MEMBERS)
    run = peer(task, starts, STEPS)
    losses = run()
    assert np.all(losses < final_losses(task, starts))
    np.testing.assert_array_equal(run(), losses)  # a run leaves the starts alone
    if run.comparable:
        expected = trained_losses(task, starts)
        rtol = 1e-10 if dtype is np.float64 else 2e-4
        np.testing.assert_allclose(losses, expected, rtol=rtol)
        assert run.steps == STEPS


@pytest.mark.parametrize("peer", CASES.values(), ids=CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_peers_train_in_the_precision_asked_for(dtype, peer):
    task = circles(dtype=dtype)
    trained = peer(task, he_starts(task.widths, 2), 3).train()
    assert {
        array.dtype for layers in trained for layer in layers for array in layer
    } == {np.dtype(dtype)}


@pytest.mark.parametrize("peer", CASES.values(), ids=CASES)
def test_peers_reach_the_same_losses_with_two_threads(peer):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores")
    task = circles(threads=2)
    starts = he_starts(task.widths, MEMBERS)
    with pinned(2):
        losses = peer(task, starts, STEPS)()
    np.testing.assert_allclose(losses, trained_losses(task, starts), rtol=1e-10)


@pytest.mark.parametrize("name", PEERS)
def test_only_scikit_learn_draws_its_own_batches(name):
    task = circles(batches=batches(size=16))
    run = PEERS[name](task, he_starts(task.widths, 1), 10)
    if name.startswith("sklearn"):
        assert not run.comparable
        assert run.steps == 12  # three epochs of four batches
    else:
        assert run.comparable
        assert run.steps == 10


def test_pinned_moves_every_thread_and_gives_the_cores_back():
    def affinities():
        return {
            frozenset(os.sched_getaffinity(int(thread)))
            for thread in os.listdir("/proc/self/task")
        }

    before = os.sched_getaffinity(0)
    with pinned(1):
        assert {len(cores) for cores in affinities()} == {1}
    assert affinities() == {frozenset(before)}


@pytest.mark.parametrize("threads", [0, 10_000])
def test_pinned_refuses_cores_it_has_not(threads):
    with pytest.raises(ValueError, match="threads must be between"), pinned(threads):
        pass


def test_best_chunk_is_the_fastest_that_fits():
    task = circles()
    starts = he_starts(task.widths, 16)
    assert peers.best_chunk(peers.torch_vmap, task, starts, (1, 16, 64), 5) == 16
    assert peers.best_chunk(peers.torch_vmap, task, starts[:1], (16, 64), 5) == 16
