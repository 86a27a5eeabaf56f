"""What a stranger types that was answered by a riddle: a line that helps instead."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from initlab import pytorch
from initlab.errors import InvalidValueError

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 10


def network(width=32):
    return nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 10))


def loader(*tensors):
    return DataLoader(TensorDataset(*tensors), batch_size=32)


class Masked(nn.Module):
    """Takes a mask beside its inputs, or the inputs alone."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 10)

    def forward(self, x, mask=None):
        return self.layer(x if mask is None else x * mask)


@pytest.mark.parametrize("function", [pytorch.check, pytorch.repair_])
def test_targets_beside_a_loader_that_has_its_own_are_refused(function):
    with pytest.raises(
        InvalidValueError, match=r"^targets: a DataLoader yields its own, .* leave"
    ):
        function(network(), loader(BATCH, LABELS), targets=LABELS)

    assert function(network(), loader(BATCH), targets=LABELS) is not None
    assert function(network(), loader(BATCH, LABELS)) is not None


def test_a_key_that_forward_does_not_know_is_named_with_those_it_does():
    with pytest.raises(
        InvalidValueError,
        match=r"^batch: forward takes \(x, mask\), not the key 'labels'; .* targets=",
    ):
        pytorch.check(Masked(), {"x": BATCH, "labels": LABELS})
    with pytest.raises(
        InvalidValueError, match=r"forward takes \(input\), not the key 'x'; rename"
    ):
        pytorch.check(network(), {"x": BATCH})


def test_a_dict_that_is_the_only_argument_may_have_any_keys():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(16, 10)

        def forward(self, batch):
            return self.layer(batch["x"])

    for key in ("batch", "labels"):  # of which forward knows one
        given = {"x": BATCH, key: LABELS}

        assert pytorch.check(Reads(), given).dataset.sizes["layer"] == 1


@pytest.mark.parametrize("model", [network(), nn.Conv1d(32, 4, 3)])
def test_a_complex_batch_is_said_to_be_the_cause(model):
    with pytest.raises(InvalidValueError, match=r"batch is complex64: give its parts"):
        pytorch.check(model, BATCH.to(torch.complex64))


def test_short_trainings_infer_the_loss_as_check_does():
    def repaired(batch, **more):
        torch.manual_seed(0)
        model = network()
        nn.init.zeros_(model[0].weight)
        return pytorch.repair_(model, batch, train_steps=3, **more).training

    given = repaired(BATCH, targets=LABELS, loss=functional.cross_entropy)

    assert given is not None
    assert repaired(BATCH, targets=LABELS) == given
    assert repaired((BATCH, LABELS)) == given
    with pytest.raises(InvalidValueError, match=r"^loss: .* give targets=, or loss="):
        repaired(BATCH)


@pytest.mark.parametrize("name", ["make", "loss", "optimizer"])
def test_what_a_width_law_calls_is_a_function(name):
    typed = {"make": network, "loss": functional.cross_entropy, name: "adam"}

    with pytest.raises(InvalidValueError, match=f"^{name}: a function, .* got 'adam'"):
        pytorch.width_law(
            widths=(16, 32), batch=BATCH, targets=LABELS, steps=0, seeds=2, **typed
        )


def test_a_width_law_is_printed_as_a_table():
    law = pytorch.width_law(
        network, (16, 64, 256), BATCH, targets=LABELS, steps=1,
        optimizer=lambda p: torch.optim.Adam(p, lr=0.3),
    )  # fmt: skip

    head, first, *_, fix = str(law).splitlines()

    assert head.split() == ["layer", "at", "the", "start", "after", "1", "step"]
    assert first.startswith("0      ")
    assert fix.startswith("fix WI25 2: initlab.pytorch.mu_p")
    assert law._repr_html_().count("<tr>") == 3
    quiet = pytorch.WidthLaw(slopes={"<0>": [(0.0, 0.0)]}, findings=())
    assert str(quiet).endswith("no layer grows with the width")
    assert "&lt;0&gt;" in quiet._repr_html_()


def test_the_fix_of_a_long_step_is_a_plain_factor():
    diagnosis = pytorch.check(
        network(), BATCH, targets=LABELS,
        optimizer=lambda p: torch.optim.Adam(p, lr=0.3),
    )  # fmt: skip

    (finding,) = [one for one in diagnosis if one.id == "WI24"]

    factor = round(finding.measured / 0.01)
    assert finding.fix == f"a learning rate {factor} times smaller, or warm-up"


LAZY = (nn.LazyConv1d(4, 3), nn.LazyBatchNorm1d(affine=False))


@pytest.mark.parametrize("layer", LAZY)
@pytest.mark.parametrize(
    "start",
    [
        lambda model: pytorch.initialize_(model, "he_normal"),
        lambda model: pytorch.initialize_(model, "he_normal", batch=BATCH[None]),
        lambda model: pytorch.lsuv_(model, BATCH[None]),
        lambda model: pytorch.fixup_(model, BATCH[None]),
        lambda model: pytorch.mu_p(model, model),
        lambda model: pytorch.repair_(model, BATCH[None]),
    ],
    ids=["initialize_", "with a batch", "lsuv_", "fixup_", "mu_p", "repair_"],
)
def test_lazy_modules_are_to_run_once_first(layer, start):
    with pytest.raises(
        InvalidValueError, match=r"^model: 0\.\w+ is lazy and .* as in model\(batch\)"
    ):
        start(nn.Sequential(layer))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
