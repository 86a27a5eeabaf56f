"""Models, outputs and optimizers that fail or cannot be measured: one line, that helps.

Each stands beside a neighbour that is taken, so that refusing everything fails too.
"""

import pytest
import torch
from networks import Gives
from torch import nn

from initlab import pytorch
from initlab.capture import ModelRunError, OptimizerRunError
from initlab.errors import InvalidValueError

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 10


def network(width=32):
    return nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 10))


class KeywordsOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 10)

    def forward(self, *, x, mask=None):
        return self.layer(x if mask is None else x * mask)


class Untrained(nn.Linear):
    def train(self, mode=True):  # noqa: ARG002 -- torch's
        raise RuntimeError("never in training")


class Locked(nn.Linear):
    def __setattr__(self, name, value):
        if vars(self).get("is_locked"):
            raise AttributeError(f"locked: {name}")
        super().__setattr__(name, value)


class Counts(nn.Module):
    """Has weights of whole numbers alone."""

    def __init__(self):
        super().__init__()
        whole = torch.arange(128).reshape(8, 16)
        self.weight = nn.Parameter(whole, requires_grad=False)

    def forward(self, x):
        return nn.functional.linear(x.long(), self.weight)


class Images(nn.Module):
    """Takes a list of images as one argument, as detection models do."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 10)

    def forward(self, images, targets=None):  # noqa: ARG002 -- detection's
        return self.layer(torch.stack(images))


class Broken(torch.optim.SGD):
    def step(self, closure=None):  # noqa: ARG002 -- torch's
        raise RuntimeError("no step today\nnor tomorrow")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.Tensor.to_sparse, r"returns a sparse tensor.*; return \.to_dense\(\)"),
        (lambda y: {"a": [y.to_sparse()]}, "returns a sparse tensor"),
        (
            lambda y: torch.nested.nested_tensor([y[0], y[1]]),
            r"returns a nested tensor.*\.to_padded_tensor",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_outputs_that_cannot_be_measured_are_refused(given, message):
    with pytest.raises(InvalidValueError, match=f"^model: forward {message}"):
        pytorch.check(Gives(given), BATCH)

    pytorch.check(Gives(lambda y: {"a": [y, "text"]}), BATCH)


def test_a_batch_without_values_is_refused():
    with pytest.raises(InvalidValueError, match=r"^batch: tensors with values, got"):
        pytorch.check(network(), torch.empty(8, 16, device="meta"))


def test_weights_of_whole_numbers_are_measured():
    (weight,) = pytorch.check(Counts(), BATCH).dataset.weight_std.values.ravel()

    assert weight == pytest.approx(torch.arange(128.0).std(correction=0).item())


@pytest.mark.parametrize("kind", [Untrained, Locked])
def test_a_model_that_refuses_training_mode_is_named(kind):
    model = kind(16, 10)
    vars(model)["is_locked"] = True

    with pytest.raises(
        ModelRunError, match=r"^model: cannot be set to training mode.* (never|locked)"
    ):
        pytorch.check(model, BATCH)

    assert model.training


@pytest.mark.parametrize("is_made", [True, False])
def test_an_optimizer_that_raises_is_named_as_the_one(is_made):
    model = network()
    optimizer = Broken(model.parameters(), lr=0.1) if is_made else Broken

    with pytest.raises(
        OptimizerRunError,
        match=r"^optimizer: Broken raised RuntimeError in its step: no step today$",
    ):
        pytorch.check(model, BATCH, targets=LABELS, optimizer=optimizer)


def test_a_parameter_whose_entries_share_memory_is_refused_unless_frozen():
    model = network()
    model[0].weight = nn.Parameter(torch.ones(1, 16).expand(32, 16))

    for refuse in (
        lambda: pytorch.check(model, BATCH, optimizer=torch.optim.SGD),
        lambda: pytorch.initialize_(model, "he_normal"),
    ):
        with pytest.raises(InvalidValueError, match=r"^model: 0\.weight was expanded"):
            refuse()

    model[0].weight.requires_grad_(False)
    pytorch.check(model, BATCH, optimizer=torch.optim.SGD)
    assert pytorch.initialize_(model, "he_normal").of("0.weight").reason == "frozen"


def test_a_key_that_keywords_alone_do_not_know_is_named():
    with pytest.raises(
        InvalidValueError,
        match=r"^batch: forward takes \(x, mask\), not the key 'zz'; rename",
    ):
        pytorch.check(KeywordsOnly(), {"x": BATCH, "zz": 1})

    pytorch.check(KeywordsOnly(), {"x": BATCH})


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")
def test_a_layer_without_any_weights_is_named():
    model = nn.Sequential(nn.Linear(16, 0), nn.ReLU(), nn.Linear(0, 10))

    with pytest.raises(
        InvalidValueError, match=r"^model: 0 \(Linear\): shape\.0: must be greater"
    ):
        pytorch.initialize_(model, "he_normal")


def test_a_list_that_is_one_argument_is_explained():
    images = [BATCH[0] for _ in range(4)]

    with pytest.raises(
        ModelRunError,
        match=r"4 were given; a list .* as its entries.* as one, give \(batch,\)$",
    ):
        pytorch.check(Images(), images)

    pytorch.check(Images(), (images,))


def test_token_ids_beyond_a_table_are_told_from_those_that_it_has():
    model = nn.Sequential(nn.Embedding(61, 16), nn.Linear(16, 61))

    with pytest.raises(
        ModelRunError,
        match=r"in 0 \(Embedding\): .*; its table has 61 rows: ids .* to 60, got 98",
    ):
        pytorch.check(model, torch.arange(99).reshape(3, 33))

    pytorch.check(model, torch.arange(60).reshape(3, 20))


@pytest.mark.parametrize("code", [None, 0, 3])
def test_a_model_that_ends_python_has_failed(code):
    def leaves(_):
        raise SystemExit(code)

    with pytest.raises(
        ModelRunError, match=r"^model: called sys\.exit\(.*in Gives, wh"
    ):
        pytorch.check(Gives(leaves), BATCH)
