"""Norms and cells that users write by hand: factors, forget gates, zeros."""

import pytest
import torch
from torch import nn

from initlab import pytorch

VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
SERIES = torch.randn(16, 12, 6, generator=torch.Generator().manual_seed(1))


class RootNorm(nn.Module):
    """RMSNorm with its factor first, as LLaMA's is often rewritten."""

    def __init__(self, factor):
        super().__init__()
        self.weight = nn.Parameter(factor)

    def forward(self, x):
        size = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * x * size


@pytest.mark.parametrize(
    ("factor", "cause"),
    [
        (torch.ones(24), None),
        (torch.zeros(24), "gamma_zero"),
        (torch.empty(24).uniform_(-0.1, 0.1), "gamma_about_zero"),
        # As many signs alike as chance gives: a mean of .65 deviations.
        (torch.linspace(-0.1, 0.045, 24), "gamma_about_zero"),
    ],
)
def test_factors_before_a_division_by_the_root_mean_square(factor, cause):
    model = nn.Sequential(
        nn.Linear(16, 24), RootNorm(factor), nn.Linear(24, 24), nn.ReLU(),
        nn.Linear(24, 4),
    )  # fmt: skip
    found = {
        (one.cause, one.parameter) for one in pytorch.check(model, VECTORS).findings
    }
    assert found == ({(cause, "1.weight")} if cause else set())


class HandLSTM(nn.Module):
    """Packed, or a layer per gate; the bias of the forget gate is given."""

    def __init__(self, packed, forget):
        super().__init__()
        sizes = (16 * 4,) if packed else (16,) * 4
        self.gates = nn.ModuleList(nn.Linear(6 + 16, size) for size in sizes)
        self.head = nn.Linear(16, 4)
        with torch.no_grad():
            for gate in self.gates:
                gate.bias.zero_()
            bias = self.gates[0].bias[16:32] if packed else self.gates[1].bias
            bias.fill_(forget)

    def forward(self, x):
        hidden = cell = x.new_zeros(len(x), 16)
        for step in x.unbind(1):
            given = torch.cat([step, hidden], 1)
            made = torch.cat([gate(given) for gate in self.gates], 1)
            write, keep, new, out = made.chunk(4, 1)
            if len(self.gates) > 1:
                write, keep, new, out = (gate(given) for gate in self.gates)
            cell = keep.sigmoid() * cell + write.sigmoid() * new.tanh()
            hidden = out.sigmoid() * cell.tanh()
        return self.head(hidden)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("forget", "severity"), [(1, None), (-3, "warning"), (-5, "error")]
)
def test_forget_gates_of_cells_by_hand(packed, forget, severity):
    model = HandLSTM(packed, forget)
    found = pytorch.check(model, SERIES).of("error", "warning")
    if severity is None:
        assert found == ()
        return
    (one,) = found
    name = "gates.0.bias" if packed else "gates.1.bias"
    assert (one.cause, one.parameter, one.severity) == ("forgets", name, severity)
    exec(one.fix, {"model": model, "torch": torch})
    bias = model.get_parameter(name)
    assert torch.allclose(bias[16:32] if packed else bias, torch.tensor(1.0), atol=0.1)
    assert not packed or float(bias[:16].detach().abs().max()) == 0
    assert pytorch.check(model, SERIES).sound
    broken = HandLSTM(packed, forget)
    assert pytorch.repair_(broken, SERIES).after.sound


@pytest.mark.parametrize(
    ("lowers", "adds"), [("bias", "gated"), ("bias", "plain"), ("number", "gated")]
)
def test_what_no_forget_gate_of_a_cell_shuts_is_not_said_to_be(lowers, adds):
    """A sum of the state with what is new as it is; a gate that no bias shuts."""

    class Cell(HandLSTM):
        def forward(self, x):
            hidden = cell = x.new_zeros(len(x), 16)
            for step in x.unbind(1):
                given = torch.cat([step, hidden], 1)
                write, keep, new, out = (gate(given) for gate in self.gates)
                keep = keep - 5.0 if lowers == "number" else keep
                new = new.tanh() if adds == "plain" else write.sigmoid() * new.tanh()
                cell = keep.sigmoid() * cell + new
                hidden = out.sigmoid() * cell.tanh()
            return self.head(hidden)

    model = Cell(False, -5.0 if lowers == "bias" else 0.0)
    if lowers == "number":
        model.gates[1].register_parameter("bias", None)

    found = pytorch.check(model, SERIES).of("error", "warning")

    shut = (lowers, adds) == ("bias", "gated")
    assert [one.parameter for one in found if one.id == "WI19"] == (
        ["gates.1.bias"] if shut else []
    )


