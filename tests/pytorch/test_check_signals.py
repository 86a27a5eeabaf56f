"""Signals that no layer makes: zeros beside another way, jumps, twins, shut gates."""

import copy
from itertools import pairwise

import pytest
import torch
from networks import GPT
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch

WORDS = torch.randint(0, 61, (8, 25), generator=torch.Generator().manual_seed(3))
VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
SERIES = torch.randn(16, 24, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(16) % 4


def blamed(model, batch, **more):
    """Causes with their parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


class Variational(nn.Module):
    """Mean and log variance of a code, and what is made of it."""

    def __init__(self, log_variance=0.0):
        super().__init__()
        self.up = nn.Linear(16, 64)
        self.mean, self.spread = nn.Linear(64, 8), nn.Linear(64, 8)
        self.down, self.out = nn.Linear(8, 64), nn.Linear(64, 16)
        nn.init.zeros_(self.spread.weight)
        nn.init.constant_(self.spread.bias, log_variance)

    def forward(self, x):
        h = functional.relu(self.up(x))
        mean, log_variance = self.mean(h), self.spread(h)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.out(functional.relu(self.down(code)))


def test_zeros_beside_another_way_are_a_design():
    assert blamed(Variational(-2.0), VECTORS) == []


def test_an_exp_of_a_bias_is_a_jump():
    found = blamed(Variational(30.0), VECTORS)

    assert found == [("WI09", "loud_signal", "spread.weight")]


def test_a_repair_says_that_a_jump_has_no_weights():
    repair = pytorch.repair_(Variational(30.0), VECTORS)

    assert "between the layers" in repair.unrepaired[0].reason


def test_a_sum_over_many_is_a_jump_and_no_budget():
    class Sums(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.mid = nn.Linear(8, 64), nn.Linear(64, 64)
            self.out = nn.Linear(64, 4)
            for one in self.children():
                nn.init.kaiming_normal_(one.weight, nonlinearity="relu")

        def forward(self, x):
            h = functional.relu(self.mid(functional.relu(self.up(x))))
            return self.out(h.sum(dim=1))

    found = blamed(Sums(), torch.randn(16, 1000, 8), targets=LABELS)

    assert found == [("WI09", "loud_signal", "mid.weight")]


class Pools(nn.Module):
    """Learned queries that read a sequence, then its mean; no residual."""

    def __init__(self, std):
        super().__init__()
        self.queries = nn.Parameter(std * torch.randn(1, 6, 32))
        self.stem, self.head = nn.Linear(8, 32), nn.Linear(32, 4)
        self.reads = nn.MultiheadAttention(32, 4, batch_first=True)
        self.norm = nn.LayerNorm(32)
        self.up, self.down = nn.Linear(32, 64), nn.Linear(64, 32)

    def forward(self, x):
        x = self.stem(x)
        latents = self.reads(self.queries.expand(len(x), -1, -1), x, x)[0]
        y = self.down(functional.gelu(self.up(self.norm(latents))))
        return self.head(self.norm(latents + 5 * y).mean(dim=1))


@pytest.mark.parametrize("std", [0.02, 1.0])
def test_latents_of_a_model_s_own_may_be_alike(std):
    assert blamed(Pools(std), SERIES, targets=LABELS) == []


def test_latents_that_learn_the_same_stay_the_same():
    found = blamed(Pools(0.0), SERIES, targets=LABELS)

    assert found == [("WI02", "twins_for_ever", "queries")]


def one_latent_several_times():
    model = Pools(1.0)
    with torch.no_grad():
        model.queries.copy_(model.queries[..., :1, :].expand_as(model.queries))
    return model


@pytest.mark.parametrize("targets", [LABELS, None])
def test_copies_of_one_latent_stay_the_same(targets):
    found = blamed(one_latent_several_times(), SERIES, targets=targets)

    assert found == [("WI02", "equal_rows_for_ever", "queries")]


@pytest.mark.parametrize("make", [lambda: Pools(0.0), one_latent_several_times])
def test_a_repair_draws_latents(make):
    model = make()

    repair = pytorch.repair_(model, SERIES, targets=LABELS)

    assert [one.parameter for one in repair.changes] == ["queries"]
    assert repair.after.sound


def test_what_reads_learned_queries_is_an_attention():
    reading = capture.read(Pools(1.0), SERIES)

    (attention,) = reading.attentions
    assert attention.width == 8
    keys = next(u for u in reading.uses if u.attends == "packed")
    assert keys.layer.packed == 2


def test_tables_whose_columns_learn_the_same():
    class Factors(nn.Module):
        def __init__(self, start):
            super().__init__()
            self.users, self.items = nn.Embedding(30, 8), nn.Embedding(30, 8)
            start(self.users.weight)
            start(self.items.weight)

        def forward(self, pairs):
            return (self.users(pairs[:, 0]) * self.items(pairs[:, 1])).sum(dim=1)

    pairs = torch.randint(0, 30, (64, 2), generator=torch.Generator().manual_seed(4))
    ratings = torch.randn(64, generator=torch.Generator().manual_seed(5))

    constant = Factors(lambda w: nn.init.constant_(w, 0.1))
    drawn = Factors(lambda w: nn.init.normal_(w, std=0.1))

    expected = [("WI02", "twins_for_ever", "users.weight")]
    assert blamed(constant, pairs, targets=ratings) == expected
    assert blamed(drawn, pairs, targets=ratings) == []


def test_a_head_of_zeros_whose_units_learn_different_things_is_a_design():
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4))
    nn.init.zeros_(model[2].weight)

    assert blamed(model, SERIES[:, 0], targets=LABELS) == []


class Reads(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn, self.head = kind(8, 32, batch_first=True), nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def _shut(rnn, value):
    with torch.no_grad():
        if isinstance(rnn, nn.LSTM):
            rnn.bias_ih_l0[:32] = value
            rnn.bias_hh_l0[:32] = value
        else:
            rnn.bias_ih_l0[32:64] = -value
            rnn.bias_hh_l0[32:64] = -value


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_gates_that_let_nothing_in(kind):
    """Neither bias is far off alone: they add up."""
    model = Reads(kind)
    _shut(model.rnn, -6.0)

    ((check, cause, _),) = blamed(model, SERIES, targets=LABELS)

    assert (check, cause) == ("WI19", "writes_nothing")


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_a_repair_opens_gates_that_let_nothing_in(kind):
    model = Reads(kind)
    _shut(model.rnn, -6.0)

    repair = pytorch.repair_(model, SERIES, targets=LABELS)

    assert repair.changes
    assert repair.after.sound


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_gates_for_memories_of_a_thousand_steps_are_a_design(kind):
    model = Reads(kind)
    _shut(model.rnn, -3.0)

    assert blamed(model, SERIES, targets=LABELS) == []


def _forget(rnn, given, recurrent):
    with torch.no_grad():
        rnn.bias_ih_l0[32:64] = given
        rnn.bias_hh_l0[32:64] = recurrent


@pytest.mark.parametrize(
    ("given", "recurrent", "lowest"),
    [(-0.9, -0.95, "rnn.bias_hh_l0"), (-6.0, 1.0, "rnn.bias_ih_l0")],
)
def test_forget_biases_that_are_low_together(given, recurrent, lowest):
    model = Reads(nn.LSTM)
    _forget(model.rnn, given, recurrent)

    (found,) = pytorch.check(model, SERIES, targets=LABELS).of("warning", "error")

    assert (found.cause, found.parameter) == ("forgets", lowest)
    assert found.measured == pytest.approx(given + recurrent)
    exec(found.fix, {"torch": torch, "model": model})
    assert blamed(model, SERIES, targets=LABELS) == []


@pytest.mark.parametrize(("given", "recurrent"), [(-5.0, 0.0), (0.0, -5.0), (-9.0, 2)])
def test_a_repair_opens_the_forget_gate_where_its_bias_is_lowest(given, recurrent):
    model = Reads(nn.LSTM)
    _forget(model.rnn, given, recurrent)
    lowest = "rnn.bias_ih_l0" if given < recurrent else "rnn.bias_hh_l0"

    repair = pytorch.repair_(model, SERIES, targets=LABELS)

    assert [one.parameter for one in repair.changes] == [lowest]
    assert repair.after.sound
    kept = torch.sigmoid(model.rnn.bias_ih_l0 + model.rnn.bias_hh_l0)[32:64]
    assert float(kept.detach().mean()) == pytest.approx(1 - 1 / 25, abs=0.01)


@pytest.mark.parametrize("given", [-5.0, 8.0])
def test_a_forget_gate_that_one_bias_opens_and_the_other_shuts(given):
    model = Reads(nn.LSTM)
    _forget(model.rnn, given, 3 - given)

    assert blamed(model, SERIES, targets=LABELS) == []


def test_the_gates_of_two_layers_are_told_apart():
    """Neither layer's biases are far off, and those of both together would be."""
    model = Reads(lambda *sizes, **more: nn.GRU(*sizes, num_layers=2, **more))
    with torch.no_grad():
        for name, parameter in model.rnn.named_parameters():
            if name.startswith("bias"):
                parameter[32:64] = 3.0

    assert blamed(model, SERIES, targets=LABELS) == []


def _alike_but_for_rounding(rows):
    with torch.no_grad():
        row = rows[:1] + 0 * rows
        rows.copy_(row + 1e-4 * row.std() * torch.randn_like(rows))


def _next_word(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


@pytest.mark.parametrize("alike", [False, True])
def test_units_that_learn_the_same_beside_attention(alike):
    """Every token has a target, so that a sound layer's update has many directions."""
    model = GPT(tied=False)
    layers = [m for m in model.modules() if isinstance(m, nn.Linear)]
    up, down = next(
        (a, b) for a, b in pairwise(layers) if a.out_features == b.in_features > 32
    )
    if alike:
        _alike_but_for_rounding(up.weight)
        _alike_but_for_rounding(down.weight.T)

    found = blamed(model, WORDS[:, :-1], targets=WORDS[:, 1:], loss=_next_word)

    expected = [("WI04", "rank_one_update", "blocks.0.up.weight")] if alike else []
    assert found == expected


def test_nodes_that_averages_make_alike():
    class Averages(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(depth))
            self.head = nn.Linear(16, 4)
            for one in self.layers:
                nn.init.kaiming_normal_(one.weight, nonlinearity="relu")

        def forward(self, x, among):
            for one in self.layers:
                x = functional.relu(among @ one(x))
            return self.head(x)

    among = (torch.rand(64, 64) < 0.2).float() + torch.eye(64)
    among = among / among.sum(dim=1, keepdim=True)

    labels = torch.arange(64) % 4
    deep = pytorch.check(Averages(16), (VECTORS, among), targets=labels)

    assert [one.id for one in deep.of("warning", "error")] == ["WI11"]
    assert blamed(Averages(2), (VECTORS, among), targets=labels) == []


def test_a_trunk_that_grows_by_a_fifth_each_block_has_no_end():
    class Adds(nn.Module):
        def __init__(self, scale):
            super().__init__()
            self.up, self.down = nn.Linear(16, 16), nn.Linear(16, 16)
            self.scale = scale
            for one in (self.up, self.down):
                nn.init.kaiming_normal_(one.weight, nonlinearity="relu")
                nn.init.zeros_(one.bias)

        def forward(self, x):
            return x + self.scale * self.down(functional.relu(self.up(x)))

    def trunk(scale):
        blocks = [Adds(scale) for _ in range(24)]
        return nn.Sequential(nn.Linear(16, 16), *blocks, nn.Linear(16, 4))

    growing = blamed(trunk(0.7), VECTORS)

    assert "WI16" in [one[0] for one in growing]
    assert blamed(trunk(24**-0.5), VECTORS) == []


def test_a_gamma_of_zero_that_a_hand_multiplies_with():
    class Scaled(nn.Module):
        def __init__(self, start):
            super().__init__()
            self.weight = nn.Parameter(torch.full((32,), start))

        def forward(self, x):
            size = x.square().mean(dim=-1, keepdim=True)
            return x * (size + 1e-6).rsqrt() * self.weight

    def network(start):
        return nn.Sequential(nn.Linear(16, 32), Scaled(start), nn.Linear(32, 4))

    assert blamed(network(1.0), VECTORS) == []
    assert blamed(network(0.0), VECTORS) == [("WI17", "gamma_zero", "1.weight")]


def test_weights_of_complex_numbers():
    class Spectral(nn.Module):
        def __init__(self):
            super().__init__()
            weight = torch.randn(8, 8, 4, dtype=torch.cfloat) / 8
            self.weight = nn.Parameter(weight)

        def forward(self, x):
            modes = torch.fft.rfft(x)
            mixed = torch.zeros_like(modes)
            mixed[..., :4] = torch.einsum("bim,iom->bom", modes[..., :4], self.weight)
            return torch.fft.irfft(mixed, n=x.shape[-1])

    layers = [nn.Conv1d(1, 8, 1), Spectral(), nn.GELU(), nn.Conv1d(8, 1, 1)]
    model = nn.Sequential(*layers)
    before = copy.deepcopy(model.state_dict())
    series = torch.randn(8, 1, 32)

    diagnosis = pytorch.check(
        model, series, targets=torch.randn(8, 1, 32),
        optimizer=lambda p: torch.optim.Adam(p, lr=1e-3),
    )  # fmt: skip

    assert diagnosis.sound
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_tokens_inside_torch_s_attention_are_those_of_one_example():
    model = Pools(1.0)

    reading = capture.read(model, SERIES)

    queries = next(u for u in reading.uses if not u.previous and not u.stem)
    assert queries.parameter == "reads.in_proj_weight"
    keys = next(u for u in reading.uses if u.attends == "packed")
    cosine = float(reading.measures["token_cosine"][keys.index])
    assert abs(cosine) < 0.5


def test_a_table_of_equal_rows_before_a_layer():
    model = nn.Sequential(nn.Embedding(40, 8), nn.Linear(8, 16), nn.ReLU())
    model.append(nn.Linear(16, 4))
    nn.init.constant_(model[0].weight, 0.1)
    tokens = torch.arange(40)

    diagnosis = pytorch.check(model, tokens, targets=tokens % 4)

    assert diagnosis.dataset.sizes["layer"] == 3


def test_a_quiet_head_moves_far_by_design():
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 3))
    nn.init.uniform_(model[2].weight, -3e-4, 3e-4)
    targets = torch.randn(64, 3, generator=torch.Generator().manual_seed(6))

    def adam(parameters):
        return torch.optim.Adam(parameters, lr=1e-3)

    found = blamed(model, VECTORS, targets=targets, optimizer=adam)

    assert "WI24" not in [one[0] for one in found]


