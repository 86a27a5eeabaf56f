"""Regressions whose outputs start where far targets are, as a sound start has them."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

VECTORS = torch.randn(64, 32, generator=torch.Generator().manual_seed(1))
NOISE = torch.randn(64, 1, generator=torch.Generator().manual_seed(2))


def dense(outputs, bias):
    model = nn.Sequential(
        nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
        nn.Linear(64, outputs),
    )  # fmt: skip
    with torch.no_grad():
        model[-1].bias.copy_(torch.as_tensor(bias))
    return model


def found(model, **given):
    diagnosis = pytorch.check(model, VECTORS, **given)
    return [(one.id, one.cause) for one in diagnosis.of("warning", "error")]


@pytest.mark.parametrize("mean", [200.0, 1000.0])
@pytest.mark.parametrize(
    "loss",
    [functional.mse_loss, lambda o, t: ((o - t) ** 2).sum() / 2],
    ids=["known", "own"],
)
def test_a_bias_at_far_targets_is_steep_by_design(loss, mean):
    targets = mean + 10 * NOISE

    for seed in range(4):
        torch.manual_seed(seed)
        assert found(dense(1, [mean]), loss=loss, targets=targets) == []


def test_each_output_at_its_own_mean_is_below_any_constant():
    means = torch.tensor([20.0, 1013.0])
    targets = means + 8 * torch.cat([NOISE, NOISE.flip(0)], dim=1)

    for seed in range(4):
        torch.manual_seed(seed)
        model = dense(2, means)
        assert found(model, loss=functional.mse_loss, targets=targets) == []


def pinball(outputs, targets):
    shares = torch.tensor([0.1, 0.5, 0.9])
    away = targets - outputs
    return torch.maximum(shares * away, (shares - 1) * away).mean()


def test_quantiles_are_no_logits():
    model = dense(3, [90.0, 100.0, 110.0])

    assert found(model, loss=pinball, targets=100 + 8 * NOISE) == []


@pytest.mark.parametrize(
    ("bias", "severities"),
    [([20.0, 1013.0], {"info"}), ([-40.0, 30.0, 40.0], {"warning"})],
)
def test_without_targets_a_bias_that_spreads_outputs_may_be_theirs(bias, severities):
    diagnosis = pytorch.check(dense(len(bias), bias), VECTORS)

    spread = [one for one in diagnosis.findings if one.cause == "biased_choice"]
    assert {one.severity for one in spread} == severities


class TwoHeads(nn.Module):
    """A mean, and a variance behind a softplus."""

    def __init__(self, mean):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 64), nn.ReLU())
        self.mean, self.variance = nn.Linear(64, 1), nn.Linear(64, 1)
        nn.init.constant_(self.mean.bias, mean)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h), functional.softplus(self.variance(h)) + 1e-3


def likelihood(outputs, targets):
    return functional.gaussian_nll_loss(outputs[0], targets, outputs[1])


def test_a_variance_is_not_asked_for_the_mean_that_another_output_has():
    targets = 30 + 5 * NOISE

    for seed in range(6):
        torch.manual_seed(seed)
        assert found(TwoHeads(30.0), loss=likelihood, targets=targets) == []
    missed = found(TwoHeads(0.0), loss=likelihood, targets=targets)
    assert ("WI15", "mean_ignored") in missed


def test_a_mean_of_prices_is_no_old_memory():
    targets = 2.5e5 + 8 * NOISE
    model = dense(1, [2.5e5])
    assert found(model, loss=functional.mse_loss, targets=targets) == []

    with torch.no_grad():
        model[0].weight[3, 4] = 3e7
    given = {"loss": functional.mse_loss, "targets": targets}
    assert ("WI21", "old_memory") in found(model, **given)


def test_a_loss_that_is_zero_tells_of_no_stuck_weight():
    def margin(outputs, _):
        return functional.relu(outputs.abs() - 1e3).mean()

    assert found(dense(4, [0.0] * 4), loss=margin, targets=NOISE) == []


def test_a_cross_entropy_that_refuses_nan_leaves_the_weight_to_be_named():
    model = nn.Sequential(dense(4, [0.0] * 4), nn.Sigmoid())
    with torch.no_grad():
        model[0][0].weight[3, 5] = torch.nan
    shares = torch.rand(64, 4, generator=torch.Generator().manual_seed(3))

    diagnosis = pytorch.check(
        model, VECTORS, loss=functional.binary_cross_entropy, targets=shares
    )

    assert [(one.id, one.parameter) for one in diagnosis.findings] == [
        ("WI01", "0.0.weight")
    ]
