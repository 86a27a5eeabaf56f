"""Losses and targets that cannot be used, and models that give nothing: one sentence.

Each refusal has its neighbour that is taken, so that refusing everything fails too.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch
from initlab.errors import InvalidValueError
from initlab.spec import facts_from_json

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 10


def network(units=10):
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, units))


def loss_kind(model, batch=BATCH, **more):
    diagnosis = pytorch.check(model, batch, **more)
    return facts_from_json(diagnosis.dataset.attrs["facts"])[0].output.loss_kind


class Gives(nn.Module):
    """Runs a layer, and gives what it was made for."""

    def __init__(self, given):
        super().__init__()
        self.layer, self.given = nn.Linear(16, 10), given

    def forward(self, x):
        return self.given(self.layer(x))


class Labelled(nn.Module):
    """Takes labels that no loss of ours would fit, and gives no loss."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 10)

    def forward(self, x, labels):  # noqa: ARG002 -- a name that is read
        return self.layer(x)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (LABELS[:5], r"shape \(5,\) does not fit outputs of shape \(32, 10\)"),
        (LABELS.float(), r"shape \(32,\) does not fit outputs"),
        (LABELS > 3, r"shape \(32,\) does not fit outputs"),
        (torch.full((32,), -1), "all are negative"),
        (
            LABELS + 90,
            "labels up to 99 do not fit outputs of 10 classes; labels from 0",
        ),
    ],
    ids=["too few", "real", "truth", "ignored", "too large"],
)
def test_targets_that_fit_no_loss_are_refused(targets, message):
    with pytest.raises(InvalidValueError, match=f"^targets: {message}"):
        pytorch.check(network(), BATCH, targets=targets)


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        (LABELS, "cross_entropy"),
        (torch.where(LABELS > 3, LABELS, -100), "cross_entropy"),
        (torch.randn(32, 10), "mse"),
        (torch.ones(32, 10, dtype=torch.bool), "binary"),
        ([{"boxes": torch.ones(3, 4)}], ""),
    ],
)
def test_targets_that_fit_a_loss_or_are_no_tensor_are_taken(targets, kind):
    assert loss_kind(network(), targets=targets) == kind


def test_labels_of_a_batch_may_be_of_no_use_to_the_model():
    autoencoder = nn.Sequential(nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 16))
    images = torch.randn(8, 4, 16)

    assert loss_kind(autoencoder, (images, torch.arange(8))) == ""
    with pytest.raises(InvalidValueError, match=r"^targets: "):
        pytorch.check(autoencoder, images, targets=torch.arange(8))


def test_a_loss_of_the_user_s_own_takes_what_targets_it_likes():
    def loss(outputs, targets):
        return (outputs.mean() - targets.float().mean()).square()

    for targets in (LABELS[:5], torch.full((32,), -1), LABELS + 90):
        assert loss_kind(network(), targets=targets, loss=loss) == "given"


def test_labels_that_the_model_is_given_itself_are_its_own_affair():
    batch = {"x": BATCH, "labels": LABELS + 90}

    assert loss_kind(Labelled(), batch) == ""


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("ce", "a function of outputs and targets, got 'ce'"),
        (lambda *_: 0.5, "must return a tensor, got float"),
        (lambda *_: None, "must return a tensor, got NoneType"),
    ],
)
def test_a_loss_that_is_none_is_refused(loss, message):
    with pytest.raises(InvalidValueError, match=f"^loss: {message}"):
        pytorch.check(network(), BATCH, targets=LABELS, loss=loss)


@pytest.mark.parametrize(
    ("loss", "targets", "message"),
    [
        (functional.cross_entropy, LABELS[:7], "raised ValueError on .*: Expected inp"),
        (lambda o, _: o.missing, LABELS, "raised AttributeError on"),
        (lambda _o, _y: {}[0], LABELS, "raised KeyError on"),
        (lambda o, y: (o - y).mean(), None, "takes outputs and targets, and there are"),
        (lambda o, y, _w: (o - y).mean(), LABELS, ".* needs more arguments"),
    ],
)
def test_a_loss_that_fails_is_said_to_be_the_one(loss, targets, message):
    with pytest.raises(InvalidValueError, match=f"^loss: {message}"):
        pytorch.check(network(), BATCH, targets=targets, loss=loss)


