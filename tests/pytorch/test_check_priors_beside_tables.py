"""Where a prior goes in models whose outputs no bias is added to."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

USERS = torch.randint(40, (64,), generator=torch.Generator().manual_seed(1))
ITEMS = torch.randint(60, (64,), generator=torch.Generator().manual_seed(2))
RATINGS = 3.5 + 0.4 * torch.randn(64, generator=torch.Generator().manual_seed(3))
X = torch.randn(64, 16, generator=torch.Generator().manual_seed(4))


class Factors(nn.Module):
    """A matrix factorization, with one number for the mean of all ratings."""

    def __init__(self, mean):
        super().__init__()
        torch.manual_seed(0)
        self.users, self.items = nn.Embedding(40, 12), nn.Embedding(60, 12)
        self.mean = nn.Parameter(torch.tensor(mean))
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.3)

    def forward(self, users, items):
        return self.mean + (self.users(users) * self.items(items)).sum(1)


@pytest.mark.parametrize(("mean", "named"), [(3.5, False), (0.0, True), (40.0, True)])
def test_the_number_beside_tables_is_named_and_set(mean, named):
    repair = pytorch.repair_(
        Factors(mean), (USERS, ITEMS), loss=functional.mse_loss, targets=RATINGS
    )
    found = [(one.id, one.parameter) for one in repair.before.of("warning", "error")]
    assert found == ([("WI15", "mean")] if named else [])
    assert repair.after.sound
    assert all("mean" in one.fix for one in repair.before.of("warning"))


def test_a_head_without_a_bias_is_to_be_given_one():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1, bias=False))
    (found,) = pytorch.check(
        model, X, loss=nn.MSELoss(), targets=50 + torch.randn(64, 1)
    ).of("warning")
    assert found.id == "WI15"
    assert found.fix.startswith("give the output a bias that starts at ")


class Variational(nn.Module):
    def __init__(self, scale, decoder_bias=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.encode = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(32, 6), nn.Linear(32, 6)
        self.inner, self.out = nn.Linear(6, 32), nn.Linear(32, 16)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.log_variance.weight.data *= scale
        self.log_variance.bias.data.fill_(-3.0)
        self.inner.bias.data.fill_(decoder_bias)

    def forward(self, x):
        h = self.encode(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        # Given out as a view, as of two groups.
        return self.out(self.inner(z).relu()), mean, log_variance.unflatten(1, (2, 3))


def _evidence(outputs, x):
    made, mean, log_variance = outputs
    log_variance = log_variance.flatten(1)
    divergence = 1 + log_variance - mean**2 - log_variance.exp()
    return functional.mse_loss(made, x) - 0.005 * divergence.sum(1).mean()


def test_a_quiet_log_variance_is_a_choice_and_hides_nothing():
    def found(*how):
        diagnosis = pytorch.check(Variational(*how), X, loss=_evidence, targets=X)
        return [(one.id, one.parameter) for one in diagnosis.of("warning", "error")]

    assert found(1.0) == found(0.05) == []
    assert found(0.05, -10.0) == [("WI12", "inner.bias")]


def test_indices_that_are_a_parameter_are_no_weight():
    class Offset(nn.Module):
        def __init__(self):
            super().__init__()
            offsets = torch.arange(6) * 50
            self.offsets = nn.Parameter(offsets, requires_grad=False)
            self.table, self.head = nn.Embedding(300, 8), nn.Linear(48, 1)

        def forward(self, x):
            return self.head(self.table(x + self.offsets).flatten(1))

    fields = torch.randint(0, 50, (16, 6))
    assert pytorch.check(Offset(), fields).sound
    assert not pytorch.repair_(Offset(), fields).changes


def test_a_bias_of_its_own_shape_is_set():
    class Members(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(16, 32)
            self.last = nn.Parameter(torch.randn(8, 32, 1))
            self.bias = nn.Parameter(torch.ones(8, 1))

        def forward(self, x):
            h = self.first(x).relu()[:, None].expand(-1, 8, -1)
            return torch.einsum("bkd,kdo->bko", h, self.last) + self.bias

    model = Members()
    pytorch.initialize_(model, "he_normal", batch=X)
    assert not model.bias.any()
    assert model.bias.shape == (8, 1)


def test_our_own_orthogonal_head_wider_than_its_input_is_sound():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 128))
    pytorch.initialize_(model, "orthogonal", seed=0, batch=X)
    assert pytorch.check(model, X, targets=torch.arange(64)).sound


@pytest.mark.parametrize(("gamma", "named"), [(1.0, False), (40.0, True)])
def test_a_loud_factor_before_a_tied_head_is_named_and_not_the_table(gamma, named):
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.table, self.norm = nn.Embedding(32, 48), nn.LayerNorm(48)
            self.inner = nn.Linear(48, 48)
            nn.init.normal_(self.table.weight, std=0.1)
            nn.init.constant_(self.norm.weight, gamma)

        def forward(self, tokens):
            h = self.norm(self.inner(self.table(tokens)).relu())
            return h @ self.table.weight.T

    tokens = torch.randint(0, 32, (16, 12), generator=torch.Generator().manual_seed(5))
    found = pytorch.check(Words(), tokens[:, :-1]).of("warning", "error")
    assert {one.parameter for one in found} == ({"norm.weight"} if named else set())
