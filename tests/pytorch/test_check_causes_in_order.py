"""One fault, one finding, at its place: what is dead, loud or equal is said once."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

VECTORS = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(2))
NUMBERS = torch.randn(64, 1, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(64) % 5


def blamed(model, batch=VECTORS, **more):
    """Checks with their causes and parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_a_dead_first_layer_is_no_fault_of_the_chain(activation):
    model = nn.Sequential(
        nn.Linear(8, 32), activation(), nn.Linear(32, 32), activation(),
        nn.Linear(32, 1),
    )  # fmt: skip
    nn.init.constant_(model[0].bias, -60.0)

    found = blamed(model, loss=nn.MSELoss(), targets=NUMBERS)

    assert found == [("WI12", "biased_off", "0.bias")]


class Branch(nn.Module):
    """A residual block whose last factor may start at 0."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x):
        return (x + self.norm(self.conv(x))).relu()


def test_a_dead_stem_is_no_fault_of_designed_zeros_behind_it():
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Branch(16),
        Branch(16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5),
    )  # fmt: skip
    nn.init.constant_(model[1].bias, -10.0)

    found = blamed(model, IMAGES, loss=nn.CrossEntropyLoss(), targets=LABELS[:32])

    assert found == [("WI12", "biased_off", "1.bias")]


def test_copies_before_a_batch_norm_are_no_fault_of_its_factor():
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 5),
    )  # fmt: skip
    nn.init.constant_(model[3].weight, 0.05)

    found = blamed(model, IMAGES, loss=nn.CrossEntropyLoss(), targets=LABELS[:32])

    assert found == [("WI02", "constant_weight", "3.weight")]


class Scaled(nn.Module):
    """Blocks without norms, whose branches a number each multiplies, as ReZero's."""

    def __init__(self, blocks, factor):
        super().__init__()
        torch.manual_seed(0)
        self.branches = nn.ModuleList(nn.Linear(64, 64) for _ in range(blocks))
        self.factors = nn.ParameterList(torch.tensor(factor) for _ in range(blocks))
        self.stem, self.head = nn.Linear(8, 64), nn.Linear(64, 5)
        for branch in self.branches:
            nn.init.kaiming_normal_(branch.weight)

    def forward(self, x):
        x = self.stem(x)
        for branch, factor in zip(self.branches, self.factors, strict=True):
            x = x + factor * branch(x.relu())
        return self.head(x.square()).log_softmax(-1)


@pytest.mark.parametrize(("blocks", "factor"), [(12, 8.0), (24, 15.0)])
def test_a_trunk_that_grows_is_named_and_not_what_becomes_infinite(blocks, factor):
    model = Scaled(blocks, factor)

    found = blamed(model, loss=nn.NLLLoss(), targets=LABELS)

    assert [one[:2] for one in found] == [("WI16", "residual_growth")]


def test_the_sound_one_among_loud_siblings_is_not_blamed():
    torch.manual_seed(0)
    sizes = (0.1, 20.0, 20.0, 20.0)

    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(nn.Linear(8, 32) for _ in sizes)
            self.mixes = nn.ModuleList(nn.Linear(32, 32) for _ in sizes)
            self.head = nn.Linear(32, 5)
            for mix, size in zip(self.mixes, sizes, strict=True):
                nn.init.normal_(mix.weight, std=size)

        def forward(self, x):
            pairs = zip(self.parts, self.mixes, strict=True)
            return self.head(sum(mix(part(x).relu()) for part, mix in pairs))

    found = pytorch.check(Sum(), VECTORS, loss=nn.CrossEntropyLoss(), targets=LABELS)

    assert "mixes.0.weight" not in {
        name for one in found.of("warning", "error") for name in one.places
    }