@pytest.mark.parametrize(
    "start",
    [
        pytorch.lsuv_,
        pytorch.fixup_,
        pytorch.t_fixup_,
        lambda model, _, seed: pytorch.initialize_(model, "he_normal", seed=seed),
    ],
)
def test_seeds_of_recipes_are_those_of_check(start, seed):
    with pytest.raises(InvalidValueError, match=r"^seed: must be (a whole|from 0)"):
        start(network(), BATCH, seed=seed)


class Words(nn.Module):
    """A small GPT: words and positions, pre-norm blocks, a head that may be tied."""

    def __init__(self, words, tied):
        super().__init__()
        self.words, self.places = nn.Embedding(words, 64), nn.Embedding(32, 64)
        layer = partial(
            nn.TransformerEncoderLayer, 64, 4, 256, dropout=0.0, batch_first=True,
            norm_first=True, activation="gelu",
        )  # fmt: skip
        self.blocks = nn.ModuleList([layer() for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, words, bias=False)
        if tied:
            self.head.weight = self.words.weight

    def forward(self, x):
        signal = self.words(x) + self.places(torch.arange(x.shape[1]))
        for block in self.blocks:
            signal = block(signal)
        return self.head(self.norm(signal)).transpose(1, 2)


@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize(
    ("init", "words", "tied"),
    [
        ("lecun_normal", 61, True),
        ("he_normal", 61, True),
        ("lecun_normal", 61, False),
        ("orthogonal", 61, True),
        ("glorot_normal", 61, True),
        ("normal(std=0.02)", 61, True),
    ],
)
def test_a_gpt_that_we_start_is_sound(init, words, tied, read):
    model, x = Words(words, tied), torch.randint(0, words, (8, 24))

    report = pytorch.initialize_(model, init, batch=x if read else None)

    assert pytorch.check(model, x, targets=x.roll(-1, 1)).sound
    loud = report.of("places.weight").std / report.of("words.weight").std
    assert loud < 4
    if init == "lecun_normal" and tied:
        assert report.of("places.weight").init == "lecun_normal, x 0.125"
        assert "a table that is a head" in report.of("places.weight").reason
        actual = float(model.places.weight.detach().std())
        assert actual == pytest.approx(1 / 8, rel=0.1)


def test_tables_whose_init_was_asked_for_have_it():
    model = Words(61, tied=True)

    asked = {"linear": "lecun_normal", "embedding": "normal(std=1)"}
    report = pytorch.initialize_(model, asked)

    assert report.of("places.weight").std == 1


@pytest.mark.parametrize("head_first", [False, True])
@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 1.0), ("sgd", 4.0)])
def test_mu_p_says_what_a_tied_head_needs(head_first, optimizer, rate):
    def tied(width):
        words, head = nn.Embedding(50, width), nn.Linear(width, 50, bias=False)
        head.weight = words.weight
        nn.init.normal_(words.weight)
        inner = nn.Linear(width, width)
        parts = [head, inner, words] if head_first else [words, inner, head]
        return nn.Sequential(*parts)

    wide, base = tied(256), tied(64)
    groups = pytorch.mu_p(wide, base, optimizer=optimizer, learning_rate=1.0)
    by_role = {group["role"]: group for group in groups}

    assert set(by_role) == {"tied", "hidden", "input"}  # of which the last is a bias
    assert by_role["tied"]["names"] == ["0.weight"]
    assert by_role["tied"]["output_multiplier"] == 1 / 4
    assert by_role["tied"]["lr"] == rate
    assert float(wide[0].weight.detach().std()) == pytest.approx(1, rel=0.05)
    assert "output_multiplier" not in by_role["hidden"]


def test_mu_p_takes_two_tied_tables_for_inputs():
    def tied(width):
        model = nn.Sequential(nn.Embedding(50, width), nn.Embedding(50, width))
        model[1].weight = model[0].weight
        return model

    (group,) = pytorch.mu_p(tied(256), tied(64))

    assert group["role"] == "input"


def test_a_batch_with_nans_is_named_and_no_layer():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    x = torch.randn(64, 16)
    assert pytorch.check(model, x).sound
    x[3, 2] = torch.nan
    (found,) = pytorch.check(model, x).of("error")
    assert (found.id, found.cause, found.measured) == ("WI01", "nan_inputs", 1.0)


def test_a_loss_that_nothing_can_be_learned_from_is_refused():
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

    def detached(outputs, targets):
        return nn.functional.cross_entropy(outputs.detach(), targets)

    with pytest.raises(InvalidValueError, match=r"^loss: no gradient leads back"):
        pytorch.check(
            model, torch.randn(8, 16), loss=detached, targets=torch.arange(8) % 4
        )
