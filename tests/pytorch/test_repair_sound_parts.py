"""Beside a fault, designs stay: zeros, biases of gates, what siblings start at."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch


def blamed(diagnosis):
    return {(one.id, one.parameter) for one in diagnosis.of("warning", "error")}


def changed(repair):
    return {one.parameter for one in repair.changes}


def fixed(model, finding, **known):
    """Return a copy on which a finding's fix has been run."""
    mended = copy.deepcopy(model)
    exec(finding.fix, {"model": mended, "finding": finding, "torch": torch, **known})
    return mended


class LowRank(nn.Module):
    """A frozen layer and two factors, of which both are 0."""

    def __init__(self, given, made, rank=4):
        super().__init__()
        self.base = nn.Linear(given, made).requires_grad_(False)
        self.down = nn.Parameter(torch.zeros(rank, given))
        self.up = nn.Parameter(torch.zeros(made, rank))

    def forward(self, x):
        lower = functional.linear(x, self.down)
        return self.base(x) + 2 * functional.linear(lower, self.up)


@torch.no_grad()
def test_of_two_factors_of_zeros_the_first_is_drawn():
    model = nn.Sequential(
        LowRank(20, 64), nn.ReLU(), LowRank(64, 64), nn.ReLU(), LowRank(64, 5)
    )
    x, targets = torch.randn(32, 20), torch.randint(0, 5, (32,))
    outputs = model(x)
    given = {"loss": functional.cross_entropy, "targets": targets}
    (finding,) = pytorch.check(model, x, **given).of("error")

    repair = pytorch.repair_(model, x, **given)

    assert not blamed(repair.after)
    assert changed(repair) == {"0.down", "2.down", "4.down"}
    assert torch.equal(model(x), outputs)
    repair.undo()
    assert not blamed(pytorch.check(fixed(model, finding), x, **given))


class Couplings(nn.Module):
    """RealNVP (Dinh et al., 2017): the last layer of each net starts at 0."""

    def __init__(self, units=6, layers=4):
        super().__init__()
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Linear(units // 2, 32), nn.ReLU(), nn.Linear(32, units))
            for _ in range(layers)
        )
        for net in self.nets:
            nn.init.zeros_(net[2].weight)
            nn.init.zeros_(net[2].bias)

    def forward(self, x):
        log_volume = 0.0
        for net in self.nets:
            kept, moved = x.chunk(2, 1)
            scale, shift = net(kept).chunk(2, 1)
            scale = 2 * torch.tanh(scale / 2)
            log_volume = log_volume + scale.sum(1)
            x = torch.cat([moved * scale.exp() + shift, kept], 1)
        return x, log_volume


@torch.no_grad()
def test_ends_of_couplings_stay_zeros_where_the_layers_before_are_drawn():
    model, x = Couplings(), torch.randn(32, 6)
    given = {
        "loss": lambda out, _: (0.5 * out[0] ** 2).sum(1).mean() - out[1].mean(),
        "targets": x,
    }
    for net in model.nets:
        nn.init.zeros_(net[0].weight)

    repair = pytorch.repair_(model, x, **given)

    assert not blamed(repair.after)
    assert changed(repair) == {f"nets.{number}.0.weight" for number in range(4)}


class Ensemble(nn.Module):
    """Members side by side, in stacks of weights."""

    def __init__(self, members=4, given=20, width=32):
        super().__init__()
        self.first = nn.Parameter(torch.randn(members, given, width) * given**-0.5)
        self.first_bias = nn.Parameter(torch.zeros(members, 1, width))
        self.second = nn.Parameter(torch.randn(members, width, 1) * width**-0.5)
        self.second_bias = nn.Parameter(torch.zeros(members, 1, 1))

    def forward(self, x):
        x = x.expand(len(self.first), -1, -1)
        hidden = torch.relu(torch.baddbmm(self.first_bias, x, self.first))
        return torch.baddbmm(self.second_bias, hidden, self.second)[..., 0]


@torch.no_grad()
def test_members_that_are_equal_get_weights_of_their_own_and_keep_their_biases():
    model, x = Ensemble(), torch.randn(32, 20)
    for weight in (model.first, model.second):
        weight.copy_(weight[:1].expand_as(weight).clone())
    given = {
        "loss": lambda out, y: functional.mse_loss(out, y.expand_as(out)),
        "targets": x[:, 0] * x[:, 1],
    }

    repair = pytorch.repair_(model, x, **given)

    assert not blamed(repair.after)
    assert not (model.first[0] == model.first[1]).any()
    assert changed(repair) <= {"first", "second"}
    assert model.first.std() == pytest.approx(20**-0.5, rel=0.2)


