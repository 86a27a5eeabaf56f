"""Tables, buffers, loops by hand, checkpoints, optimizers of their own kind."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from initlab import pytorch


def found(model, x, **more):
    diagnosis = pytorch.check(model, x, **more)
    return [(one.id, one.parameter) for one in diagnosis.findings]


class ByHand(nn.Module):
    """h = tanh(A x + W h), in a loop."""

    def __init__(self, radius):
        super().__init__()
        self.given, self.state = nn.Linear(4, 64), nn.Linear(64, 64, bias=False)
        self.out = nn.Linear(64, 2)
        nn.init.orthogonal_(self.state.weight, radius)

    def forward(self, x):
        h = torch.zeros(len(x), 64)
        for step in range(x.shape[1]):
            h = torch.tanh(self.given(x[:, step]) + self.state(h))
        return self.out(h)


@pytest.mark.parametrize("radius", [0.1, 1.0, 2.0, 3.0])
def test_a_recurrence_by_hand_is_judged_by_its_radius(radius):
    torch.manual_seed(0)
    ids = found(ByHand(radius), torch.randn(32, 20, 4))
    assert ids == ([] if radius == 1 else [("WI19", "state.weight")])


@pytest.mark.parametrize("radius", [0.1, 6.0])
def test_a_repair_brings_a_recurrence_by_hand_to_radius_one(radius):
    model = ByHand(radius)

    repair = pytorch.repair_(model, torch.randn(32, 20, 4))

    assert [one.parameter for one in repair.changes] == ["state.weight"]
    assert repair.after.sound
    size = float(torch.linalg.matrix_norm(model.state.weight.detach(), 2))
    assert size == pytest.approx(1, rel=1e-4)


class Shared(nn.Module):
    """One square layer in a loop with norms: no recurrence of a state."""

    def __init__(self):
        super().__init__()
        self.norm, self.layer = nn.LayerNorm(32), nn.Linear(32, 32)
        nn.init.normal_(self.layer.weight, 0, 0.02)

    def forward(self, x):
        for _ in range(4):
            x = x + torch.relu(self.layer(self.norm(x)))
        return x


def test_a_shared_layer_behind_norms_is_no_recurrence():
    torch.manual_seed(0)
    radius = pytorch.check(Shared(), torch.randn(32, 32)).dataset.get("spectral_radius")
    assert radius is None
    assert "spectral_radius" in pytorch.check(ByHand(1.0), torch.randn(8, 5, 4)).dataset


def test_units_with_a_bias_far_above_their_weights_are_no_copies():
    torch.manual_seed(0)
    spatial = nn.Linear(24, 24)
    nn.init.normal_(spatial.weight, 0, 1e-6)
    nn.init.ones_(spatial.bias)
    distinct = pytorch.check(spatial, torch.randn(8, 24)).dataset.distinct_units
    assert float(distinct.squeeze()) == 24
    with torch.no_grad():
        spatial.weight[1] = spatial.weight[0]
    distinct = pytorch.check(spatial, torch.randn(8, 24)).dataset.distinct_units
    assert float(distinct.squeeze()) == 23
    with torch.no_grad():
        spatial.bias[1] = 2  # equal weights, and told apart by their biases
    distinct = pytorch.check(spatial, torch.randn(8, 24)).dataset.distinct_units
    assert float(distinct.squeeze()) == 24


class Checkpointed(nn.Module):
    """A block that is computed twice, where nothing is kept for the way back."""

    def __init__(self, activation):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(16, 32), activation, nn.Linear(32, 16))
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        return self.out(checkpoint(self.block, x, use_reentrant=False))


@pytest.mark.parametrize("activation", [nn.GELU(), nn.SiLU(), nn.Tanh(), nn.ReLU()])
def test_a_checkpointed_block_is_read_as_any_other(activation):
    torch.manual_seed(0)
    model, x = Checkpointed(activation), torch.randn(64, 16)
    assert found(model, x, targets=torch.randint(0, 3, (64,))) == []


def test_no_step_is_taken_of_an_optimizer_that_evaluates_the_loss():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    diagnosis = pytorch.check(
        model, torch.randn(32, 16), targets=torch.randint(0, 3, (32,)),
        optimizer=torch.optim.LBFGS,
    )  # fmt: skip
    assert diagnosis.findings == ()
    assert "LBFGS" in diagnosis.dataset.attrs["notes"]


class Adapter(nn.Module):
    """Small by design, beside a skip connection."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Linear(64, 8), nn.Linear(8, 64)
        for layer in (self.down, self.up):
            nn.init.normal_(layer.weight, 0, 1e-3)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        return x + self.up(functional.gelu(self.down(x)))


