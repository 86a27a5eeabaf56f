"""Outputs in every structure that Python has: gradients come back from all of them."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from initlab import capture, pytorch

ROWS = torch.randn(32, 16, generator=torch.Generator().manual_seed(1))


class Slots:
    """Holds outputs without a dict of attributes."""

    __slots__ = ("made", "more")

    def __init__(self, made):
        self.made = made


class FurtherSlots(Slots):
    """Its slots are those of the class that it is made of."""

    __slots__ = ()


@dataclass(slots=True)
class SlottedData:
    """A data class without a dict of attributes."""

    made: Any
    name: str = ""


class Attributes:
    """Holds outputs, and itself."""

    def __init__(self, made):
        self.made, self.own = made, self


def nested(made):
    for kind in (Attributes, lambda one: [one], Slots, lambda one: {"a": one}) * 2:
        made = kind(made)
    return made


def one_by_one(made):
    yield from made.unbind()


STRUCTURES = {
    "slots": Slots,
    "inherited slots": FurtherSlots,
    "slotted data class": SlottedData,
    "set": lambda made: {made},
    "frozen set": lambda made: frozenset([made]),
    "deque": lambda made: deque([made], maxlen=3),
    "generator": one_by_one,
    "generator in a tuple": lambda made: (None, one_by_one(made)),
    "map": lambda made: map(torch.tanh, [made]),
    "eight deep": nested,
    "beside an input": lambda made: (ROWS, Slots(made)),
}


class Returns(nn.Module):
    """Two layers, and outputs in some structure."""

    def __init__(self, structure):
        super().__init__()
        self.structure = structure
        self.layers = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x):
        return self.structure(self.layers(x))


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_gradients_come_back_from_every_structure(name):
    diagnosis = pytorch.check(Returns(STRUCTURES[name]), ROWS)

    assert diagnosis.findings == ()
    assert (diagnosis.dataset["delta_rms"] > 0).all()


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_a_fault_is_found_behind_every_structure(name):
    model = Returns(STRUCTURES[name])
    nn.init.constant_(model.layers[0].bias, -50.0)

    (found,) = pytorch.check(model, ROWS).of("warning", "error")

    assert found.parameter == "layers.0.bias"


def test_layers_that_run_only_when_a_generator_is_read_are_read():
    class Later(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))

        def forward(self, x):
            for layer in self.layers:
                x = torch.relu(layer(x))
                yield x

    diagnosis = pytorch.check(Later(), ROWS)

    assert diagnosis.dataset.sizes["layer"] == 3
    assert not diagnosis.of("warning", "error")


def test_a_part_that_only_an_object_holds_is_an_output_beside_others():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(16, 3), nn.Linear(16, 3)

        def forward(self, x):
            return self.one(x), Slots(self.two(x))

    assert not pytorch.check(Two(), ROWS).of("warning", "error")


@pytest.mark.parametrize("beside", [nn.Linear, torch.relu, torch, len])
def test_what_an_object_holds_beside_outputs_may_be_anything(beside):
    def kind(made):
        return Attributes((made, beside))

    assert pytorch.check(Returns(kind), ROWS).sound


def test_a_module_that_an_output_holds_is_no_output():
    model = Returns(lambda made: Attributes((made, model.spare)))
    model.spare = nn.Linear(3, 3)

    (found,) = pytorch.check(model, ROWS).of("warning", "error")

    assert (found.id, found.parameter) == ("WI21", "spare.weight")


def test_what_a_cache_holds_is_no_output():
    class Cached(nn.Module):
        def __init__(self):
            super().__init__()
            self.key, self.head = nn.Linear(16, 16), nn.Linear(16, 3)

        def forward(self, x):
            key = self.key(x)
            return self.head(torch.relu(key)), Slots(key)

    uses = capture.read(Cached(), ROWS).uses

    assert [use.given_out for use in uses] == [False, True]


def test_a_loss_reads_what_a_generator_gave():
    model = Returns(one_by_one)

    diagnosis = pytorch.check(
        model, ROWS, loss=lambda made: torch.stack(list(made)).square().mean()
    )

    assert not diagnosis.of("warning", "error")
