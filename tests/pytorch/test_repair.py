"""`repair_`: the smallest change, proven by a second check, and taken back."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn, utils
from torch.nn import functional
from torch.nn.utils import parametrizations

from initlab import pytorch
from initlab.errors import InvalidValueError, OutputError
from initlab.pytorch.repair import _surgery


def mlp(depth=20, width=64, outputs=5):
    layers = []
    for place in range(depth - 1):
        linear = nn.Linear(width, width)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        if place == 0:
            nn.init.normal_(linear.weight, std=width**-0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    head = nn.Linear(width, outputs)
    nn.init.normal_(head.weight, std=0.3 * width**-0.5)
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)


def bits(model):
    return {name: one.numpy().tobytes() for name, one in model.state_dict().items()}


@pytest.fixture
def batch():
    return torch.randn(64, 64)


@pytest.fixture
def labels():
    return torch.arange(64) % 5


def repaired(model, batch, labels, **options):
    return pytorch.repair_(
        model, batch, loss=functional.cross_entropy, targets=labels, **options
    )


def blamed(diagnosis):
    return {one.id for one in diagnosis.findings if one.severity != "info"}


def test_a_healthy_model_comes_back_bit_equal(batch, labels):
    model = mlp()
    before = bits(model)

    repair = repaired(model, batch, labels)

    assert bits(model) == before
    assert repair.changes == ()
    assert str(repair) == "nothing to repair"


def test_a_wrong_gain_is_rescaled_to_the_law_and_is_gone(batch, labels):
    model = mlp(depth=30)
    with torch.no_grad():
        for layer in model[2:-1:2]:
            layer.weight.mul_(0.5)
    names, stream = set(model.state_dict()), torch.random.get_rng_state()

    repair = repaired(model, batch, labels)

    assert blamed(repair.before)
    assert not blamed(repair.after)
    assert {one.kind for one in repair.changes} == {"rescaled"}
    assert float(model[10].weight.detach().std()) == pytest.approx(
        (2 / 64) ** 0.5, rel=1e-3
    )
    assert set(model.state_dict()) == names
    assert torch.equal(torch.random.get_rng_state(), stream)


def test_copies_are_redrawn_and_nothing_else(batch, labels):
    model = mlp(depth=4)
    with torch.no_grad():
        model[2].weight[32:] = model[2].weight[:32]
        model[4].weight[:, 32:] = model[4].weight[:, :32]
    before = bits(model)
    kept = model[2].weight[:32].clone()

    repair = repaired(model, batch, labels)

    after = bits(model)
    assert {name for name in before if before[name] != after[name]} == {"2.weight"}
    assert torch.equal(model[2].weight[:32], kept)
    assert repair.changes[0].amount == "32 of 64 units"
    assert "WI02" not in blamed(repair.after)


def test_entries_that_are_no_numbers_are_redrawn_one_by_one(batch, labels):
    model = mlp(depth=4)
    before = model[2].weight.detach().clone()
    with torch.no_grad():
        model[2].weight[3, 5] = torch.nan

    repair = repaired(model, batch, labels)

    assert int((model[2].weight != before).sum()) == 1
    assert repair.changes[0].amount == "1 of 4096 entries"
    assert not blamed(repair.after)


def test_the_prior_is_set_in_the_heads_bias(batch):
    model = mlp(depth=4)
    labels = torch.zeros(64, dtype=torch.long)
    labels[:6] = torch.arange(6) % 5

    repair = repaired(model, batch, labels)

    assert [one.parameter for one in repair.changes] == ["6.bias"]
    shares = torch.softmax(model[6].bias.detach(), 0)
    assert float(shares[0]) == pytest.approx(60.5 / 66.5, rel=1e-4)


def test_undo_gives_every_bit_back(batch, labels):
    model = mlp(depth=30)
    with torch.no_grad():
        for layer in model[2:-1:2]:
            layer.weight.mul_(0.5)
    before = bits(model)

    repair = repaired(model, batch, labels)
    assert bits(model) != before
    repair.undo()

    assert bits(model) == before


def test_a_dry_run_shows_the_changes_and_leaves_the_model(batch, labels):
    model = mlp(depth=4)
    nn.init.zeros_(model[2].weight)
    before = bits(model)

    repair = repaired(model, batch, labels, dry_run=True)

    assert bits(model) == before
    assert [one.parameter for one in repair.changes] == ["2.weight"]
    assert not blamed(repair.after)
    assert str(repair).startswith("dry run: the model is as it was")


def test_ties_types_gradients_and_buffers_stay(batch, labels):
    model = mlp(depth=6).double()
    model[4].weight = model[2].weight
    model.register_buffer("table", torch.arange(3.0))
    model[0].weight.requires_grad_(False)
    with torch.no_grad():
        model[6].weight.mul_(100)

    repair = repaired(model, batch.double(), labels)

    assert [one.parameter for one in repair.changes] == ["6.weight"]
    assert model[4].weight is model[2].weight
    assert model[6].weight.dtype == torch.float64
    assert not model[0].weight.requires_grad
    assert model[6].weight.requires_grad
    assert torch.equal(model.table, torch.arange(3.0))


def test_a_model_is_as_it_was_when_a_repair_is_interrupted(batch, labels, monkeypatch):
    from initlab.pytorch.repair import _surgery

    model = mlp(depth=4)
    nn.init.zeros_(model[2].weight)
    before, calls, check = bits(model), [], _surgery.check

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return check(*arguments, **options)

    monkeypatch.setattr(_surgery, "check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        repaired(model, batch, labels)

    assert bits(model) == before


def test_what_lies_in_the_optimizer_is_left_with_a_reason(batch, labels):
    model = mlp(depth=4)
    before = bits(model)

    repair = repaired(
        model,
        batch,
        labels,
        optimizer=lambda parameters: torch.optim.Adam(parameters, lr=1.0),
    )

    assert bits(model) == before
    assert {one.id for one in repair.unrepaired} == {"WI24"}
    assert "learning rate" in repair.unrepaired[0].reason


def test_short_trainings_show_that_the_repair_helped(batch, labels):
    model = mlp(depth=30)
    with torch.no_grad():
        for layer in model[2:-1:2]:
            layer.weight.mul_(0.5)
    untrained = copy.deepcopy(model)

    repair = repaired(model, batch, labels, train_steps=30)

    training = repair.training
    assert len(training.before) == len(training.after) == 31
    assert training.after[-1] < training.before[-1]
    assert "repaired" in str(training)
    # Copies were trained: the model itself is repaired, and as untrained as before.
    assert torch.equal(model[0].weight, untrained[0].weight)


def test_short_trainings_take_the_first_batches_of_a_loader(batch, labels):
    pairs = utils.data.TensorDataset(batch, labels)

    by_loader, by_list = (
        pytorch.repair_(mlp(depth=3), (batch, labels), train_steps=2, data=data)
        for data in (
            utils.data.DataLoader(pairs, batch_size=16),
            list(zip(batch.split(16), labels.split(16), strict=True)),
        )
    )

    assert len(by_loader.training.before) == 3
    assert by_loader.training.steps == by_list.training.steps


@pytest.mark.parametrize("data", [[], 3, "train", {"x": torch.ones(2)}])
def test_data_that_are_no_batches_are_refused(batch, labels, data):
    with pytest.raises(InvalidValueError, match=r"^data: .*batch"):
        repaired(mlp(depth=3), batch, labels, train_steps=2, data=data)


def test_a_model_is_as_it_was_when_its_training_fails(batch, labels):
    model = mlp()
    model[4].weight.data.mul_(30)
    before = bits(model)

    with pytest.raises(InvalidValueError, match=r"^data: batch 0 failed in a training"):
        repaired(model, batch, labels, train_steps=2, data=[torch.ones(3, 5)])

    assert bits(model) == before


@pytest.mark.parametrize("given", [True, False])
def test_batches_of_data_may_end_with_targets_of_their_own(batch, labels, given):
    pairs = utils.data.TensorDataset(batch, labels)
    repair = pytorch.repair_(
        mlp(depth=3), batch, targets=labels if given else None, train_steps=8,
        data=utils.data.DataLoader(pairs, batch_size=16),
    )  # fmt: skip
    assert len(repair.training.after) == 9
    assert len(set(repair.training.after)) == 9


def test_an_optimizer_that_evaluates_the_loss_itself_trains_too(batch, labels):
    repair = repaired(
        mlp(depth=3), batch, labels, train_steps=4, optimizer=torch.optim.LBFGS
    )
    assert repair.training.after[-1] < repair.training.after[0]


def test_what_is_ignored_is_left_as_it_is(batch, labels):
    model = mlp(depth=4)
    with torch.no_grad():
        model[4].weight[:2] = model[4].weight[0]
        model[-1].weight.mul_(100)
    both = blamed(repaired(model, batch, labels, dry_run=True).before)

    repair = repaired(model, batch, labels, ignore="WI02")

    assert both == {"WI02", *blamed(repair.before)}
    assert [one.parameter for one in repair.changes] == ["6.weight"]
    assert repair.after.sound


def test_short_trainings_need_a_loss(batch):
    with pytest.raises(InvalidValueError, match="loss"):
        pytorch.repair_(mlp(depth=3), batch, train_steps=5)


def test_packed_projections_are_never_brought_to_a_law():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(32)
            self.qkv, self.proj = nn.Linear(32, 96), nn.Linear(32, 32)

        def forward(self, inputs):
            q, k, v = self.qkv(self.norm(inputs)).chunk(3, dim=-1)
            out = functional.scaled_dot_product_attention(q, k, v)
            return inputs + self.proj(out)

    model = nn.Sequential(Attention(), Attention())
    for block in model:
        nn.init.xavier_uniform_(block.qkv.weight)
    before = bits(model)

    pytorch.repair_(model, torch.randn(8, 6, 32))

    assert bits(model) == before


def test_the_repaired_tensors_are_saved_under_every_key(batch, labels, tmp_path):
    from safetensors.torch import load_file

    model = mlp(depth=6)
    model[4].weight = model[2].weight
    nn.init.zeros_(model[6].weight)

    saved = repaired(model, batch, labels).save(tmp_path / "repaired.safetensors")

    loaded = load_file(saved)
    assert set(loaded) == set(model.state_dict())
    own = model.state_dict()
    assert all(torch.equal(loaded[name], one) for name, one in own.items())
    assert [one.name for one in tmp_path.iterdir()] == ["repaired.safetensors"]
    with pytest.raises(OutputError, match=r"^path: cannot write"):
        repaired(model, batch, labels).save(tmp_path / "missing" / "x.safetensors")
    with pytest.raises(InvalidValueError, match="dry run"):
        repaired(model, batch, labels, dry_run=True).save(tmp_path / "x.safetensors")


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_constant_weights_of_several_recurrent_layers_are_all_drawn(kind):
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = kind(8, 24, num_layers=2, batch_first=True)
            self.head = nn.Linear(24, 4)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    model = Reads()
    weights = [p for name, p in model.rnn.named_parameters() if "weight" in name]
    for weight in weights:
        nn.init.constant_(weight, 0.05)

    repair = pytorch.repair_(model, torch.randn(16, 12, 8))

    assert repair.after.sound
    assert all(float(weight.detach().std()) > 0.1 for weight in weights)


def weight_normed(depth=4):
    torch.manual_seed(0)
    layers = []
    for _ in range(depth):
        layers += [parametrizations.weight_norm(nn.Linear(64, 64)), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 5))


@pytest.mark.parametrize("units", [64, 40])
def test_sizes_of_zero_in_a_weight_norm_are_filled_and_have_one_sign(
    batch, labels, units
):
    model = weight_normed()
    sizes = model[2].parametrizations.weight.original0
    with torch.no_grad():
        sizes[:units] = 0

    repair = repaired(model, batch, labels)

    assert "WI03" not in blamed(repair.after)
    assert bool((sizes > 0).all())
    if units == 64:
        # Of 64 entries each, with variance 2 / 64.
        assert sizes.flatten().tolist() == pytest.approx([2**0.5] * 64)


@pytest.mark.parametrize(("sibling", "std"), [(None, 1.0), (0.02, 0.02)])
def test_equal_rows_are_drawn_like_other_tables_or_at_one(sibling, std):
    class Sums(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.head = nn.Embedding(20, 64), nn.Linear(64, 4)
            if sibling is not None:
                self.kinds = nn.Embedding(5, 64)
                nn.init.normal_(self.kinds.weight, 0, sibling)

        def forward(self, x):
            found = self.words(x)
            if sibling is not None:
                found = found + self.kinds(x % 5)
            return self.head(found.mean(dim=1))

    model = Sums()
    with torch.no_grad():
        model.words.weight[:] = model.words.weight[0].clone()

    repair = pytorch.repair_(model, torch.randint(0, 20, (16, 6)))

    assert repair.after.sound
    assert float(model.words.weight.detach().std()) == pytest.approx(std, rel=0.1)


class Sequences(nn.Module):
    """A post-norm transformer, with positions added by hand."""

    def __init__(self, words=0.5):
        super().__init__()
        self.words = nn.Embedding(20, 32)
        self.places = nn.Parameter(0.3 * torch.randn(1, 12, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.head = nn.Linear(32, 4)
        for parameter in self.body.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.words.weight, std=words)

    def forward(self, x):
        return self.head(self.body(self.words(x) + self.places).mean(1))


def test_of_two_that_are_added_the_one_that_is_off_is_repaired():
    torch.manual_seed(0)
    words, batch = Sequences(), torch.randint(0, 20, (32, 12))
    assert not pytorch.check(words, batch).of("warning", "error")
    model, labels = Sequences(words=1e-5), batch[:, 0] % 4

    repair = repaired(model, batch, labels, train_steps=60)

    assert [(one.finding, one.parameter) for one in repair.changes] == [
        ("WI05", "words.weight")
    ]
    assert repair.before.of("error")
    assert not repair.after.of("error", "warning")
    assert repair.training.after[-1] < 0.7 * repair.training.before[-1]


def _verdict(*findings):
    """A diagnosis of `(check, severity, parameter)`."""
    found = [
        SimpleNamespace(
            id=check, severity=severity, parameter=where, places=(where,),
            cause=check, consequences=("WI07",),
        )
        for check, severity, where in findings
    ]  # fmt: skip
    return SimpleNamespace(
        findings=found, of=lambda *ask: [one for one in found if one.severity in ask]
    )


ERROR = ("WI14", "error", "head.weight")


@pytest.mark.parametrize(
    ("after", "is_milder"),
    [
        ([("WI23", "warning", "q.weight")], True),
        ([("WI23", "error", "q.weight")], False),
        ([("WI05", "warning", "head.weight")], False),
        ([("WI23", "warning", "q.weight"), ("WI04", "warning", "q.weight")], False),
        ([("WI14", "warning", "head.weight")], False),
        # What the error did, too, and does less.
        ([("WI07", "warning", "head.weight")], True),
        ([("WI07", "error", "head.weight")], False),
    ],
)
def test_an_error_is_traded_for_one_warning_elsewhere_and_nothing_more(
    after, is_milder
):
    before = _verdict(ERROR)
    (finding,) = before.findings

    milder = _surgery._is_milder(finding, before, _verdict(*after), {"head.weight"})

    assert milder == is_milder
    assert not _surgery._is_milder(
        SimpleNamespace(**vars(finding) | {"severity": "warning"}),
        before, _verdict(*after), {"head.weight"},
    )  # fmt: skip