class Cell(nn.Module):
    """An LSTM by hand, with one weight and a forget bias of 1."""

    def __init__(self, width=32):
        super().__init__()
        self.table, self.width = nn.Embedding(23, 16), width
        self.gates = nn.Linear(16 + width, 4 * width)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)
        nn.init.orthogonal_(self.gates.weight)
        nn.init.zeros_(self.gates.bias)
        nn.init.ones_(self.gates.bias[width : 2 * width])

    def forward(self, tokens):
        state = memory = torch.zeros(len(tokens), self.width)
        states = []
        for x in self.table(tokens).unbind(1):
            gates = self.gates(torch.cat([x, state], 1)).chunk(4, 1)
            put, keep, new, show = gates
            memory = keep.sigmoid() * memory + put.sigmoid() * new.tanh()
            state = show.sigmoid() * self.norm(memory).tanh()
            states.append(state)
        return self.head(torch.stack(states, 1)).transpose(1, 2)


@torch.no_grad()
def test_loud_weights_of_gates_are_rescaled_and_the_forget_bias_stays():
    model, tokens = Cell(), torch.randint(0, 23, (32, 12))
    model.gates.weight.mul_(15)
    given = {"loss": functional.cross_entropy, "targets": tokens % 5}

    repair = pytorch.repair_(model, tokens, **given)

    assert not blamed(repair.after)
    assert changed(repair) == {"gates.weight"}


class Fading(nn.Module):
    """A loop by hand whose state is forgotten: its recurrent weight is 0."""

    def __init__(self, width=40):
        super().__init__()
        self.inward = nn.Parameter(torch.randn(width, 3) * 0.5 * 3**-0.5)
        self.again = nn.Parameter(torch.zeros(width, width))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        state = x.new_zeros(len(x), len(self.again))
        for step in x.unbind(1):
            state = torch.tanh(step @ self.inward.T + state @ self.again.T)
        return self.head(state)


@torch.no_grad()
def test_a_recurrent_weight_of_zeros_is_drawn_orthogonal():
    model, x = Fading(), torch.randn(32, 16, 3)
    targets = (0.5 * x[:, :, 0].sum(1, keepdim=True)).tanh()

    repair = pytorch.repair_(model, x, loss=functional.mse_loss, targets=targets)

    assert not blamed(repair.after)
    assert changed(repair) == {"again"}
    torch.testing.assert_close(model.again @ model.again.T, torch.eye(40))