class GivesLosses(nn.Module):
    """Takes targets, and gives a loss by name or place."""

    def __init__(self, kind):
        super().__init__()
        self.layer, self.kind = nn.Linear(16, 10), kind

    def forward(self, x, targets=None):
        outputs = self.layer(x)
        loss = functional.cross_entropy(outputs, targets)
        return self.kind((outputs, loss))


@pytest.mark.parametrize("batch", [(BATCH, LABELS), {"x": BATCH, "targets": LABELS}])
@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        (tuple, lambda o: o[1]),
        (lambda pair: {"a": pair[1], "b": pair[0].square().mean()},
         lambda o: sum(o.values())),
    ],
)  # fmt: skip
def test_a_loss_of_outputs_alone_is_given_no_targets(kind, loss, batch):
    assert loss_kind(GivesLosses(kind), batch, loss=loss) == "given"


@pytest.mark.parametrize("given", [None, (), {}, [None], 3.0, {"a": None}])
def test_a_forward_that_gives_no_tensor_is_refused(given):
    with pytest.raises(
        InvalidValueError, match=r"^model: forward returns no tensor, got"
    ):
        pytorch.check(Gives(lambda _: given), BATCH)


def test_a_forward_that_gives_an_object_of_its_own_is_not():
    model = Gives(lambda out: torch.distributions.Normal(out, 1.0))

    def loss(outputs, targets):
        return -outputs.log_prob(targets).mean()

    assert loss_kind(model, targets=torch.randn(32, 10), loss=loss) == "given"
    assert loss_kind(Gives(lambda out: {"logits": out}), targets=LABELS)


@pytest.mark.parametrize("model", [nn.Sequential(), nn.ReLU()])
def test_a_model_without_weights_is_not_said_to_be_sound(model):
    diagnosis = pytorch.check(model, BATCH)

    assert str(diagnosis).splitlines()[-1] == "no weights: nothing to judge"
    assert "sound" not in str(diagnosis)


@pytest.mark.parametrize("model", [nn.LayerNorm(16), nn.Linear(16, 4)])
def test_a_model_with_any_parameters_is_judged(model):
    assert "initialization sound; excluded:" in str(pytorch.check(model, BATCH))


def test_lazy_parameters_are_checked_as_what_they_become():
    def make():
        return nn.Sequential(nn.LazyLinear(32), nn.ReLU(), nn.LazyLinear(10))

    assert pytorch.check(make, BATCH).dataset.sizes["layer"] == 2


def test_a_function_that_makes_a_model_without_values_is_refused():
    with pytest.raises(InvalidValueError, match="on the meta device"):
        pytorch.check(lambda: nn.Linear(16, 4, device="meta"), BATCH)


def test_cross_entropy_of_targets_that_are_all_ignored_is_no_traceback():
    ignored = torch.full((32,), -100)

    kind = loss_kind(network(), targets=ignored, loss=functional.cross_entropy)

    assert kind == "cross_entropy"


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (None, "tensors, or a DataLoader of them, got None"),
        (BATCH.numpy(), "tensors, got a numpy ndarray; give torch.as_tensor"),
        (BATCH[:0], r"at least one example, got shape \(0, 16\)"),
    ],
)
def test_a_batch_that_is_none_is_refused_as_one(batch, message):
    with pytest.raises(InvalidValueError, match=f"^batch: {message}"):
        pytorch.check(network(), batch)


def test_one_example_of_a_batch_normalization_is_said_to_be_too_few():
    model = nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8)).eval()

    with pytest.raises(InvalidValueError, match="two examples or more"):
        pytorch.check(model, BATCH[:1])


def test_weights_that_no_optimizer_holds_are_not_said_to_be_stepped_too_little():
    model = network()
    head = {"params": list(model[2].parameters()), "lr": 1e-3}
    rest = {"params": list(model[0].parameters()), "lr": 0.0}
    for held in ([head], [head, rest]):
        optimizer = torch.optim.Adam(held)

        diagnosis = pytorch.check(model, BATCH, targets=LABELS, optimizer=optimizer)

        assert "WI24" not in {one.id for one in diagnosis.findings}


@pytest.mark.parametrize(
    "made",
    [
        lambda out: torch.distributions.Normal(out, out.exp()),
        lambda out: (torch.distributions.Categorical(logits=out), None),
    ],
)
def test_a_distribution_without_a_loss_depends_on_the_weights(made):
    assert pytorch.check(Gives(made), BATCH).sound
