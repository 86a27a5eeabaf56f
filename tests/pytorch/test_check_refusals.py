"""Losses and targets that cannot be used, and models that give nothing: one sentence.

Each refusal has its neighbour that is taken, so that refusing everything fails too.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from networks import Gives
from torch import nn
from torch.nn import functional
from torch.utils.data import IterableDataset, TensorDataset

from initlab import pytorch
from initlab.errors import InvalidValueError
from initlab.spec import facts_from_json

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 10


ALLOWED = "a tensor, a tuple of arguments, a dict of keyword arguments, or a DataLoader"


class Endless(IterableDataset):
    def __iter__(self):
        while True:
            yield BATCH[0]


def network(units=10):
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, units))


def loss_kind(model, batch=BATCH, **more):
    diagnosis = pytorch.check(model, batch, **more)
    return facts_from_json(diagnosis.dataset.attrs["facts"])[0].output.loss_kind


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

    assert loss_kind(network(), loss=lambda out, _: loss(out, LABELS)[None],
                     targets=LABELS) == "given"  # fmt: skip
    for targets in (LABELS[:5], torch.full((32,), -1), LABELS + 90):
        assert loss_kind(network(), targets=targets, loss=loss) == "given"


def test_labels_that_the_model_is_given_itself_are_its_own_affair():
    batch = {"x": BATCH, "labels": LABELS + 90}

    assert loss_kind(Labelled(), batch) == ""


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("ce", "a function of outputs and targets, got 'ce'"),
        (nn.MSELoss, r"a function of .*, got <class .*MSELoss'>; give MSELoss\(\), or"),
        (lambda *_: 0.5, "must return a tensor, got float"),
        (lambda *_: None, "must return a tensor, got NoneType"),
        (nn.CrossEntropyLoss(reduction="none"), r"one number, got shape \(32,\); give"),
        (lambda out, _: out[:0], r"one number, got shape \(0, 10\)"),
        (lambda out, _: out.mean() + 0j, "a real number, got torch.complex64"),
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
        (({},), "tensors, got an empty dict inside a tuple"),
        ((one for one in [BATCH]), rf"{ALLOWED}, got generator; give next\(iter"),
        (iter([BATCH]), rf"{ALLOWED}, got list_iterator; give next\(iter"),
        (TensorDataset(BATCH, LABELS), rf"{ALLOWED}, got TensorDataset; give .*Loader"),
        (Endless(), f"{ALLOWED}, got Endless; give .*DataLoader"),
        (3.0, f"{ALLOWED}, got float; give torch.as_tensor"),
        ("words", f"{ALLOWED}, got str; give its tokens"),
        ({BATCH}, f"{ALLOWED}, got set; give a tuple"),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, str) else "",
)
@pytest.mark.parametrize("function", [pytorch.check, pytorch.repair_])
def test_a_batch_that_is_none_is_refused_as_one(function, batch, message):
    with pytest.raises(InvalidValueError, match=f"^batch: {message}"):
        function(network(), batch)


class Takes(nn.Module):
    """Takes its inputs out of whatever it is given, and any options."""

    def __init__(self, of):
        super().__init__()
        self.layer, self.of = nn.Linear(16, 10), of

    def forward(self, given, **_options):
        return self.layer(self.of(given))


class TakesMore(nn.Module):
    """Takes an option beside its inputs."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 10)

    def forward(self, x, option):  # noqa: ARG002 -- given, and not looked at
        return self.layer(x)


@dataclass
class Record:
    x: Any


class Pair(NamedTuple):
    x: torch.Tensor
    note: str