def test_gates_that_mix_old_and_new_may_keep_little():
    class Mixed(HandLSTM):
        def forward(self, x):
            hidden = x.new_zeros(len(x), 16)
            for step in x.unbind(1):
                given = torch.cat([step, hidden], 1)
                keep = self.gates[1](given).sigmoid()
                hidden = keep * hidden + (1 - keep) * self.gates[2](given).tanh()
            return self.head(hidden)

    found = pytorch.check(Mixed(False, -3.0), SERIES).of("error", "warning")
    assert not [one for one in found if one.id == "WI19"]


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_cells_of_zeros_stop_the_signal(kind):
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = kind(6, 16, batch_first=True)
            self.head = nn.Linear(16, 4)
            for parameter in self.cell.parameters():
                nn.init.zeros_(parameter)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    found = {one.id for one in pytorch.check(Tagger(), SERIES).of("error")}
    assert found == {"WI03"}


def test_a_first_layer_of_zeros_stops_the_signal():
    model = nn.Sequential(nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 4))
    nn.init.zeros_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    (found,) = pytorch.check(model, VECTORS).of("error")
    assert (found.id, found.parameter) == ("WI03", "0.weight")


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("plain", [True, False])
def test_weights_of_inputs_and_states_side_by_side_are_judged_by_their_law(
    packed, plain
):
    """Of N(0, 1), in a cell of 64 units: no radius in use is as large as 8."""
    torch.manual_seed(0)
    model = SideBySide(packed, plain)
    assert pytorch.check(model, SERIES).of("error", "warning") == ()

    for gate in model.gates:
        nn.init.normal_(gate.weight)
    (found,) = pytorch.check(model, SERIES).of("error", "warning")

    # Of a loud weight, a full tanh says more than the radius does.
    assert found.cause == ("saturated" if plain else "spectral_radius")
    assert set(found.places) == {f"gates.{n}.weight" for n, _ in enumerate(model.gates)}
    assert plain or 5 < found.measured < 11
    assert pytorch.repair_(model, SERIES).after.sound


class SideBySide(nn.Module):
    """A cell that weighs inputs and state as one: an LSTM, or tanh alone."""

    def __init__(self, packed, plain):
        super().__init__()
        count = 1 if plain else 4
        sizes = (64 * count,) if packed else (64,) * count
        self.gates = nn.ModuleList(nn.Linear(6 + 64, size) for size in sizes)
        self.plain, self.head = plain, nn.Linear(64, 4)

    def forward(self, x):
        hidden = cell = x.new_zeros(len(x), 64)
        for step in x.unbind(1):
            given = torch.cat([step, hidden], 1)
            made = torch.cat([gate(given) for gate in self.gates], 1)
            if self.plain:
                hidden = made.tanh()
                continue
            write, keep, new, out = made.chunk(4, 1)
            cell = keep.sigmoid() * cell + write.sigmoid() * new.tanh()
            hidden = out.sigmoid() * cell.tanh()
        return self.head(hidden)


