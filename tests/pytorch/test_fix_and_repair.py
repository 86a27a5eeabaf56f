"""The fix that a finding prints, and what `repair_` does: one and the same."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from initlab import pytorch
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._unrepaired import Unrepaired

BATCH = torch.randn(64, 32, generator=torch.Generator().manual_seed(0))


def chain(widths, std):
    """Layers with GELU, whose weights have all the same deviation."""
    layers = []
    for given, made in pairwise(widths):
        layers += [nn.Linear(given, made), nn.GELU()]
    model = nn.Sequential(*layers, nn.Linear(widths[-1], 4))
    for layer in model[:-1:2]:
        nn.init.normal_(layer.weight, 0, std)
        nn.init.zeros_(layer.bias)
    return model


class Heads(nn.Module):
    """Four layers of He's, and two heads whose first layers are far too quiet."""

    def __init__(self):
        super().__init__()
        body = []
        for _ in range(5):
            body += [nn.Linear(32, 32), nn.ReLU(), nn.LayerNorm(32)]
        self.body = nn.Sequential(*body)
        self.size = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
        self.place = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
        for name, parameter in self.named_parameters():
            if name.endswith("0.weight") and parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.1)
        nn.init.normal_(self.size[0].weight, std=0.0005)
        nn.init.normal_(self.place[0].weight, std=0.0015)

    def forward(self, x):
        signal = self.body(x)
        return self.size(signal), self.place(signal)