class Graph:
    """With a length and entries, as libraries of graphs have them."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __iter__(self):
        return iter([("x", self.x)])


@pytest.mark.parametrize("given", [Record(BATCH), Pair(BATCH, "note"), Graph(BATCH)])
def test_an_object_of_a_user_s_own_is_a_batch(given):
    assert pytorch.check(Takes(lambda one: one.x), given).dataset.sizes["layer"] == 1


@pytest.mark.parametrize("option", ["words", 3, 0.5, {}, {"words"}, range(3), None])
def test_numbers_and_text_are_arguments_beside_tensors(option):
    for batch in ((BATCH, option), {"x": BATCH, "option": option}):
        assert pytorch.check(TakesMore(), batch).dataset.sizes["layer"] == 1
    assert pytorch.check(Takes(lambda _: BATCH), ("words",)).dataset.sizes["layer"] == 1


def test_packed_sequences_are_batches():
    packed = nn.utils.rnn.pack_sequence([BATCH[:5], BATCH[:3]])

    assert pytorch.check(nn.LSTM(16, 8), packed).dataset.sizes["layer"]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_are_to_be_padded(layout):
    nested = torch.nested.nested_tensor([BATCH[:3], BATCH[:5]], layout=layout)

    for batch in (nested, (nested, LABELS[:2]), {"input": nested}):
        with pytest.raises(InvalidValueError, match=r"^batch: padded .*_padded_tensor"):
            pytorch.check(network(), batch)
    assert pytorch.check(network(), nested.to_padded_tensor(0.0)).dataset is not None


@pytest.mark.parametrize(
    ("model", "batch", "hint"),
    [
        (network(), BATCH.double(), r"float64 and the .* float32: give batch\.float"),
        (network(), {"input": BATCH.double()}, r"float64 .*: give batch\.float"),
        (network(), BATCH.long(), r"int64 and the .* float32: give batch\.float"),
        (network().double(), BATCH, r"float32 and the .* float64: give batch\.double"),
        (nn.Conv1d(32, 4, 3), BATCH.byte(), r"uint8 .* float32: give batch\.float"),
        (nn.LayerNorm(16), BATCH.double(), r"float64 .* float32: give batch\.float"),
        (nn.LSTM(16, 4), BATCH.half(), r"float16 .* float32: give batch\.float"),
        (nn.Bilinear(16, 16, 4), (BATCH.double(),) * 2, r"float64 .* give \.float"),
        (nn.Embedding(9, 4), BATCH, r"the batch is float32: give \.long"),
        (network(), [1.0, 2.0], r"holds float: give torch\.as_tensor"),
    ],
)
def test_a_batch_of_another_type_is_said_to_be_the_cause(model, batch, hint):
    with pytest.raises(InvalidValueError, match=f"^model: failed on .*; .*{hint}"):
        pytorch.check(model, batch)


def test_a_failure_inside_a_model_is_not_laid_on_the_batch_s_type():
    inside = Takes(lambda given: given.double())
    odd = Takes(lambda given: given.float()[:, :3])

    for model, batch in ((inside, BATCH), (odd, BATCH.double())):
        with pytest.raises(InvalidValueError, match=r"^model: failed") as caught:
            pytorch.check(model, batch)
        assert "give" not in str(caught.value)


def test_targets_of_another_type_are_named_where_gradients_fail():
    targets = torch.rand(32, 10, dtype=torch.float64)

    with pytest.raises(InvalidValueError, match=r"Found dtype .*; targets of another"):
        pytorch.check(network(), BATCH, targets=targets, loss=nn.HuberLoss())


@pytest.mark.parametrize("function", [pytorch.check, pytorch.repair_])
@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("adam", "an optimizer or a function .*, got 'adam'; give torch.optim.Adam"),
        (lambda _, rate: rate, "raised TypeError: .*; give more by functools.partial"),
        (lambda _: {}["rate"], "raised KeyError: 'rate'$"),
        (
            lambda _: torch.optim.SGD(network().parameters()),
            "holds none of the model's",
        ),
        (torch.optim.SGD(network().parameters()), "holds none of the model's"),
        (torch.optim.LBFGS(network().parameters()), "holds none of the model's"),
    ],
)
def test_an_optimizer_that_is_none_of_this_model_is_refused(
    function, optimizer, message
):
    with pytest.raises(InvalidValueError, match=f"^optimizer: .*{message}"):
        function(network(), BATCH, targets=LABELS, optimizer=optimizer)


@pytest.mark.parametrize(
    "optimizer", [torch.optim.SGD, partial(torch.optim.SGD, lr=0.1), torch.optim.Adam]
)
def test_classes_of_optimizers_are_functions_of_parameters(optimizer):
    diagnosis = pytorch.check(network(), BATCH, targets=LABELS, optimizer=optimizer)

    name = facts_from_json(diagnosis.dataset.attrs["facts"])[0].optimizer
    assert name in ("SGD", "Adam")


@pytest.mark.parametrize("seeds", ["3", 2.0, True, None])
def test_members_are_counted_in_whole_numbers(seeds):
    with pytest.raises(InvalidValueError, match=r"^seeds: must be a whole number, got"):
        pytorch.check(network, BATCH, seeds=seeds)


@pytest.mark.parametrize("seed", [1.5, "a", None, True, -1, 2**32, 2**70])
def test_a_seed_is_a_whole_number_that_every_stream_takes(seed):
    for call in (
        lambda: pytorch.check(network(), BATCH, seed=seed),
        lambda: pytorch.check(network, BATCH, seed=seed),
        lambda: pytorch.repair_(network(), BATCH, seed=seed),
    ):
        with pytest.raises(
            InvalidValueError,
            match=r"^seed: must be (a whole number|from 0 to \d+), got",
        ):
            call()


def test_every_member_has_a_seed_in_range():
    last = 2**32 - 1

    assert pytorch.check(network, BATCH, seed=torch.tensor(last)).dataset.seed == last
    with pytest.raises(InvalidValueError, match=f"^seed: .* to {last - 1} for 2 memb"):
        pytorch.check(network, BATCH, seed=last, seeds=2)


@pytest.mark.parametrize("steps", ["3", -1])
def test_steps_of_a_training_are_counted(steps):
    with pytest.raises(InvalidValueError, match=r"^train_steps: must be"):
        pytorch.repair_(network(), BATCH, train_steps=steps)


@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam])
def test_a_model_that_is_frozen_is_not_said_to_be_sound(optimizer):
    model = network().requires_grad_(False)

    said = str(pytorch.check(model, BATCH, targets=LABELS, optimizer=optimizer))

    assert said.splitlines()[-1].startswith("every parameter is frozen: there is")
    assert "sound" not in said
    model[2].requires_grad_()
    assert "initialization sound" in str(pytorch.check(model, BATCH, targets=LABELS))


def test_what_is_wrong_with_a_frozen_model_is_still_found():
    model = network().requires_grad_(False)
    nn.init.zeros_(model[0].weight)

    assert str(pytorch.check(model, BATCH)).endswith("not sound: 1 error")


@pytest.mark.parametrize(
    ("loss", "is_frozen", "message"),
    [
        (functional.cross_entropy, True, "^train_steps: every parameter is frozen"),
        (None, False, "^loss: short trainings need one"),
    ],
)
def test_a_training_that_cannot_be_is_refused_before_a_repair(loss, is_frozen, message):
    model = network().requires_grad_(not is_frozen)
    nn.init.zeros_(model[0].weight)

    targets = None if loss is None else LABELS
    with pytest.raises(InvalidValueError, match=message):
        pytorch.repair_(model, BATCH, targets=targets, loss=loss, train_steps=2)
    assert not model[0].weight.any()


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

        assert "short_step" not in {one.cause for one in diagnosis.findings}


@pytest.mark.parametrize(
    "made",
    [
        lambda out: torch.distributions.Normal(out, out.exp()),
        lambda out: (torch.distributions.Categorical(logits=out), None),
    ],
)
def test_a_distribution_without_a_loss_depends_on_the_weights(made):
    assert pytorch.check(Gives(made), BATCH).sound


class Constant(nn.Module):
    """A picture that is made of a parameter, whatever is given."""

    def __init__(self):
        super().__init__()
        self.start, self.layer = nn.Parameter(torch.randn(1, 16)), nn.Linear(16, 16)
        self.last = nn.Linear(16, 16)

    def forward(self, x):
        return self.last(torch.relu(self.layer(self.start.expand(len(x), -1))))


@pytest.mark.parametrize("zeros", [(), (torch.zeros(8, 3),), (torch.zeros(8).long(),)])
def test_zeros_alone_are_no_batch(zeros):
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.stack = nn.Sequential(
                nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(),
                nn.Linear(32, 3),
            )  # fmt: skip

        def forward(self, x, *_more):
            return self.stack(x)

    model = Reads()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    for function in (pytorch.check, pytorch.repair_):
        with pytest.raises(InvalidValueError, match=r"^batch: .*zeros alone.*randn"):
            function(model, (torch.zeros(8, 20), *zeros))
    after = model.state_dict()
    assert all(torch.equal(one, after[name]) for name, one in before.items())
    assert pytorch.check(model, (torch.randn(8, 20), *zeros)).sound


def test_zeros_that_no_layer_reads_are_a_batch():
    assert pytorch.check(Constant(), torch.zeros(8, 2)) is not None


def test_zeros_are_enough_to_initialize():
    model = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 3))
    report = pytorch.initialize_(model, "he_normal", batch=torch.zeros(2, 20))
    assert report.of("0.weight").reason == "tanh: critical"
