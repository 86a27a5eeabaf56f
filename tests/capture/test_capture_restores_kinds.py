"""What is put back after a reading, by kind: tensors, attributes, optimizers."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils import checkpoint

from initlab import capture
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.pytorch import draw_weight
from initlab.spec import LayerSpec

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


class Holds(nn.Module):
    """A layer, what else it holds, and what it does to that whenever it runs."""

    def __init__(self, held=None, does=lambda _: None):
        super().__init__()
        self.layer, self.does, self.held = nn.Linear(4, 2), does, held

    def forward(self, x):
        self.does(self)
        return self.layer(x)


def mapped(path):
    array = np.lib.format.open_memmap(path, "w+", np.float32, (3,))
    array[:] = [1, 2, 3]
    array.flush()
    return np.load(path, mmap_mode="r")


def read_only(_):
    array = np.arange(1.0, 4.0)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("make", [mapped, read_only])
def test_arrays_that_nothing_writes_to_are_held_as_they_are(make, tmp_path):
    held = make(tmp_path / "held.npy")
    model = Holds(held)

    assert len(capture.read(model, X).uses) == 1
    assert model.held is held
    assert held.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "held",
    [
        torch.eye(4).to_sparse(),
        torch.ones(1).expand(5),
        torch.ones(3, device="meta"),
    ],
    ids=["sparse", "expanded", "meta"],
)
def test_tensors_that_nothing_writes_to_are_held_as_they_are(held):
    model = Holds(held)

    assert len(capture.read(model, X).uses) == 1
    assert model.held is held


def test_a_tensor_that_is_written_to_is_as_it_was():
    model = Holds(torch.zeros(3), does=lambda one: one.held.add_(1))

    capture.read(model, X)

    assert not model.held.any()


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.strided])
def test_a_sparse_buffer_is_as_it_was(layout):
    class Graph(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)
            edges = torch.eye(8)
            is_sparse = layout == torch.sparse_coo
            self.register_buffer("edges", edges.to_sparse() if is_sparse else edges)

        def forward(self, x):
            self.edges.mul_(2)
            return self.edges @ self.layer(x)

    model = Graph()

    assert len(capture.read(model, X).uses) == 1
    assert torch.equal(model.edges.to_dense(), torch.eye(8))
    assert model.edges.layout == layout


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("of", ["bias", "weight"])
def test_a_parameter_asks_for_gradients_as_it_did(asks, of):
    def turn(model):
        getattr(model.layer, of).requires_grad_(not asks)

    model = Holds(does=turn)
    getattr(model.layer, of).requires_grad_(asks)

    reading = capture.read(model, X)

    assert getattr(model.layer, of).requires_grad == asks
    assert {one.name: one.frozen for one in reading.parameters}[f"layer.{of}"] == asks


def test_attributes_that_a_run_makes_are_gone_afterwards():
    def count(model):
        model.seen = getattr(model, "seen", 0) + 1

    model = Holds(does=count)
    before = set(vars(model))

    capture.read(model, X)
    assert set(vars(model)) == before

    model(X)
    assert model.seen == 1


def test_what_another_tool_does_with_checkpoints_is_put_back(monkeypatch):
    def mine(function, _preserve, *args):
        return function(*args)

    model = Holds()
    monkeypatch.setattr(checkpoint.CheckpointFunction, "apply", mine)

    capture.read(model, X)

    assert checkpoint.CheckpointFunction.apply is mine


class Counts(torch.optim.SGD):
    """Writes into its groups, as schedule-free optimizers do."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["steps"] = group.get("steps", 0) + 1
            group["lr"] = group["lr"] / group["steps"]
        return super().step(closure)


def test_the_groups_of_an_optimizer_are_as_they_were():
    model = Holds()
    optimizer = Counts(model.parameters(), lr=0.1)
    before = dict(optimizer.param_groups[0])

    capture.read(model, X, targets=torch.randn(8, 2), optimizer=optimizer)

    assert optimizer.param_groups[0].keys() == before.keys()
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_a_function_that_makes_no_optimizer_is_refused():
    given = {"targets": torch.randn(8, 2)}

    with pytest.raises(
        InvalidValueError, match=r"^optimizer: .* got a function that makes float$"
    ):
        capture.read(Holds(), X, optimizer=lambda _: 0.1, **given)
    made = capture.read(Holds(), X, optimizer=torch.optim.Adam, **given)
    assert made.optimizer == "Adam"


def test_an_error_of_ours_inside_a_model_is_the_user_s_to_read():
    def draw(_):
        draw_weight("he_norml", LayerSpec(shape=(2, 2)), name="weight")

    with pytest.raises(UnknownNameError, match="he_norml"):
        capture.read(Holds(does=draw), X)


def test_a_model_that_runs_once_alone_is_as_it_was():
    """What gets no gradient behind zeros is looked at once more, after a step."""

    def once(model):
        if hasattr(model, "ran"):
            raise ArithmeticError("ran before")
        model.ran = True

    model = nn.Sequential(Holds(does=once), nn.ReLU(), nn.Linear(2, 2))
    nn.init.zeros_(model[2].weight)

    assert len(capture.read(model, X).uses) == 2
    with pytest.raises(ArithmeticError, match="ran before"):
        capture.read(model, X, targets=torch.randn(8, 2))
    assert not hasattr(model[0], "ran")
    assert not model[2].weight.any()


def test_a_lazy_model_that_fails_says_so_in_a_line():
    model = nn.Sequential(nn.LazyLinear(8), nn.Linear(9, 2))

    with pytest.raises(
        InvalidValueError, match=r"^model: failed on this batch: RuntimeError: mat1"
    ):
        capture.read(model, X)
    assert isinstance(model[0], nn.LazyLinear)
    model[1] = nn.Linear(8, 2)
    assert len(capture.read(model, X).uses) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: "words", "a torch.nn.Module, got str"),
        (lambda: torch.jit.trace(nn.Linear(4, 2), X), "a scripted module hides its fu"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.*:DeprecationWarning")
def test_what_cannot_be_read_is_refused_as_a_model(make, message):
    with pytest.raises(InvalidValueError, match=f"^model: {message}"):
        capture.read(make(), X)
