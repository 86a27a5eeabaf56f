"""Whatever happens while a model is read, it is as before, bit for bit."""

import random

import numpy as np
import pytest
import torch
from networks import GPT, ResNet, plain
from torch import nn

from initlab import capture


class Fails(nn.Module):
    """Raises in the middle of its forward pass, or counts what it did."""

    def __init__(self, error=None):
        super().__init__()
        self.body, self.norm = ResNet(), nn.BatchNorm1d(10)
        self.error, self.calls, self.kept = error, 0, None

    def forward(self, x):
        self.calls += 1
        self.kept = self.body(x)
        np.random.rand()
        random.random()
        x = self.norm(self.kept) + torch.randn(10)
        if self.error is not None:
            raise self.error
        return x


def state_of(model):
    """Everything that could change, as bytes."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        "tensors": {name: t.detach().numpy().tobytes() for name, t in tensors},
        "gradients": {
            name: None if p.grad is None else p.grad.numpy().tobytes()
            for name, p in model.named_parameters()
        },
        "identities": [id(t) for _, t in tensors],
        "modes": [module.training for module in model.modules()],
        "hooks": [len(module._forward_hooks) for module in model.modules()],
        "keys": [sorted(vars(module)) for module in model.modules()],
        "needs": [p.requires_grad for p in model.parameters()],
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": str(np.random.get_state()),
        "python": random.getstate(),
    }


@pytest.mark.parametrize(
    "error", [None, ValueError("no"), KeyboardInterrupt()], ids=["runs", "fails", "^C"]
)
def test_a_model_is_as_before_bit_for_bit(error):
    model = Fails(error).eval()
    model.body.stem.train()
    model.body.head.weight.requires_grad_(False)
    model.norm.weight.grad = torch.ones(10)
    before = state_of(model)

    if error is None:
        capture.read(model, torch.randn(8, 3, 8, 8, generator=torch.Generator()))
    else:
        with pytest.raises((capture.ModelRunError, KeyboardInterrupt)):
            capture.read(model, torch.zeros(8, 3, 8, 8))

    assert state_of(model) == before
    assert model.calls == 0
    assert model.kept is None


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.AdamW])
def test_an_examined_optimizer_has_done_nothing(make):
    model = GPT()
    optimizer = make(model.parameters(), lr=0.1)
    ids = torch.randint(0, 61, (2, 8))
    before = state_of(model), str(optimizer.state_dict())

    reading = capture.read(model, (ids, ids), optimizer=optimizer)

    assert (state_of(model), str(optimizer.state_dict())) == before
    assert any(p.update_ratio > 0 for p in reading.parameters)


def test_a_batch_that_is_changed_in_place_is_the_users_no_more():
    class Shifts(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, x):
            x -= 1
            return self.layer(x)

    batch = torch.ones(3, 4)

    capture.read(Shifts(), batch)

    assert (batch == 1).all()


def test_a_failure_names_the_module():
    model = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(9, 2)))

    with pytest.raises(
        capture.ModelRunError, match=r"in 1\.1 \(Linear\): RuntimeError"
    ):
        capture.read(model, torch.ones(3, 4))


def test_dropout_is_off_and_two_readings_agree():
    model = nn.Sequential(plain(3), nn.Dropout(0.5), nn.Linear(5, 3))
    batch = torch.randn(8, 16)

    first, second = (capture.read(model, batch) for _ in range(2))

    for name, values in first.measures.items():
        np.testing.assert_array_equal(values, second.measures[name])


class Remembers(nn.Module):
    """A loss with weights and a memory, as of centres that follow the outputs."""

    def __init__(self):
        super().__init__()
        self.centres = nn.Parameter(torch.ones(2))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, outputs, targets):
        self.seen += 1
        assert abs(outputs).max() < 1e3, "no model of ours gives such outputs"
        return (outputs - targets * self.centres).square().mean()


def test_a_loss_is_as_before_and_may_refuse_outputs():
    loss, model, x = Remembers(), nn.Linear(4, 2), torch.randn(16, 4)
    before = state_of(loss)

    capture.read(model, x, loss=loss, targets=1e5 * torch.ones(16, 2))

    assert state_of(loss) == before


def test_what_a_module_s_own_tables_hold_is_as_before():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)
            self._seen = {"shapes": [], "noise": torch.Generator().manual_seed(0)}

        def forward(self, x):
            self._seen["shapes"].append(x.shape)
            return self.layer(x + torch.randn(x.shape, generator=self._seen["noise"]))

    model = Counts()
    shapes, state = model._seen["shapes"], model._seen["noise"].get_state()

    capture.read(model, torch.ones(3, 4))

    assert model._seen["shapes"] is shapes
    assert shapes == []
    assert bool((model._seen["noise"].get_state() == state).all())