def rate(name, value):
    kinds = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}
    return lambda parameters: kinds[name](parameters, value)


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("SGD", 300.0, "long_step"), ("Adam", 0.5, "long_step"),
        ("Adam", 1e-8, "short_step"), ("Adam", 1e-3, None), ("SGD", 0.1, None),
    ],
)  # fmt: skip
def test_a_head_of_zeros_hides_no_learning_rate(name, value, cause):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 5))
    nn.init.zeros_(model[2].weight)

    found = blamed(
        model, loss=nn.CrossEntropyLoss(), targets=LABELS, optimizer=rate(name, value)
    )  # fmt: skip

    assert found == ([("WI24", cause, "2.weight")] if cause else [])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_steps_of_gradient_descent_are_as_small_as_its_gradient(name):
    """Adam's are not, and so have a finding of their own."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(m for _ in range(12) for m in (nn.Linear(8, 8), nn.ReLU())), nn.Linear(8, 5)
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            layer.weight.data *= 0.1
            nn.init.zeros_(layer.bias)

    found = blamed(
        model, loss=nn.CrossEntropyLoss(), targets=LABELS, optimizer=rate(name, 1e-8)
    )  # fmt: skip

    assert ("WI05", "wrong_gain") in [one[:2] for one in found]
    assert ("WI24" in [one[0] for one in found]) == (name == "Adam")


class Attends(nn.Module):
    """Self-attention by one packed layer, on a skip."""

    def __init__(self, *, bias):
        super().__init__()
        self.packed, self.end = nn.Linear(32, 96, bias=bias), nn.Linear(32, 32)

    def forward(self, x):
        parts = (
            one.unflatten(-1, (4, 8)).transpose(1, 2)
            for one in self.packed(x).chunk(3, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(*parts)
        return x + self.end(mixed.transpose(1, 2).flatten(-2))


@pytest.mark.parametrize("rows", [96, 64, 32])
@pytest.mark.parametrize("bias", [True, False])
def test_queries_and_keys_of_zeros_never_move(rows, bias):
    """A bias, or either of them, gets the other off."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), Attends(bias=bias), Attends(bias=bias),
                          nn.Linear(32, 5))  # fmt: skip
    for layer in model[1:3]:
        nn.init.zeros_(layer.packed.weight[:rows])

    found = blamed(model, torch.randn(16, 6, 8))

    stuck = [("WI03", "zero_queries", "1.packed.weight")]
    assert found == (stuck if rows > 32 and not bias else [])


def test_one_unit_of_one_sign_is_a_sphere():
    """The start of signed distances (Atzmon and Lipman, 2020), equation 8."""
    torch.manual_seed(0)
    layers = []
    for given in (3, 256, 256, 256):
        layers += [nn.Linear(given, 256), nn.ReLU()]
        nn.init.normal_(layers[-2].weight, std=math.sqrt(2 / 256))
        nn.init.zeros_(layers[-2].bias)
    head = nn.Linear(256, 1)
    nn.init.normal_(head.weight, math.sqrt(math.pi / 256), 1e-6)
    nn.init.constant_(head.bias, -1.0)

    assert blamed(nn.Sequential(*layers, head), torch.randn(64, 3)) == []


class ActorAndCritic(nn.Module):
    """DDPG's (Lillicrap et al., 2016), whose last layers start at 3e-3."""

    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(
            nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(),
            nn.Linear(48, 3), nn.Tanh(),
        )  # fmt: skip
        self.reads, self.joins = nn.Linear(8, 48), nn.Linear(51, 48)
        self.head = nn.Linear(48, 1)
        for layer in (self.actor[4], self.head):
            nn.init.uniform_(layer.weight, -3e-3, 3e-3)
            nn.init.uniform_(layer.bias, -3e-3, 3e-3)

    def forward(self, x):
        action = self.actor(x)
        both = torch.cat([self.reads(x).relu(), action], dim=1)
        return action, self.head(self.joins(both).relu())


def test_quiet_actions_that_a_critic_reads_are_a_design():
    assert blamed(ActorAndCritic()) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_prior_in_a_bias_before_linear_layers_is_no_drowning(known):
    torch.manual_seed(0)
    targets = torch.zeros(32, 4, 16, 16)
    targets[:, 0, 3, 3] = 1
    scores, refined = nn.Conv2d(24, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
    nn.init.normal_(scores.weight, std=0.01)
    nn.init.constant_(scores.bias, -6.9 if known else 6.9)
    nn.init.dirac_(refined.weight)
    nn.init.zeros_(refined.bias)
    model = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(), scores, refined)

    found = blamed(model, IMAGES, loss=nn.BCEWithLogitsLoss(), targets=targets)

    assert ("WI07" in [one[0] for one in found]) == (not known)
    assert known == (found == [])


@pytest.mark.parametrize("prior", [0.5, 0.1])
@pytest.mark.parametrize("named", [True, False])
def test_a_prior_that_is_nearly_known_is_no_finding_by_any_name(prior, named):
    torch.manual_seed(0)
    targets = torch.zeros(64, 8)
    targets[0, 0] = 1
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 8))
    nn.init.constant_(model[2].bias, math.log(prior / (1 - prior)))
    loss = nn.BCEWithLogitsLoss()

    found = blamed(
        model, targets=targets, loss=loss if named else lambda o, t: loss(o, t)
    )

    uneven = [("WI15", "imbalance_ignored", "2.bias")]
    assert found == (uneven if prior == 0.5 else [])


class Words(nn.Module):
    """A table, frozen or not, and a network of its rows' mean."""

    def __init__(self, *, frozen):
        super().__init__()
        self.table = nn.Embedding(20, 16)
        self.hidden, self.head = nn.Linear(16, 32), nn.Linear(32, 5)
        self.table.weight.requires_grad_(not frozen)
        nn.init.zeros_(self.table.weight)

    def forward(self, tokens):
        return self.head(self.hidden(self.table(tokens).mean(1)).relu())


