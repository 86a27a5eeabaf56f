"""Faults where signals meet: sums, concatenations, softmaxes, factors."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch

ROWS = 64
VECTORS = torch.randn(ROWS, 16, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(ROWS) % 4
NUMBERS = torch.arange(ROWS) * 37 % 50
GRAPHS = (
    torch.randn(16, 6, 16, generator=torch.Generator().manual_seed(2)),
    torch.full((16, 6, 6), 1 / 6),
)


def he(model):
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            nn.init.zeros_(module.bias)
    return model


def blamed(model, batch=VECTORS, **more):
    """Causes with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


def only(model, batch=VECTORS, **more):
    (found,) = pytorch.check(model, batch, **more).of("warning", "error")
    return found


def is_mended(model, batch=VECTORS, **more):
    repair = pytorch.repair_(model, batch, **more)
    return not repair.unrepaired and not blamed(model, batch, **more)


class PreActivated(nn.Module):
    """Residual blocks that bend what they read, and a last normalization."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Linear(16, 32), nn.Linear(32, 4)
        self.first = nn.ModuleList(nn.Linear(32, 32) for _ in range(4))
        self.second = nn.ModuleList(nn.Linear(32, 32) for _ in range(4))
        self.norm = nn.BatchNorm1d(32)
        he(self)

    def forward(self, x):
        x = self.stem(x)
        for first, second in zip(self.first, self.second, strict=True):
            x = x + second(functional.relu(first(functional.relu(x)))) / 2
        return self.head(functional.relu(self.norm(x)))


def shut_by_a_beta():
    model = PreActivated()
    nn.init.constant_(model.norm.bias, -8.0)
    return model


def test_a_beta_behind_a_sum_is_named_and_no_layer_before_it():
    assert blamed(PreActivated()) == []
    assert blamed(shut_by_a_beta()) == [("WI12", "biased_off", "norm.bias")]
    assert is_mended(shut_by_a_beta())


def test_a_branch_is_brought_back_to_its_siblings_and_not_to_what_the_sum_is():
    model = PreActivated()
    with torch.no_grad():
        model.second[1].weight.mul_(300)
    wanted = float(model.second[2].weight.detach().std())

    assert is_mended(model)
    assert float(model.second[1].weight.detach().std()) == pytest.approx(
        wanted, rel=0.2
    )


class Skips(nn.Module):
    """What every layer gives is added up before it is bent."""

    def __init__(self):
        super().__init__()
        self.body = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        self.skips = nn.ModuleList(nn.Linear(16, 24) for _ in range(3))
        self.head = nn.Linear(24, 4)
        he(self)

    def forward(self, x):
        total = 0
        for body, skip in zip(self.body, self.skips, strict=True):
            x = torch.tanh(body(x))
            total = total + skip(x)
        return self.head(functional.relu(total))


def shut_by_biases():
    model = Skips()
    for skip in model.skips:
        nn.init.constant_(skip.bias, -8.0)
    return model


def test_every_bias_of_a_sum_that_is_off_is_named():
    model = shut_by_biases()
    found = only(model)

    assert blamed(Skips()) == []
    assert found.cause == "biased_off"
    assert set(found.places) == {f"skips.{number}.bias" for number in range(3)}
    exec(found.fix, {"model": model, "torch": torch, "finding": found})
    assert blamed(model) == []
    assert is_mended(shut_by_biases())


class Neighbours(nn.Module):
    """A graph network: one function weighs what neighbours send."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(5)

        def drawn(rows):
            size = (rows, 32)
            return nn.Parameter(torch.randn(size, generator=generator) / rows**0.5)

        self.own = nn.ParameterList([drawn(16), drawn(32)])
        self.others = nn.ParameterList([drawn(16), drawn(32)])
        self.head = nn.Linear(32, 4)
        he(self)

    def forward(self, h, graph):
        for own, others in zip(self.own, self.others, strict=True):
            sent = torch.einsum("bij,bjd,de->bie", graph, h, others)
            h = functional.relu(sent + h @ own)
        return self.head(h.mean(1))


def test_a_weight_among_three_factors_of_an_einsum_is_a_layer():
    reading = capture.read(Neighbours(), GRAPHS)

    used = {use.parameter: use for use in reading.uses}
    assert used["others.1"].layer.shape == (32, 32)
    assert used["own.1"].joined == (used["others.1"].index,)


def test_every_weight_of_a_sum_that_is_below_zero_is_named():
    def negative():
        model = Neighbours()
        with torch.no_grad():
            for weight in (model.own[1], model.others[1]):
                weight.copy_(-weight.abs())
        return model

    found = only(negative(), GRAPHS)

    assert (found.id, set(found.places)) == ("WI12", {"own.1", "others.1"})
    assert is_mended(negative(), GRAPHS)


