"""What is put back after a reading: through a Ctrl-C, past failures, in any object."""

import contextlib
import os
import signal
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from initlab import capture
from initlab.capture import _restoring as restoring

X = torch.ones(3, 4)


def test_ctrl_c_waits_until_all_is_put_back():
    done = []

    def interrupted():
        if "first" not in done:
            os.kill(os.getpid(), signal.SIGINT)
        done.append("first")

    with (
        pytest.raises(KeyboardInterrupt),
        restoring.restoring(interrupted, lambda: done.append("second")),
    ):
        done.append("body")

    assert done[:3] == ["body", "first", "second"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_it_is_held_back(monkeypatch):
    """As it may come between the end of what runs and the first of its ends."""
    held_back, done, times = restoring._uninterrupted, [], iter([1])

    def late():
        if next(times, None):
            raise KeyboardInterrupt
        return held_back()

    monkeypatch.setattr(restoring, "_uninterrupted", late)

    with (
        pytest.raises(KeyboardInterrupt),
        restoring.restoring(lambda: done.append("put back")),
    ):
        pass

    assert done == ["put back"]


def test_a_failure_stops_nothing_else_from_being_put_back():
    done = []

    with (
        pytest.raises(ZeroDivisionError),
        restoring.restoring(lambda: 1 / 0, lambda: done.append("second")),
    ):
        pass

    assert done == ["second"]


def test_an_interrupted_optimizer_has_its_state(monkeypatch):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    optimizer = torch.optim.Adam(model.parameters())
    model(X).sum().backward()
    optimizer.step()
    before = str(optimizer.state_dict())
    monkeypatch.setattr(
        optimizer, "step", lambda: os.kill(os.getpid(), signal.SIGINT) or [0] * 10**6
    )

    with pytest.raises(KeyboardInterrupt):
        capture.read(model, X, optimizer=optimizer)

    assert str(optimizer.state_dict()) == before


def test_ctrl_c_that_nobody_heard_is_raised_at_the_end():
    class Deaf(nn.Linear):
        """Python drops what is raised in the callback of a weak reference."""

        def forward(self, x):
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                sum(range(10**5))
            return super().forward(x)

    with pytest.raises(KeyboardInterrupt):
        capture.read(Deaf(4, 2), X)

    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@dataclass
class Cache:
    keys: torch.Tensor = field(default_factory=lambda: torch.zeros(3))
    seen: list = field(default_factory=list)


class Slots:
    __slots__ = ("keys", "later", "seen")

    def __init__(self):
        self.keys, self.seen = torch.zeros(3), []


class Remembers(nn.Module):
    """Writes into an object of its author's."""

    def __init__(self, cache):
        super().__init__()
        self.layer, self.cache = nn.Linear(4, 2), cache

    def forward(self, x):
        self.cache.keys += 1
        self.cache.seen.append(x)
        self.cache.later = x
        return self.layer(x)


@pytest.mark.parametrize("make", [Cache, Slots])
def test_objects_of_the_model_s_own_package_are_as_before(make):
    cache = make()
    keys = cache.keys

    capture.read(Remembers(cache), X)

    assert cache.keys is keys
    assert keys.tolist() == [0, 0, 0]
    assert cache.seen == []
    assert make is Slots or not hasattr(cache, "later")


class Images(torch.utils.data.Dataset):
    """May be larger than memory: nothing of it is copied."""

    def __init__(self):
        self.seen = []

    def __getitem__(self, index):
        raise NotImplementedError


def test_datasets_that_a_module_holds_are_left_alone():
    model = Remembers(Cache())
    model.cache.data = Images()
    model.register_forward_pre_hook(lambda *_: model.cache.data.seen.append(1))

    capture.read(model, X)

    assert model.cache.data.seen == [1]


class Changes(nn.Module):
    """Gives its tensors another shape, type or gradient."""

    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.Linear(4, 2), nn.BatchNorm1d(2)
        self.register_buffer("grown", torch.ones(1))
        self.register_buffer("other", torch.ones(2))
        self.register_buffer("halved", torch.ones(2))

    def forward(self, x):
        self.grown.resize_(16)
        self.other.data = torch.zeros(5)
        self.halved.data = self.halved.half()
        self.zero_grad(set_to_none=False)
        return self.norm(self.layer(x))


def test_shapes_types_and_gradients_are_as_before():
    model = Changes()
    model.layer.weight.grad = gradient = torch.ones(2, 4)

    capture.read(model, torch.randn(3, 4))

    buffers = {name: (b.dtype, b.tolist()) for name, b in model.named_buffers()}
    single = torch.float32
    assert buffers["grown"] == (single, [1])
    assert buffers["other"] == buffers["halved"] == (single, [1, 1])
    assert buffers["norm.running_mean"] == (single, [0, 0])
    assert model.layer.weight.grad is gradient
    assert gradient.tolist() == [[1] * 4] * 2


def test_a_buffer_that_nothing_can_write_to():
    model = nn.Linear(4, 2)
    model.register_buffer("mask", torch.ones(1, 4).expand(2, 4))

    capture.read(model, X)

    assert model.mask.stride() == (0, 1)