class GatesByHand(nn.Module):
    """An LSTM whose gates are one layer, computed in this order."""

    def __init__(self, order="ifgo", width=24):
        super().__init__()
        self.cell, self.out = nn.Linear(8 + width, 4 * width), nn.Linear(width, 4)
        nn.init.zeros_(self.cell.bias)
        nn.init.ones_(self.cell.bias[width : 2 * width])
        self.order, self.width = order, width

    def forward(self, x):
        h = c = x.new_zeros(len(x), self.width)
        for step in range(x.shape[1]):
            parts = self.cell(torch.cat([x[:, step], h], 1)).chunk(4, 1)
            gates = {}
            for name in self.order:
                squash = torch.tanh if name == "g" else torch.sigmoid
                gates[name] = squash(parts["ifgo".index(name)])
            c = gates["f"] * c + gates["i"] * gates["g"]
            h = gates["o"] * torch.tanh(c)
        return self.out(h)


orders = pytest.mark.parametrize("order", ["ifgo", "figo", "gofi"])


@orders
def test_a_gate_that_is_shut_is_found_whichever_runs_first(order):
    model = GatesByHand(order)
    with torch.no_grad():
        model.cell.bias[:24] = -12.0
        kept = model.cell.bias[24:].clone()

    (found,) = blamed(model, SERIES, targets=LABELS)
    repair = pytorch.repair_(model, SERIES, targets=LABELS)

    assert found == ("WI13", "saturated_by_bias", "cell.bias")
    assert [one.amount for one in repair.changes] == ["0 in 1 of 4 gates"]
    assert repair.after.sound
    assert torch.equal(model.cell.bias[24:], kept)