@pytest.mark.parametrize("factor", [1e-3, 1e-2])
def test_factors_next_to_zero_on_the_way(factor):
    def quiet():
        model = PreActivated()
        nn.init.constant_(model.norm.weight, factor)
        return model

    model = quiet()
    found = only(model)
    assert (found.id, found.cause) == ("WI17", "gamma_tiny")
    assert found.parameter == "norm.weight"
    exec(found.fix, {"model": model, "torch": torch, "finding": found})
    assert blamed(model) == []
    assert is_mended(quiet())


class Couplings(nn.Module):
    """A flow: each half moves and scales the other."""

    def __init__(self, scale):
        super().__init__()
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
            for _ in range(4)
        )
        he(self)
        for net in self.nets:
            nn.init.normal_(net[2].weight, std=scale)

    def forward(self, x):
        first, second = x.chunk(2, dim=-1)
        for net in self.nets:
            size, shift = net(first).chunk(2, dim=-1)
            first, second = second * size.exp() + shift, first
        return torch.cat([first, second], dim=-1)


def test_an_overflow_is_named_where_it_began():
    found = only(Couplings(3.0))

    assert (found.id, found.cause) == ("WI01", "grows_beyond")
    assert found.parameter == "nets.0.2.weight"


@pytest.mark.parametrize("loud", [30.0, 1e3])
def test_a_repair_of_an_overflow_scales_what_made_it(loud):
    def network():
        layers = [nn.Linear(16, 32), nn.ReLU()]
        for _ in range(3):
            layers += [nn.Linear(32, 32), nn.ReLU()]
        model = he(nn.Sequential(*layers, nn.Linear(32, 4)))
        with torch.no_grad():
            model[2].weight.mul_(loud)
            model[4].weight.mul_(loud)
        return model.half()

    batch = VECTORS.half() * 100
    found = only(network(), batch)
    assert (found.cause, found.places[0]) == ("grows_beyond", "2.weight")
    assert pytorch.repair_(network(), batch).after.of("error") == ()


def test_a_flow_that_starts_at_the_identity_is_sound():
    assert blamed(Couplings(0.0)) == []


def rectified(slope, activation):
    layers = [nn.Linear(16, 48), activation(slope)]
    for _ in range(6):
        layers += [nn.Linear(48, 48), activation(slope)]
    return he(nn.Sequential(*layers, nn.Linear(48, 4)))


def prelu(slope):
    return nn.PReLU(init=slope)


def test_the_slopes_of_a_leaky_relu_count():
    model = rectified(4.0, nn.LeakyReLU)

    found = pytorch.check(model, VECTORS).of("error")[0]

    assert (found.id, found.cause) == ("WI05", "wrong_gain")
    assert found.expected == pytest.approx(2 / 17)  # He et al. (2015), eq. 15
    assert blamed(rectified(0.25, nn.LeakyReLU)) == []
    assert is_mended(model)


def test_the_slopes_of_a_prelu_are_what_is_wrong():
    causes = {cause for _, cause, _ in blamed(rectified(4.0, prelu))}

    assert causes == {"steep_slopes"}
    assert blamed(rectified(0.25, prelu)) == []
    assert is_mended(rectified(4.0, prelu))


class Cosines(nn.Module):
    """Classes by directions, times a factor."""

    def __init__(self, factor):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU())
        self.classes = nn.Parameter(torch.empty(4, 32))
        self.factor = nn.Parameter(torch.tensor(factor))
        he(self)
        nn.init.kaiming_normal_(self.classes)

    def forward(self, x):
        near = functional.normalize(self.body(x), dim=-1) @ (
            functional.normalize(self.classes, dim=-1).T
        )
        return self.factor * near


def test_of_cosines_the_factor_is_named_and_not_the_directions():
    given = {"targets": LABELS, "loss": functional.cross_entropy}

    assert blamed(Cosines(10.0), **given) == []
    assert blamed(Cosines(40.0), **given) == []  # a temperature is a choice
    assert blamed(Cosines(1e3), **given) == [("WI14", "over_confident", "factor")]
    assert is_mended(Cosines(1e3), **given)


class Squares(nn.Module):
    """A factorization machine: outputs are of second order in the factors."""

    def __init__(self, scale):
        super().__init__()
        drawn = torch.randn(16, 8, generator=torch.Generator().manual_seed(3))
        self.factors = nn.Parameter(scale * drawn)

    def forward(self, x):
        sums = (x @ self.factors) ** 2 - x**2 @ self.factors**2
        return sums.sum(-1, keepdim=True) / 2


def test_what_outputs_are_squares_of_is_scaled_by_a_root():
    given = {"targets": VECTORS[:, :1] * VECTORS[:, 1:2], "loss": functional.mse_loss}
    model = Squares(3.0)

    assert only(model, **given).parameter == "factors"
    repair = pytorch.repair_(model, VECTORS, **given)
    assert not repair.unrepaired
    now = float(model(VECTORS).detach().square().mean().sqrt())
    assert now == pytest.approx(0.3, rel=0.1)


