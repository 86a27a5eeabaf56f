"""Around a check: other threads, types, modes and wrappers, each as it may be."""

import json
import threading
import warnings
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch
from initlab.errors import InvalidValueError


def network(units=10):
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, units))


def test_a_default_type_of_64_bits_changes_nothing():
    torch.set_default_dtype(torch.float64)
    try:
        model = network()
        diagnosis = pytorch.check(model, torch.randn(32, 16))
    finally:
        torch.set_default_dtype(torch.float32)

    assert diagnosis.sound


def test_threads_may_check_models_of_their_own():
    failed = []

    def work():
        try:
            pytorch.check(network(), torch.randn(32, 16))
        except Exception as error:
            failed.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert failed == []


def test_other_threads_that_run_other_models_are_no_part_of_a_reading():
    seen, ends = threading.Event(), threading.Event()

    class Waits(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = network()

        def forward(self, x):
            seen.set()
            ends.wait(10)
            return self.layers(x)

    def work():
        seen.wait(10)
        network()(torch.ones(2, 16))
        ends.set()

    thread = threading.Thread(target=work)
    thread.start()
    diagnosis = pytorch.check(Waits(), torch.randn(32, 16))
    thread.join()

    assert diagnosis.dataset.sizes["layer"] == 2


def test_one_example_with_one_output_has_no_spread():
    diagnosis = pytorch.check(
        nn.Linear(16, 1), torch.randn(1, 16), targets=torch.randn(1, 1)
    )

    assert diagnosis.dataset.sizes["layer"] == 1


def test_a_model_may_be_checked_inside_inference_mode():
    model, batch = network(), torch.randn(32, 16)

    with torch.inference_mode():
        inside = pytorch.check(model, batch.clone(), targets=torch.arange(32) % 10)

    outside = pytorch.check(model, batch, targets=torch.arange(32) % 10)
    assert str(inside) == str(outside)


def test_a_model_made_inside_inference_mode_is_refused():
    with torch.inference_mode():
        model = network()

    with pytest.raises(
        InvalidValueError, match=r"^model: its tensors were made inside"
    ):
        pytorch.check(model, torch.randn(32, 16))


def test_an_exported_module_is_refused():
    exported = torch.export.export(network(), (torch.ones(32, 16),)).module()

    with pytest.raises(InvalidValueError, match=r"^model: an exported module"):
        pytorch.check(exported, torch.randn(32, 16))


def test_parameters_that_are_spread_over_processes_are_refused():
    class Spread(nn.Parameter):
        placements = ()

    model = nn.Linear(16, 4)
    model.weight = Spread(torch.ones(4, 16))

    with pytest.raises(
        InvalidValueError, match=r"^model: its parameters are spread over"
    ):
        pytorch.check(model, torch.randn(32, 16))


class Mapped(nn.Module):
    """A layer mapped over examples, a gradient by the inputs, or several networks."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.entry, self.head = nn.Linear(8, 16), nn.Linear(16, 3)

    def energy(self, x):
        return self.head(torch.tanh(self.entry(x))).sum()

    def forward(self, x):
        if self.how == "layer":
            hidden = torch.vmap(lambda one: torch.relu(self.entry(one)))(x)
            return self.head(hidden)
        if self.how == "gradient":
            return torch.vmap(torch.func.grad(self.energy))(x)
        entries = torch.stack([self.entry.weight, self.entry.weight * 2])
        out = torch.vmap(functional.linear, (None, 0))(x, entries)
        return self.head(torch.relu(out.mean(0)))


@pytest.mark.parametrize("how", ["layer", "gradient", "networks"])
def test_mapped_functions_are_used_and_not_measured(how):
    model = Mapped(how)
    diagnosis = pytorch.check(model, torch.randn(32, 8))
    assert not [one for one in diagnosis.findings if "weight" in str(one.parameter)]
    assert "note: layers inside torch.vmap are not measured" in str(diagnosis)
    assert json.loads(diagnosis.to_json())["notes"]
    measured = list(diagnosis.dataset["parameter"].values)
    assert measured == ([] if how == "gradient" else ["head.weight"])
    said = "sound where it was measured; not measured: entry.weight"
    more = ", head.weight" if how == "gradient" else ""
    assert f"{said}{more}, used in vmap; excluded of the rest:" in str(diagnosis)
    excluded = str(diagnosis).rpartition("excluded of the rest:")[2]
    for name in ("dead units", "dead zero tensor"):
        assert (name in excluded) == (how != "gradient")


class Unread(nn.Module):
    """A matrix at work in a function that is no layer."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.weight = nn.Parameter(torch.randn(16, 16) / 4)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        if self.how == "mul":
            x = (x[:, :, None] * self.weight).sum(1)
        elif self.how == "cdist":
            x = torch.cdist(x, self.weight)
        elif self.how == "einsum":
            ids = (x[:, 0] > 0).long()
            stack = torch.stack([self.weight, self.weight]).reshape(2, 16, 16)
            x = torch.einsum("bi,bij->bj", x, stack[ids])
        elif self.how == "vecdot":
            x = torch.linalg.vecdot(x[:, None], self.weight)
        elif self.how == "shift":
            x = x + self.weight[: len(x)].mean(0)
        elif self.how == "norm":
            x = functional.linear(x, functional.normalize(self.weight))
        return self.head(x)


@pytest.mark.parametrize("how", ["mul", "cdist", "einsum", "vecdot", "shift", "norm"])
def test_what_was_not_measured_is_not_said_to_be_excluded(how):
    said = str(pytorch.check(Unread(how), torch.randn(32, 16)))

    name = "linalg_vecdot" if how == "vecdot" else how
    measured = how in ("shift", "norm")
    assert (f"not measured: weight, used in {name}; excluded of" in said) != measured
    assert ("initialization sound; excluded:" in said) == measured


def test_what_the_loss_leaves_out_is_said():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(16, 3), nn.Linear(16, 3)

        def forward(self, x):
            return self.one(x), self.two(x)

    said = pytorch.check(
        Two(), torch.randn(32, 16), loss=lambda made: made[0].square().mean()
    )

    assert [(one.id, one.parameter) for one in said.findings] == [
        ("WI21", "two.weight")
    ]
    assert "two.weight" in str(said)


def test_a_layer_without_units_is_left_out():
    class Empty(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(16, 0), nn.Linear(16, 3)

        def forward(self, x):
            return self.two(x) + self.one(x).sum()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch's, of its own start
        model = Empty()

    reading = capture.read(model, torch.randn(32, 16))

    assert [use.parameter for use in reading.uses] == ["two.weight"]


class Pair(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


class OfTwo(nn.Module):
    """Takes one argument, its halves, or a pair."""

    def __init__(self, takes):
        super().__init__()
        self.takes = takes
        self.layer = nn.Linear(8, 4)
        if takes == "two":
            self.forward = lambda x, y: self.layer(x + y)

    def forward(self, batch):
        whole = batch.x if self.takes == "pair" else batch
        return self.layer(whole)


def test_a_named_tuple_is_one_argument_unless_the_model_needs_more():
    pair = Pair(torch.randn(6, 8), torch.randn(6, 8))
    assert pytorch.check(OfTwo("pair"), pair).dataset.sizes["layer"] == 1
    assert pytorch.check(OfTwo("two"), pair).dataset.sizes["layer"] == 1
    message = r"it was given the Pair as one argument; tuple\(batch\) gives several"
    with pytest.raises(InvalidValueError, match=message):
        pytorch.check(OfTwo("one"), pair)
    labelled = (torch.randn(6, 8), torch.tensor([0, 1, 2, 3, 0, 1]))
    assert pytorch.check(OfTwo("one"), labelled).dataset.sizes["layer"] == 1