class Multiple(nn.Module):
    """A layer with sin(30 z)."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32, 32)
        nn.init.uniform_(self.layer.weight, -0.002, 0.002)

    def forward(self, x):
        return torch.sin(30 * self.layer(x))


def multiples():
    return [Multiple() for _ in range(8)]


@pytest.mark.parametrize(
    ("make", "factors"),
    [
        (lambda: chain((32,) * 10, 0.02), "one"),
        (lambda: chain((32, 128, 128, 32, 32, 64, 64, 64), 0.02), "each"),
        (Heads, "each"),
        (lambda: nn.Sequential(*multiples(), nn.Linear(32, 3)), "one"),
    ],
    ids=["one factor", "several factors", "siblings", "a multiple"],
)  # fmt: skip
def test_the_fix_of_a_scale_is_what_is_done(make, factors):
    torch.manual_seed(0)
    model = make()
    by_hand = copy.deepcopy(model)
    (finding,) = pytorch.check(model, BATCH).of("error", "warning")

    repair = pytorch.repair_(model, BATCH)

    few = len(finding.places) <= 3  # are named in the line, which needs no finding
    assert ("finding" in finding.fix) == (not few)
    assert ("ratio" in finding.fix) == (factors == "each")
    known = {} if few else {"finding": finding}
    exec(finding.fix, {"torch": torch, "model": by_hand, **known})
    assert repair.after.sound
    assert {one.parameter for one in repair.changes} == set(finding.places)
    assert len(finding.places) > 1
    for name in finding.places:
        torch.testing.assert_close(
            by_hand.get_parameter(name), model.get_parameter(name),
            rtol=0.08, atol=1e-6,  # of factors written as one
        )  # fmt: skip


def test_a_printed_fix_runs_beside_its_diagnosis(tmp_path):
    """Of many places as well, which the line does not name."""
    torch.manual_seed(0)
    model = chain((32,) * 10, 0.02)
    diagnosis = pytorch.check(model, BATCH)
    (line,) = [x for x in str(diagnosis).splitlines() if x.startswith("fix ")]
    assert "diagnosis.findings[0].places" in line
    report = diagnosis.report(tmp_path / "page.html").read_text(encoding="utf-8")
    for page in (diagnosis._repr_html_(), report):
        assert "diagnosis.findings[0].places" in page

    exec(line.split(": ", 1)[1], {"torch": torch, "model": model} | locals())

    assert pytorch.check(model, BATCH).sound


def test_the_fix_of_a_loud_head_is_what_is_done():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.Linear(64, 10))
    nn.init.normal_(model[2].weight, std=1.5)
    by_hand = copy.deepcopy(model)
    diagnosis = pytorch.check(model, BATCH, targets=torch.arange(64) % 10)
    (finding,) = diagnosis.of("error", "warning")

    pytorch.repair_(model, BATCH, targets=torch.arange(64) % 10)

    assert finding.cause == "over_confident"
    exec(finding.fix, {"torch": torch, "model": by_hand})
    torch.testing.assert_close(
        by_hand[2].weight, model[2].weight, rtol=0.01, atol=1e-6
    )  # whose factor has three digits


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
def test_what_float16_rounds_to_zero_in_a_quiet_chain_is_one_finding(activation):
    layers = [nn.Linear(64, 64) if n % 2 == 0 else activation() for n in range(100)]
    model = nn.Sequential(*layers, nn.Linear(64, 4)).half()

    (finding,) = pytorch.check(model, torch.randn(64, 64).half()).of("error")

    assert (finding.id, finding.cause) == ("WI05", "wrong_gain")
    assert "WI03" in finding.consequences


def test_a_weight_that_is_used_twice_is_repaired_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.shared, self.head = nn.Linear(32, 32), nn.Linear(32, 4)
            nn.init.uniform_(self.shared.weight)

        def forward(self, x):
            first = torch.relu(self.shared(x))
            return self.head(
                torch.relu(nn.functional.linear(first, self.shared.weight))
            )

    repair = pytorch.repair_(Twice(), BATCH)

    assert [one.parameter for one in repair.changes] == ["shared.weight"]


def of(parameter, finding="WI05", amount="x 2"):
    return Change(parameter=parameter, kind="rescaled", amount=amount, finding=finding,
                  values=torch.zeros(1))  # fmt: skip


def printed(changes, *left):
    diagnosis = pytorch.check(nn.Linear(32, 4), BATCH)
    return str(
        pytorch.Repair(
            before=diagnosis, after=diagnosis, changes=changes, unrepaired=left
        )
    ).splitlines()


def test_a_parameter_has_one_line_whatever_was_done_to_it():
    lines = printed((of("a"), of("b"), of("a", amount="x 3"), of("b", "WI14", "x 0.5")))

    assert lines == [
        "WI05  a: rescaled, x 2, then rescaled, x 3",
        "WI05, WI14  b: rescaled, x 2, then rescaled, x 0.5",
    ]


def test_of_many_parameters_the_least_and_the_largest_factor_are_printed():
    amounts = ("x 1.73", "x 6.56", "x 4.62", "x 3.13")

    assert printed(tuple(of(f"{n}", amount=x) for n, x in enumerate(amounts))) == [
        "WI05  0 and 3 more: rescaled, x 1.73 to x 6.56"
    ]


def test_what_was_changed_and_is_still_found_is_not_said_to_be_left():
    left = Unrepaired(id="WI05", where="a", reason="no remedy is known")
    other = Unrepaired(id="WI05", where="b", reason="no remedy is known")

    assert printed((of("a"),), left, other) == [
        "WI05  a: rescaled, x 2",
        "WI05  a: changed as said, and still found: no remedy is known",
        "WI05  b: left, no remedy is known",
    ]


def test_a_part_of_a_parametrized_weight_is_called_as_the_weight_is():
    torch.manual_seed(0)
    layers = [
        nn.utils.parametrizations.weight_norm(nn.Linear(32, 32)) if n % 2 == 0
        else nn.ReLU() for n in range(24)
    ]  # fmt: skip
    model = nn.Sequential(*layers, nn.Linear(32, 4))

    diagnosis = pytorch.check(model, BATCH)
    (finding,) = diagnosis.of("error")

    assert finding.parameter.endswith("parametrizations.weight.original0")
    assert "from 2.weight on" in finding.sentence
    assert "\nfix WI05 2.weight (+" in str(diagnosis)
    exec(finding.fix, {"model": copy.deepcopy(model), "finding": finding})
    repair = pytorch.repair_(model, BATCH)
    assert repair.after.sound
    assert str(repair).startswith("WI05  2.weight and ")


@pytest.mark.parametrize("whole", [True, False])
def test_one_logit_of_uneven_answers_starts_at_their_share(whole):
    """Whole numbers or not, targets of 0 and 1 are answers of one logit."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    vectors, answers = torch.randn(400, 8), torch.arange(400) % 40 != 0
    targets = answers.long() if whole else answers.float()[:, None]
    (finding,) = pytorch.check(model, vectors, targets=targets).of("warning")

    repair = pytorch.repair_(model, vectors, targets=targets)

    by_repair = float(model[2].bias.detach())
    assert [change.parameter for change in repair.changes] == ["2.bias"]
    assert by_repair == pytest.approx(math.log(390 / 10), rel=1e-3)
    exec(finding.fix, {"model": model, "torch": torch})
    assert float(model[2].bias.detach()) == pytest.approx(by_repair, rel=1e-3)