def test_a_head_in_an_exponent():
    model = he(nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1)))
    counts = torch.poisson(torch.full((ROWS, 1), 2.0), torch.Generator().manual_seed(0))
    given = {"targets": counts, "loss": nn.PoissonNLLLoss()}

    assert blamed(model, **given) == []
    with torch.no_grad():
        model[2].weight.mul_(10)
    assert blamed(model, **given) == [("WI14", "explosive_parameter", "2.weight")]
    assert is_mended(model, **given)


class Table(nn.Module):
    """A column of codes beside columns of numbers."""

    def __init__(self, size):
        super().__init__()
        self.codes = nn.Embedding(50, 8)
        self.body = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 4))
        he(self)
        nn.init.normal_(self.codes.weight, std=size)

    def forward(self, codes, numbers):
        return self.body(torch.cat([self.codes(codes), numbers], dim=-1))


@pytest.mark.parametrize("size", [0.01, 1.0, 3.0])
def test_parts_of_a_concatenation_may_differ(size):
    assert blamed(Table(size), (NUMBERS, VECTORS)) == []


def test_a_part_that_drowns_what_it_is_concatenated_with():
    batch = NUMBERS, VECTORS

    assert blamed(Table(60.0), batch) == [
        ("WI05", "drowns_its_neighbours", "codes.weight")
    ]
    assert is_mended(Table(60.0), batch)


class Decays(nn.Module):
    """A linear recurrence, by a function of a parameter."""

    def __init__(self, function, value):
        super().__init__()
        self.function = function
        self.decay = nn.Parameter(torch.full((16,), value))
        self.head = nn.Linear(16, 4)
        he(self)

    def forward(self, x):
        state = torch.zeros_like(x)
        for shift in range(4):
            state = self.function(self.decay) * state + x.roll(shift, dims=0)
        return self.head(state)


@pytest.mark.parametrize(
    ("function", "value"),
    [(torch.sigmoid, -9.0), (functional.softplus, -16.0), (torch.tanh, 5.0)],
)
def test_a_parameter_where_a_function_of_it_is_flat(function, value):
    model = Decays(function, value)
    found = only(model)

    assert (found.id, found.cause) == ("WI13", "flat_parameter")
    assert found.parameter == "decay"
    exec(found.fix, {"model": model, "torch": torch, "finding": found})
    assert blamed(model) == []
    assert is_mended(Decays(function, value))


@pytest.mark.parametrize(
    ("function", "value"),
    [(torch.sigmoid, -4.0), (torch.sigmoid, 7.0), (functional.softplus, -7.0),
     (torch.tanh, 2.0), (torch.exp, -9.0)],
)  # fmt: skip
def test_a_parameter_within_reach_is_a_choice(function, value):
    assert blamed(Decays(function, value)) == []


class Mixed(nn.Module):
    """Layers whose outputs are mixed, in shares that are learned."""

    def __init__(self, first):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        self.shares = nn.Parameter(torch.tensor([first, 0.0, 0.0]))
        self.head = nn.Linear(16, 4)
        he(self)

    def forward(self, x):
        each = torch.stack([torch.tanh(layer(x)) for layer in self.layers])
        return self.head((self.shares.softmax(0)[:, None, None] * each).sum(0))


class Experts(nn.Module):
    """Two layers, chosen between by a router."""

    def __init__(self, loud=1.0):
        super().__init__()
        self.router, self.head = nn.Linear(16, 3), nn.Linear(16, 4)
        self.experts = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        he(self)
        with torch.no_grad():
            self.router.weight.mul_(loud)

    def forward(self, x):
        shares = torch.softmax(self.router(x), dim=-1)
        each = torch.stack([torch.tanh(one(x)) for one in self.experts], dim=-1)
        return self.head((each * shares[:, None]).sum(-1))


@pytest.mark.parametrize(
    ("sound", "faulty", "name"),
    [
        (lambda: Mixed(1.0), lambda: Mixed(40.0), "shares"),
        (lambda: Mixed(1.0), lambda: Mixed(90.0), "shares"),
        (Experts, lambda: Experts(300.0), "router.weight"),
    ],
)
def test_a_softmax_that_takes_one(sound, faulty, name):
    assert blamed(sound()) == []
    assert ("WI23", "sharp_choice", name) in blamed(faulty())
    assert is_mended(faulty())


def test_probabilities_that_come_out_are_no_choice():
    model = he(nn.Sequential(nn.Linear(16, 4), nn.Softmax(dim=-1)))
    with torch.no_grad():
        model[0].weight.mul_(100)

    assert not any(cause == "sharp_choice" for _, cause, _ in blamed(model))


