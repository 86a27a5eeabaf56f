"""Words: tables that say nothing, or the same of all, and logits with classes first."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from initlab import pytorch

WORDS, WIDTH, LENGTH = 40, 32, 12


class Translator(nn.Module):
    """A GRU reads a sentence; another one writes, and is shown the words so far."""

    def __init__(self) -> None:
        super().__init__()
        self.source = nn.Embedding(WORDS, WIDTH)
        self.written = nn.Embedding(WORDS, WIDTH)
        self.reads = nn.GRU(WIDTH, 48, batch_first=True)
        self.writes = nn.GRU(WIDTH, 48, batch_first=True)
        self.out = nn.Linear(48, WORDS)

    def forward(self, source: Tensor, written: Tensor) -> Tensor:
        _, state = self.reads(self.source(source))
        return self.out(self.writes(self.written(written), state)[0])


class Trunk(nn.Module):
    """Words on a residual trunk, behind one normalization or another."""

    def __init__(self, norm: type[nn.Module]) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.norms = nn.ModuleList(norm(WIDTH) for _ in range(4))
        self.up = nn.ModuleList(nn.Linear(WIDTH, 4 * WIDTH) for _ in range(4))
        self.down = nn.ModuleList(nn.Linear(4 * WIDTH, WIDTH) for _ in range(4))
        self.last = norm(WIDTH)
        self.out = nn.Linear(WIDTH, WORDS)

    def forward(self, words: Tensor) -> Tensor:
        x = self.words(words)
        for norm, up, down in zip(self.norms, self.up, self.down, strict=True):
            x = x + down(functional.gelu(up(norm(x))))
        return self.out(self.last(x))


def blamed(model: nn.Module, *words: Tensor) -> list[tuple[str, str, str | None]]:
    labels = words[-1].roll(-1, 1)
    diagnosis = pytorch.check(
        model, words, targets=labels,
        loss=lambda out, y: functional.cross_entropy(out.transpose(1, 2), y),
    )  # fmt: skip
    return [(f.id, f.cause, f.parameter) for f in diagnosis.of("error", "warning")]


def sentence() -> Tensor:
    return torch.randint(WORDS, (16, LENGTH))


@pytest.mark.parametrize(
    ("size", "found"),
    [
        (0.0, [("WI03", "zero_weight_on_trunk", "source.weight")]),
        (0.001, [("WI05", "quiet_table", "source.weight")]),
        (0.02, []),
        (1.0, []),
    ],
)
def test_what_cells_cannot_hear_is_named_whatever_else_they_are_shown(
    size: float, found: list[tuple[str, str, str]]
) -> None:
    torch.manual_seed(0)
    model = Translator()
    model.source.weight.data.mul_(size)
    words = sentence()
    assert blamed(model, words, words.flip(1)) == found


def test_only_cells_are_deaf_to_words_beside_their_biases() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(WORDS, WIDTH), nn.Linear(WIDTH, WIDTH),
                          nn.ReLU(), nn.Linear(WIDTH, WORDS))  # fmt: skip
    model.get_parameter("0.weight").data.mul_(0.001)
    assert "quiet_table" not in {one[1] for one in blamed(model, sentence())}


def test_words_of_a_usual_size_are_not_blamed_for_loud_biases() -> None:
    torch.manual_seed(0)
    model = Translator()
    model.reads.get_parameter("bias_ih_l0").data.fill_(300.0)
    words = sentence()
    assert "quiet_table" not in {one[1] for one in blamed(model, words, words)}


def test_words_of_one_sign_are_named_and_their_mean_is_taken_off() -> None:
    torch.manual_seed(0)
    model = Trunk(nn.RMSNorm)
    model.words.weight.data.uniform_(0, 1)
    words = sentence()
    assert blamed(model, words) == [("WI05", "one_sided_table", "words.weight")]
    spread = float(model.words.weight.detach().std())
    pytorch.repair_(model, words)
    assert blamed(model, words) == []
    assert float(model.words.weight.detach().std()) == pytest.approx(spread)


@pytest.mark.parametrize("low", [-1.0, -0.5])
def test_words_of_both_signs_are_not(low: float) -> None:
    torch.manual_seed(0)
    model = Trunk(nn.RMSNorm)
    model.words.weight.data.uniform_(low, 1)
    assert blamed(model, sentence()) == []


def test_a_mean_that_a_normalization_takes_off_is_no_fault() -> None:
    torch.manual_seed(0)
    model = Trunk(nn.LayerNorm)
    model.words.weight.data.uniform_(0, 1)
    behind = nn.Sequential(nn.Embedding(WORDS, WIDTH), nn.LayerNorm(WIDTH),
                           nn.Linear(WIDTH, WORDS))  # fmt: skip
    nn.init.uniform_(behind.get_parameter("0.weight"))
    for each in (model, behind):
        assert blamed(each, sentence()) == []


@pytest.mark.parametrize(("rows", "width"), [(WORDS, 4), (4, WIDTH)])
def test_one_sign_of_a_few_codes_is_no_fault(rows: int, width: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(rows, width), nn.Linear(width, WIDTH),
                          nn.ReLU(), nn.Linear(WIDTH, WORDS))  # fmt: skip
    nn.init.uniform_(model.get_parameter("0.weight"))
    assert blamed(model, sentence() % rows) == []


def test_words_that_are_all_the_same_are_another_fault() -> None:
    torch.manual_seed(0)
    model = Trunk(nn.RMSNorm)
    model.words.weight.data.fill_(0.5)
    found = {one[1] for one in blamed(model, sentence())}
    assert found
    assert "one_sided_table" not in found


class Samples(nn.Module):
    """A wave's next value, of classes that come before the times."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv1d(1, 24, 1), nn.Conv1d(24, WORDS, 1)

    def forward(self, wave: Tensor) -> Tensor:
        return self.last(functional.relu(self.first(wave[:, None])))