def test_a_step_may_take_far_what_is_small_by_design():
    torch.manual_seed(0)
    blocks = [nn.Linear(64, 64), nn.LayerNorm(64), nn.GELU()]
    model = nn.Sequential(*blocks, Adapter(), Adapter(), nn.Linear(64, 5))
    for module in model[:3]:
        module.requires_grad_(False)
    x, targets = torch.randn(64, 64), torch.randint(0, 5, (64,))
    trained = [p for p in model.parameters() if p.requires_grad]
    assert found(
        model, x, targets=targets, optimizer=torch.optim.AdamW(trained, 1e-3)
    ) == []  # fmt: skip
    far = torch.optim.AdamW(trained, 1.0)
    assert "WI24" in dict(found(model, x, targets=targets, optimizer=far))


def test_a_frozen_head_of_zeros_is_named_and_not_the_zeros_that_it_holds_up():
    class LowRank(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base.requires_grad_(False)
            self.down = nn.Parameter(torch.randn(4, base.in_features) / 8)
            self.up = nn.Parameter(torch.zeros(base.out_features, 4))

        def forward(self, x):
            return self.base(x) + x @ self.down.T @ self.up.T

    torch.manual_seed(0)
    layers = (LowRank(nn.Linear(64, 64)), nn.ReLU(), LowRank(nn.Linear(64, 64)))
    model = nn.Sequential(*layers, nn.ReLU(), nn.Linear(64, 5))
    x, targets = torch.randn(64, 64), torch.randint(0, 5, (64,))
    assert found(model, x, targets=targets) == []

    nn.init.zeros_(model[-1].weight)
    assert found(model, x, targets=targets) == []
    model[-1].requires_grad_(False)
    assert found(model, x, targets=targets) == [("WI03", "4.weight")]


@pytest.mark.parametrize("fill", ["constant", "first row"])
def test_a_table_of_equal_rows_is_found_and_drawn_anew(fill):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20, 8), nn.Flatten(), nn.Linear(32, 3))
    with torch.no_grad():
        model[0].weight[:] = 0.02 if fill == "constant" else model[0].weight[0].clone()
    x = torch.randint(0, 20, (16, 4))
    assert found(model, x) == [("WI02", "0.weight")]
    pytorch.repair_(model, x)
    assert found(model, x) == []


def test_a_few_equal_rows_of_a_table_are_a_design():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20, 8), nn.Flatten(), nn.Linear(32, 3))
    with torch.no_grad():
        model[0].weight[1] = model[0].weight[0]
    assert found(model, torch.randint(0, 20, (16, 4))) == []


@pytest.mark.parametrize("mode", [True, False])
def test_a_buffer_with_a_nan_is_named_and_a_mask_may_be_infinite(mode):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)
    )
    model.register_buffer("mask", torch.full((3,), float("-inf")))
    x = torch.randn(32, 8)
    assert found(model.train(mode), x) == []
    model[1].running_var[2] = float("nan")
    assert found(model, x) == [("WI01", "1.running_var")]
    assert "only parameters are repaired" in str(pytorch.repair_(model, x))


class Backcasts(nn.Module):
    """Blocks that give a share of the output and what is left for the next block."""

    def __init__(self, blocks=3, detached=None):
        super().__init__()
        self.detached = detached
        self.left = nn.ModuleList(nn.Linear(16, 16) for _ in range(blocks))
        self.share = nn.ModuleList(nn.Linear(16, 4) for _ in range(blocks))

    def forward(self, x):
        added = 0
        for number, (left, share) in enumerate(zip(self.left, self.share, strict=True)):
            added = added + share(torch.relu(x))
            x = left(torch.relu(x))
            x = x.detach() if number == self.detached else x
        return added


def test_what_the_last_block_leaves_is_dropped_by_design():
    torch.manual_seed(0)
    (finding,) = pytorch.check(Backcasts(), torch.randn(32, 16)).findings
    assert (finding.id, finding.severity) == ("WI21", "info")
    assert finding.places == ("left.2.weight",)


def test_what_a_detach_cuts_off_is_no_last_copy():
    torch.manual_seed(0)
    model = Backcasts(detached=1)
    (finding,) = pytorch.check(model, torch.randn(32, 16)).findings
    assert (finding.id, finding.severity) == ("WI21", "warning")
    assert finding.parameter == "left.1.weight"