class Stacked(nn.Module):
    """Experts in two tensors, mixed beside a skip."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.router, self.head = nn.Linear(16, 4), nn.Linear(16, 4)
        self.first = nn.Parameter(torch.randn(4, 16, 32) * (2 / 16) ** 0.5)
        self.second = nn.Parameter(torch.randn(4, 32, 16) * 32**-0.5)

    def forward(self, x):
        h = functional.relu(torch.einsum("bd,edh->beh", x, self.first))
        each = torch.einsum("beh,ehd->bed", h, self.second)
        shares = self.router(x).softmax(-1)
        return self.head(x + torch.einsum("be,bed->bd", shares, each))


def test_a_repair_that_leaves_a_warning_elsewhere_is_kept():
    model = Stacked()
    with torch.no_grad():
        model.second[2].mul_(300)
    given = {"targets": LABELS, "loss": functional.cross_entropy}

    repair = pytorch.repair_(model, VECTORS, **given)
    assert repair.before.of("error")
    assert repair.changes[0].parameter == "second"
    assert not repair.after.of("error")


class Kernels(nn.Module):
    """Radial functions of what a layer gives."""

    def __init__(self, log_width):
        super().__init__()
        self.body, self.head = nn.Linear(16, 32), nn.Linear(32, 4)
        self.log_width = nn.Parameter(torch.tensor(log_width))
        he(self)

    def forward(self, x):
        far = (self.body(x) - 30) ** 2
        return self.head((-far * self.log_width.exp()).exp())


def test_a_signal_that_an_exponential_loses():
    assert blamed(Kernels(-7.0)) == []

    found = only(Kernels(-3.0))
    assert (found.id, found.cause) == ("WI08", "lost_signal")
    assert found.places == ("body.weight", "head.weight")
    repair = pytorch.repair_(Kernels(-3.0), VECTORS)
    assert "between the layers" in repair.unrepaired[0].reason


class Adapted(nn.Module):
    """A frozen layer with a low-rank path beside it."""

    def __init__(self):
        super().__init__()
        self.base, self.head = nn.Linear(16, 16), nn.Linear(16, 4)
        he(self)
        self.base.requires_grad_(False)
        drawn = torch.randn(4, 16, generator=torch.Generator().manual_seed(3))
        self.down = nn.Parameter(drawn / math.sqrt(16))
        self.up = nn.Parameter(torch.zeros(16, 4))

    def forward(self, x):
        beside = functional.linear(functional.linear(x, self.down), self.up)
        return self.head(torch.relu(self.base(x) + beside))


def test_equal_rows_of_an_adapter_are_named_and_not_its_zeros():
    def equal():
        model = Adapted()
        with torch.no_grad():
            model.down.copy_(model.down[:1].expand(4, 16))
        return model

    assert blamed(Adapted(), targets=LABELS) == []
    assert blamed(equal(), targets=LABELS) == [("WI02", "copied_units", "down")]
    model = equal()
    assert is_mended(model, targets=LABELS)
    assert not model.up.any()


class Layers(nn.Module):
    """Six layers, of which some run: beside each other, or in a row."""

    def __init__(self, chosen, beside):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(6))
        self.head, self.chosen, self.beside = nn.Linear(16, 4), chosen, beside
        he(self)

    def forward(self, x):
        if self.beside:
            x = sum(torch.relu(self.layers[number](x)) for number in self.chosen)
        else:
            for number in self.chosen:
                x = torch.relu(self.layers[number](x))
        return self.head(x)


def test_experts_that_are_not_chosen_are_for_information():
    diagnosis = pytorch.check(Layers([1, 4], beside=True), VECTORS)

    assert diagnosis.sound
    (found,) = [one for one in diagnosis.findings if one.id == "WI21"]
    assert (found.severity, found.cause, found.measured) == ("info", "unused", 8)


def test_a_layer_in_a_row_that_does_not_run_is_forgotten():
    assert blamed(Layers([0, 1, 2, 4, 5], beside=False)) == [
        ("WI21", "unused", "layers.3.weight")
    ]


class CosinesBesideValues(Cosines):
    """Loud by a constant, beside a head whose outputs make most of the loss."""

    def __init__(self):
        super().__init__(1.0)
        self.value = nn.Linear(16, 1)
        nn.init.constant_(self.value.bias, 100.0)

    def forward(self, x):
        return 1e3 * super().forward(x), self.value(x)


def test_another_head_is_not_what_makes_outputs_loud():
    def loss(outputs, labels):
        logits, values = outputs
        return functional.cross_entropy(logits, labels) + values.square().mean()

    found = pytorch.check(CosinesBesideValues(), VECTORS, targets=LABELS, loss=loss).of(
        "warning", "error"
    )
    places = [(one.cause, one.parameter) for one in found if one.id == "WI14"]
    assert places == [("enlarged_cosines", None)]