class Scaled(nn.Module):
    """ConvNeXt's block of layers, with a factor next to 0 at its end."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.factor = nn.Parameter(1e-6 * torch.ones(width))

    def forward(self, x):
        branch = self.down(functional.gelu(self.up(self.norm(x))))
        return x + self.factor * branch


@torch.no_grad()
def test_zeros_are_drawn_at_the_deviation_that_layers_of_all_widths_have():
    model = nn.Sequential(
        nn.Linear(12, 24), Scaled(24), Scaled(24), nn.Linear(24, 48), Scaled(48),
        nn.LayerNorm(48), nn.Linear(48, 10),
    )  # fmt: skip
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    for block in model[1:3]:
        nn.init.zeros_(block.down.weight)
        nn.init.zeros_(block.factor)
    x, targets = torch.randn(32, 12), torch.randint(0, 10, (32,))

    repair = pytorch.repair_(model, x, loss=functional.cross_entropy, targets=targets)

    assert not blamed(repair.after)
    assert changed(repair) == {"1.down.weight", "2.down.weight"}
    assert model[1].down.weight.std() == pytest.approx(0.02, rel=0.1)


class Products(nn.Module):
    """A factorization machine (Rendle, 2010)."""

    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(60, 6)
        nn.init.normal_(self.vectors.weight, std=0.05)

    def forward(self, tokens):
        rows = self.vectors(tokens)
        return 0.5 * (rows.sum(1) ** 2 - (rows**2).sum(1)).sum(1)


@torch.no_grad()
def test_equal_rows_are_drawn_as_large_as_they_are():
    model, tokens = Products(), torch.randint(0, 60, (64, 3))
    rows = model.vectors.weight
    rows.copy_(rows[:1].expand_as(rows).clone())
    size = float(rows.std())
    given = {
        "loss": functional.binary_cross_entropy_with_logits,
        "targets": (tokens[:, 0] % 2).float(),
    }
    (finding,) = pytorch.check(model, tokens, **given).of("warning")

    repair = pytorch.repair_(model, tokens, **given)

    assert not blamed(repair.after)
    assert float(rows.std()) == pytest.approx(size, rel=0.3)
    by_fix = fixed(model, finding)
    assert float(by_fix.vectors.weight.std()) == pytest.approx(size, rel=0.3)


@torch.no_grad()
def test_layers_that_are_copies_of_each_other_and_of_equal_rows_are_all_drawn():
    layer = nn.TransformerEncoderLayer(
        48, 4, 192, 0.0, "gelu", batch_first=True, norm_first=True
    )
    encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    model = nn.Sequential(nn.Linear(16, 48), encoder, nn.Flatten(), nn.Linear(432, 10))
    for one in encoder.layers:
        weight = one.linear1.weight
        weight.copy_(weight[:1].expand_as(weight).clone())
        nn.init.zeros_(one.linear1.bias)
    x, targets = torch.randn(32, 9, 16), torch.randint(0, 10, (32,))

    repair = pytorch.repair_(model, x, loss=functional.cross_entropy, targets=targets)

    assert not blamed(repair.after)
    assert changed(repair) == {f"1.layers.{n}.linear1.weight" for n in range(3)}


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        return x + self.second(torch.sigmoid(self.first(self.norm(x))))


class Tables(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(9, 16) for _ in range(3))
        self.blocks = nn.Sequential(*(Block(width) for _ in range(3)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 4)

    def forward(self, tokens):
        rows = [table(tokens[:, n]) for n, table in enumerate(self.tables)]
        return self.head(self.norm(self.blocks(torch.cat(rows, 1))))


FAULTS = {
    "WI05": lambda m: [table.weight.mul_(30) for table in m.tables],
    "WI02": lambda m: [nn.init.constant_(b.first.weight, 0.1) for b in m.blocks],
    "WI13": lambda m: [b.first.weight.mul_(100) for b in m.blocks],
    "WI17": lambda m: [
        nn.init.zeros_(w)
        for b in m.blocks
        for w in (b.norm.weight, b.first.weight, b.second.weight)
    ],
}


@pytest.mark.parametrize("check", FAULTS)
@torch.no_grad()
def test_one_fix_mends_all_the_places_of_a_finding(check):
    model, tokens = Tables(), torch.randint(0, 9, (64, 3))
    given = {"loss": functional.cross_entropy, "targets": tokens.sum(1) % 4}
    FAULTS[check](model)
    if check == "WI02":
        for block in model.blocks:
            nn.init.zeros_(block.first.bias)
    finding = pytorch.check(model, tokens, **given).of("error", "warning")[0]
    assert finding.id == check
    assert len(finding.places) == 3

    after = pytorch.check(fixed(model, finding), tokens, **given)

    assert check not in {one.id for one in after.of("error", "warning")}


@torch.no_grad()
def test_a_prior_and_biases_that_shut_units_have_fixes_that_run():
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 3))
    x, targets = torch.randn(64, 20), torch.zeros(64, dtype=torch.long)
    targets[:4] = 1
    given = {"loss": functional.cross_entropy, "targets": targets}
    (prior,) = pytorch.check(model, x, **given).of("warning")

    by_fix = fixed(model, prior, targets=targets)
    pytorch.repair_(model, x, **given)

    torch.testing.assert_close(by_fix[2].bias, model[2].bias)


@torch.no_grad()
def test_a_bias_far_below_is_set_to_0_and_the_head_that_hands_it_on_stays():
    layers = [nn.Linear(20, 64), nn.ReLU()]
    for _ in range(12):
        layers += [nn.Linear(64, 64), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(64, 4))
    for layer in model[::2]:
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    nn.init.constant_(model[10].bias, 8.0)
    x, targets = torch.randn(32, 20), torch.randint(0, 4, (32,))
    given = {"loss": functional.cross_entropy, "targets": targets}
    (finding,) = pytorch.check(model, x, **given).of("error", "warning")

    repair = pytorch.repair_(model, x, **given)

    assert not blamed(repair.after)
    assert changed(repair) == {"10.bias"}
    repair.undo()
    assert not blamed(pytorch.check(fixed(model, finding), x, **given))


class ReZeros(nn.Module):
    """Layers on branches, times one factor (Bachlechner et al., 2020)."""

    def __init__(self, width=32, blocks=6):
        super().__init__()
        self.stem, self.head = nn.Linear(8, width), nn.Linear(width, 4)
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.alpha = nn.Parameter(torch.tensor(0.0))

    def forward(self, x):
        x = self.stem(x)
        for inner in self.inner:
            x = x + self.alpha * torch.relu(inner(x))
        return self.head(x)


def test_of_branches_that_a_factor_makes_loud_only_the_factor_is_changed():
    torch.manual_seed(0)
    model, x = ReZeros(), torch.randn(32, 8)
    nn.init.constant_(model.alpha, 8.0)

    repair = pytorch.repair_(model, x)

    assert ("WI16", "alpha") in blamed(repair.before)
    assert changed(repair) == {"alpha"}
    assert not blamed(repair.after)