class Flow(nn.Module):
    """One layer, run again and again: its outputs are added to what it gets."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.field, self.head = nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, x):
        for _ in range(4):
            x = x + 0.25 * self.field(x).tanh()
        return self.head(x)


def test_a_layer_that_is_run_again_is_no_cell():
    assert "gated_radius" not in pytorch.check(Flow(), VECTORS).dataset


class Steps(nn.Module):
    """A cell that is called in a loop, and a head on its last state."""

    def __init__(self, kind):
        super().__init__()
        torch.manual_seed(0)
        self.cell, self.head = kind(6, 16), nn.Linear(16, 4)

    def forward(self, x):
        hidden = x.new_zeros(len(x), 16)
        state = (hidden, hidden) if isinstance(self.cell, nn.LSTMCell) else hidden
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.head(state[0] if isinstance(state, tuple) else state)


class HandGRU(nn.Module):
    """PyTorch's GRU cell in a few lines, all gates of one layer."""

    def __init__(self, inputs, units):
        super().__init__()
        self.given, self.kept = (
            nn.Linear(inputs, 3 * units),
            nn.Linear(units, 3 * units),
        )

    def forward(self, x, hidden):
        reset, keep, new = self.given(x).chunk(3, 1)
        reset_by, keep_by, new_by = self.kept(hidden).chunk(3, 1)
        keep = torch.sigmoid(keep + keep_by)
        new = torch.tanh(new + torch.sigmoid(reset + reset_by) * new_by)
        return (1 - keep) * new + keep * hidden


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (nn.RNNCell, "cell.weight_ih"),
        (nn.GRUCell, "cell.weight_ih"),
        (nn.LSTMCell, "cell.weight_ih"),
        (HandGRU, "cell.given.weight"),
    ],
)
def test_zeros_that_a_cell_weighs_its_inputs_with_stop_the_signal(kind, name):
    model = Steps(kind)
    assert pytorch.check(model, SERIES).of("error", "warning") == ()
    nn.init.zeros_(model.get_parameter(name))
    (found,) = pytorch.check(model, SERIES).of("error", "warning")
    assert (found.id, found.parameter) == ("WI03", name)
    assert pytorch.repair_(model, SERIES).after.sound


def test_zeros_of_a_state_are_a_design():
    model = Steps(nn.GRUCell)
    nn.init.zeros_(model.cell.weight_hh)
    assert pytorch.check(model, SERIES).of("error", "warning") == ()


@pytest.mark.parametrize(("bias", "severity"), [(1.0, None), (6.0, "error")])
def test_a_bias_that_fills_what_a_gated_state_takes_in(bias, severity):
    """Of a sigmoid, a bias of 6 may be a design; of a tanh it is none."""
    model = Steps(HandGRU)
    model.cell.given.bias.data[32:] = bias
    found = pytorch.check(model, SERIES).of("error", "warning")
    named = [(one.id, one.severity, one.parameter) for one in found]
    assert named == ([("WI13", severity, "cell.given.bias")] if severity else [])


@pytest.mark.parametrize("layer", [0, 1])
def test_biases_inside_the_tanh_of_a_deeper_layer(layer):
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.cell = nn.LSTM(6, 16, 2, batch_first=True)
            self.head = nn.Linear(16, 4)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    model = Reader()
    assert pytorch.check(model, SERIES).of("error", "warning") == ()
    name = f"cell.bias_ih_l{layer}"
    model.get_parameter(name).data[32:48] = 9.0
    (found,) = pytorch.check(model, SERIES).of("error", "warning")
    assert (found.id, found.parameter) == ("WI13", name)


@pytest.mark.parametrize("part", ["inputs", "state"])
def test_zeros_of_a_part_of_a_joined_weight(part):
    """Of inputs and state side by side, those of the inputs stop the signal."""
    torch.manual_seed(0)
    model = HandLSTM(True, 1.0)
    columns = slice(0, 6) if part == "inputs" else slice(6, None)
    model.gates[0].weight.data[:, columns] = 0
    found = pytorch.check(model, SERIES).of("error", "warning")
    named = [(one.id, one.cause, one.parameter) for one in found]
    stopped = [("WI03", "zero_inputs", "gates.0.weight")]
    assert named == (stopped if part == "inputs" else [])
    assert pytorch.repair_(model, SERIES).after.sound


def test_of_examples_that_are_all_alike_no_cell_is_blamed():
    model = Steps(nn.GRUCell)
    nn.init.zeros_(model.cell.weight_ih)
    found = pytorch.check(model, SERIES[:1].expand(16, -1, -1)).of("error", "warning")
    assert "WI03" not in {one.id for one in found}


def test_a_shared_block_that_ends_in_zeros_is_a_design():
    """The head reads a token of the model's own, which no example has changed yet."""

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.token = nn.Parameter(torch.randn(1, 1, 6))
            self.inner, self.end = nn.Linear(6, 12), nn.Linear(12, 6)
            self.head = nn.Linear(6, 4)
            nn.init.zeros_(self.end.weight)

        def forward(self, x):
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
            for _ in range(2):
                mixed = x + x.mean(1, keepdim=True)
                x = x + self.end(self.inner(mixed).relu())
            return self.head(x[:, 0])

    found = pytorch.check(Shared(), SERIES).of("error", "warning")
    assert "WI03" not in {one.id for one in found}