@pytest.mark.parametrize(
    ("bias", "found"),
    [(0.0, []), (10.0, [("WI14", "biased_choice", "last.bias")])],
)
def test_classes_before_times_are_what_labels_say_they_are(
    bias: float, found: list[tuple[str, str, str]]
) -> None:
    torch.manual_seed(0)
    model = Samples()
    model.last.bias.data[0] += bias
    diagnosis = pytorch.check(
        model, torch.randn(8, 64), targets=torch.randint(WORDS, (8, 64)),
        loss=nn.CrossEntropyLoss(),
    )  # fmt: skip
    flagged = diagnosis.of("error", "warning")
    assert [(f.id, f.cause, f.parameter) for f in flagged] == found


@pytest.mark.parametrize("times", [1.0, 60.0])
def test_sure_logits_with_classes_first_are_as_sure_as_with_classes_last(
    times: float,
) -> None:
    torch.manual_seed(0)
    first = Samples()
    first.last.weight.data.mul_(times)

    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of = first

        def forward(self, wave: Tensor) -> Tensor:
            return self.of(wave).transpose(1, 2)

    wave, labels = torch.randn(8, 64), torch.randint(WORDS, (8, 64))
    found = [
        [(f.cause, f.severity, pytest.approx(f.measured))
         for f in pytorch.check(model, wave, targets=labels).findings]
        for model in (first, Turned())
    ]  # fmt: skip
    assert found[0] == found[1]
    assert bool(found[0]) == (times > 1)


@pytest.mark.parametrize(
    ("size", "first", "explained"),
    [(0.3, ("WI05", "warning", "beyond_any_law"), "WI14"),
     (1.0, ("WI14", "warning", "over_confident"), "WI05")],
)  # fmt: skip
def test_a_head_that_no_scheme_makes_is_named_however_sure_it_is(
    size: float, first: tuple[str, str, str], explained: str
) -> None:
    torch.manual_seed(0)
    model = Samples()
    model.last.weight.data.mul_(30)
    model.first.bias.data.zero_()
    diagnosis = pytorch.check(
        model, size * torch.randn(8, 64), targets=torch.randint(WORDS, (8, 64))
    )
    (found,) = diagnosis.findings
    assert (found.id, found.severity, found.cause) == first
    assert explained in found.consequences