@orders
def test_a_gate_with_loud_weights_is_found_whichever_runs_first(order):
    model = GatesByHand(order)
    with torch.no_grad():
        model.cell.weight[48:72] *= 60

    ((_, cause, place),) = blamed(model, SERIES, targets=LABELS)

    assert (cause, place) == ("saturated", "cell.weight")


@orders
def test_gates_by_hand_for_long_memories_are_a_design(order):
    model = GatesByHand(order)
    with torch.no_grad():  # chrono, for 3,000 steps
        model.cell.bias[24:48] = torch.empty(24).uniform_(1, 3000).log()
        model.cell.bias[:24] = -model.cell.bias[24:48]

    assert blamed(model, SERIES, targets=LABELS) == []


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("name", ["bias_ih_l0", "bias_hh_l0"])
@pytest.mark.parametrize(("size", "named"), [(1.0, False), (6.0, True), (-6.0, True)])
def test_biases_that_fill_what_a_state_takes_in(kind, name, size, named):
    torch.manual_seed(0)
    model = Last(kind)
    bias = getattr(model.layer, name)
    with torch.no_grad():
        bias[64:96] = size

    found = blamed(model, SERIES)

    cause = [("WI13", "saturated_gates_by_bias", f"layer.{name}")]
    assert found == (cause if named else [])
    if named:
        pytorch.repair_(model, SERIES)
        assert not bias.any()


class Last(nn.Module):
    """What 32 units of a recurrent layer say at the end."""

    def __init__(self, kind):
        super().__init__()
        self.layer, self.head = kind(8, 32, batch_first=True), nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.layer(x)[0][:, -1])


def test_weights_that_fill_gates_are_named_beside_usual_biases():
    torch.manual_seed(0)
    model = Last(nn.GRU)
    with torch.no_grad():
        model.layer.weight_ih_l0.mul_(40)
        model.layer.bias_ih_l0[64:96] = 0.5

    assert ("WI13", "saturated_gates", "layer.weight_ih_l0") in blamed(model, SERIES)
