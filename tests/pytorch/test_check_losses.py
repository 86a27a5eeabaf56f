"""Losses that we do not know: saturated, blind to a prior, asked for far too much."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch
from initlab.spec import facts_from_json

VECTORS = torch.randn(128, 16, generator=torch.Generator().manual_seed(1))
NOISE = torch.randn(128, 1, generator=torch.Generator().manual_seed(2))
RARE = (torch.rand(128, 8, generator=torch.Generator().manual_seed(3)) < 0.02).float()
EVEN = (torch.rand(128, 8, generator=torch.Generator().manual_seed(3)) < 0.5).float()


def network(units=1):
    layers = [nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, units))


def dice(outputs, targets):
    shares = outputs.sigmoid()
    return 1 - 2 * (shares * targets).sum() / (shares.sum() + targets.sum() + 1)


def sigmoid_inside(outputs, targets):
    return functional.binary_cross_entropy(outputs.sigmoid(), targets)


def tanh_inside(outputs, targets):
    return functional.mse_loss(outputs.tanh(), targets)


def blamed(model, batch=VECTORS, **more):
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.mark.parametrize("loss", [dice, sigmoid_inside])
@pytest.mark.parametrize("value", [-150.0, 150.0])
def test_a_bias_that_saturates_a_sigmoid_of_the_loss_s_own(loss, value):
    model = network(8)
    nn.init.constant_(model[-1].bias, value)

    found = blamed(model, targets=EVEN, loss=loss)

    assert found == [("WI13", "saturated_loss", "4.bias")]


def test_a_loud_head_that_saturates_a_tanh_of_the_loss_s_own():
    """The head has the cause in it, and what it does to the loss is not told again."""
    model = network()
    nn.init.normal_(model[-1].weight, std=200.0)

    found = blamed(model, targets=NOISE.clamp(-1, 1), loss=tanh_inside)

    assert found == [("WI05", "beyond_any_law", "4.weight")]


def test_features_that_saturate_a_tanh_of_the_loss_s_own():
    loud = 100.0 * VECTORS
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1))

    found = blamed(model, loud, targets=NOISE.clamp(-1, 1), loss=tanh_inside)

    assert ("WI13", "saturated_loss", "2.bias") not in found


@pytest.mark.parametrize("loss", [dice, sigmoid_inside, tanh_inside])
def test_losses_with_a_slope_are_silent(loss):
    assert blamed(network(8), targets=EVEN, loss=loss) == []


def test_a_repair_brings_a_saturated_bias_to_the_prior():
    model = network(8)
    nn.init.constant_(model[-1].bias, 150.0)

    repair = pytorch.repair_(model, VECTORS, targets=EVEN, loss=sigmoid_inside)

    assert [one.parameter for one in repair.changes] == ["4.bias"]
    assert repair.after.sound


def focal(outputs, targets):
    """Of RetinaNet: sure answers hardly count."""
    loss = functional.binary_cross_entropy_with_logits(
        outputs, targets, reduction="none"
    )
    wrong = (outputs.sigmoid() - targets).abs()
    sides = 0.25 * targets + 0.75 * (1 - targets)
    return (sides * wrong**2 * loss).sum() / targets.sum()


@pytest.mark.parametrize("bias", [0.0, 4.6])
def test_a_prior_that_a_focal_loss_asks_for(bias):
    model = network(8)
    nn.init.constant_(model[-1].bias, bias)

    found = blamed(model, targets=RARE, loss=focal)

    assert found == [("WI15", "imbalance_ignored", "4.bias")]


def test_a_prior_that_is_set_is_silent():
    model = network(8)
    nn.init.constant_(model[-1].bias, -4.0)

    assert blamed(model, targets=RARE, loss=focal) == []


@pytest.mark.parametrize("loss", [None, functional.l1_loss, functional.huber_loss])
def test_targets_that_no_weights_reach(loss):
    found = blamed(network(), targets=1e4 * NOISE + 2e4, loss=loss)

    assert found == [("WI15", "targets_unscaled", "4.weight")]


def test_a_repair_says_that_no_weights_reach_such_targets():
    repair = pytorch.repair_(network(), VECTORS, targets=1e4 * NOISE)

    assert not repair.changes
    assert "standardize the targets" in repair.unrepaired[0].reason


def test_targets_that_the_model_or_the_loss_scales_are_silent():
    class Scales(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, x):
            return 1e4 * self.inner(x) + 2e4

    def scaled(outputs, targets):
        return functional.mse_loss(outputs, (targets - 2e4) / 1e4)

    targets = 1e4 * NOISE + 2e4
    assert blamed(Scales(), targets=targets) == []
    assert blamed(network(), targets=targets, loss=scaled) == []


def test_outputs_in_a_structure_are_replaced_where_they_lie():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network(8)
            nn.init.constant_(self.inner[-1].bias, 150.0)

        def forward(self, x):
            return {"answer": [self.inner(x)], "name": "two"}

    def loss(outputs, targets):
        return sigmoid_inside(outputs["answer"][0], targets)

    found = blamed(Two(), targets=EVEN, loss=loss)

    assert found == [("WI13", "saturated_loss", "inner.4.bias")]


@pytest.mark.parametrize("axis", [1, -1])
def test_a_repair_finds_the_axis_of_units(axis):
    rare = (torch.rand(4, 3, 6, 6) < 0.02).float()
    model = nn.Sequential(
        nn.Conv2d(2, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 3, 1)
    )
    batch, targets = torch.randn(4, 2, 6, 6), rare
    if axis == -1:
        model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3))
        batch, targets = batch.movedim(1, -1), rare.movedim(1, -1)

    repair = pytorch.repair_(model, batch, targets=targets, loss=nn.BCEWithLogitsLoss())

    share = rare.mean(dim=(0, 2, 3)).clamp(1e-3)
    expected = torch.log(share / (1 - share))
    torch.testing.assert_close(model[-1].bias.detach(), expected)
    assert repair.after.sound


@pytest.mark.parametrize("weighed", [False, True])
def test_a_loss_that_weighs_a_rare_class_needs_no_bias(weighed):
    rare, labels = RARE[:, :1], RARE[:, 0].long()
    odds = float((1 - rare).sum() / rare.sum())
    binary = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(odds) if weighed else None)
    weights = torch.tensor([1.0, odds]) if weighed else None

    one = blamed(network(), targets=rare, loss=binary)
    two = blamed(network(2), targets=labels, loss=nn.CrossEntropyLoss(weights))

    expected = [] if weighed else [("WI15", "imbalance_ignored", "4.bias")]
    assert one == two == expected


def test_a_bias_that_saturates_is_named_and_set_to_0():
    model = nn.Sequential(network(), nn.Sigmoid())
    nn.init.constant_(model[0][-1].bias, 20.0)
    tanh = nn.Sequential(*[nn.Linear(16, 64), nn.Tanh()], nn.Linear(64, 1))
    nn.init.constant_(tanh[0].bias, -6.0)
    weights = [p.detach().clone() for p in model.parameters() if p.dim() > 1]

    assert blamed(model, targets=EVEN[:, :1], loss=nn.BCELoss()) == [
        ("WI13", "saturated_by_bias", "0.4.bias")
    ]
    assert blamed(tanh) == [("WI13", "saturated_by_bias", "0.bias")]

    repair = pytorch.repair_(model, VECTORS, targets=EVEN[:, :1], loss=nn.BCELoss())
    assert [change.parameter for change in repair.changes] == ["0.4.bias"]
    assert not model[0][-1].bias.any()
    assert all(
        torch.equal(before, after)
        for before, after in zip(
            weights, [p for p in model.parameters() if p.dim() > 1], strict=True
        )
    )
    assert repair.after.sound


def weighted(outputs, targets):
    return functional.cross_entropy(outputs, targets, weight=torch.linspace(1, 2, 5))


def smooth(outputs, targets):
    return functional.cross_entropy(outputs, targets, label_smoothing=0.1)


@pytest.mark.parametrize("loud", ["bias", "weight", None])
def test_logits_of_pixels_under_a_cross_entropy_of_the_user_s_own(loud):
    """Whatever its name: what it says of sure and of even answers tells it."""
    images = torch.randn(16, 3, 8, 8)
    labels = functional.conv2d(images, torch.randn(5, 3, 3, 3), padding=1).argmax(1)
    model = nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(), nn.Conv2d(24, 5, 1)
    )
    if loud == "bias":
        nn.init.constant_(model[-1].bias[1:2], 15.0)
    if loud == "weight":
        nn.init.normal_(model[-1].weight, std=8.0)

    found = blamed(model, images, targets=labels, loss=weighted)

    expected = {"bias": "2.bias", "weight": "2.weight"}
    assert [(one[0], one[2]) for one in found] == (
        [("WI14", expected[loud])] if loud else []
    )


@pytest.mark.parametrize("loss", [weighted, smooth])
def test_a_loss_that_is_a_cross_entropy_is_taken_for_one(loss):
    labels = torch.arange(128) % 5
    model = network(5)
    diagnosis = pytorch.check(model, VECTORS, targets=labels, loss=loss)

    (facts,) = facts_from_json(diagnosis.dataset.attrs["facts"])
    expected = "given" if loss is smooth else "cross_entropy"
    assert facts.output.loss_kind == expected