@pytest.mark.parametrize("frozen", [True, False])
def test_a_table_of_zeros_that_is_all_that_is_read(frozen):
    tokens = torch.randint(20, (64, 6))

    found = blamed(Words(frozen=frozen), tokens, targets=LABELS)

    assert found == [("WI03", "zero_weight_on_trunk", "table.weight")]


@pytest.mark.parametrize("std", [1e-4, 0.1])
def test_a_dense_layer_of_next_to_nothing_behind_a_batch_norm(std):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 64), nn.ReLU(),
        nn.Linear(64, 5),
    )  # fmt: skip
    nn.init.normal_(model[5].weight, std=std)
    nn.init.zeros_(model[5].bias)

    found = blamed(model, IMAGES, loss=nn.CrossEntropyLoss(), targets=LABELS[:32])

    quiet = [("WI05", "next_to_nothing", "5.weight")]
    assert found == (quiet if std < 0.1 else [])


def halves():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 5))


@pytest.mark.parametrize(
    ("groups", "named"),
    [
        (lambda m: m[2].parameters(), "0.weight"),
        (lambda m: m.parameters(), None),
        # Frozen by its rate, and what is for matrices alone.
        (lambda m: [{"params": m[0].parameters(), "lr": 0.0},
                    {"params": m[2].parameters()}], None),
        (lambda m: [m[0].weight, m[2].weight], None),
    ],
)  # fmt: skip
def test_parameters_that_the_optimizer_does_not_hold(groups, named):
    model = halves()

    found = blamed(
        model, loss=nn.CrossEntropyLoss(), targets=LABELS,
        optimizer=torch.optim.SGD(groups(model), 0.01),
    )  # fmt: skip

    assert found == ([("WI24", "not_optimized", named)] if named else [])


def test_what_is_frozen_is_not_left_out_of_the_optimizer():
    model = halves()
    model[0].requires_grad_(False)

    found = blamed(
        model, loss=nn.CrossEntropyLoss(), targets=LABELS,
        optimizer=torch.optim.SGD(model[2].parameters(), 0.01),
    )  # fmt: skip

    assert found == []


class Conditioned(nn.Module):
    """A network that a table's rows, by a layer of their own, are added to."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table, self.condition = nn.Embedding(5, 16), nn.Linear(16, 32, bias=False)
        self.stem, self.head = nn.Linear(8, 32), nn.Linear(32, 5)
        nn.init.zeros_(self.table.weight)

    def forward(self, x, kind):
        return self.head((self.stem(x) + self.condition(self.table(kind))).relu())


def test_conditions_of_zeros_beside_what_is_read_are_a_design():
    assert blamed(Conditioned(), (VECTORS, LABELS)) == []


class Dueling(nn.Module):
    """A value and advantages of the same layers (Wang et al., 2016)."""

    def __init__(self, std):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(8, 64), nn.Linear(64, 64)
        self.value, self.advantage = nn.Linear(64, 1), nn.Linear(64, 4)
        for layer in (self.first, self.second):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)
        for head in (self.value, self.advantage):
            nn.init.orthogonal_(head.weight, 0.1)
            nn.init.zeros_(head.bias)

    def forward(self, x):
        x = self.second(self.first(x).relu()).relu()
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)


@pytest.mark.parametrize("std", [0.01, 0.001])
def test_quiet_layers_that_both_parts_of_a_sum_read(std):
    found = blamed(Dueling(std))

    quiet = [("WI05", "wrong_gain", "first.weight")]
    assert found == (quiet if std == 0.001 else [])


def test_a_mean_in_a_bias_before_linear_layers_is_no_drowning():
    torch.manual_seed(0)
    scores, refined = nn.Linear(32, 4), nn.Linear(4, 4)
    nn.init.normal_(scores.weight, std=0.01)
    nn.init.constant_(scores.bias, 20.3)
    nn.init.eye_(refined.weight)
    nn.init.zeros_(refined.bias)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), scores, refined)

    found = blamed(model, loss=nn.MSELoss(), targets=20 + torch.randn(64, 4))

    assert found == []


@pytest.mark.parametrize(
    ("copies", "named"), [(2, {"WI02", "WI14"}), (64, {"WI02"}), (0, {"WI14"})]
)
def test_a_few_copies_are_no_cause_of_a_loud_head(copies, named, labels):
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                          nn.Linear(64, 5))  # fmt: skip
    with torch.no_grad():
        for tensor in (model[2].weight, model[2].bias):
            tensor[:copies] = tensor[0]
        model[4].weight.mul_(60)
    found = pytorch.check(model, torch.randn(64, 16), targets=labels)
    assert {one.id for one in found.of("warning", "error")} == named
