"""Numbers that float32 cannot square, and calls that are not as modules are."""

import math

import pytest
import torch
from torch import nn

from initlab import capture, pytorch

VECTORS = torch.randn(32, 64, generator=torch.Generator().manual_seed(1))
NUMBERS = torch.randn(32, 1, generator=torch.Generator().manual_seed(2))
SERIES = torch.randn(9, 25, 8, generator=torch.Generator().manual_seed(3))


def blamed(model, batch, **more):
    """Checks with their causes and parameters, without info."""
    found = pytorch.check(model, batch, **more).of("warning", "error")
    return [(one.id, one.cause, one.parameter) for one in found]


def deep(layers, std):
    torch.manual_seed(0)
    stack = [m for _ in range(layers) for m in (nn.Linear(64, 64, bias=False),
                                                nn.ReLU())]  # fmt: skip
    model = nn.Sequential(*stack, nn.Linear(64, 1))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
    return model


def test_factors_are_measured_where_squares_are_too_small_for_float32():
    model = deep(14, 1e-3)
    single = pytorch.check(model, VECTORS, targets=NUMBERS)
    double = pytorch.check(model.double(), VECTORS.double(), targets=NUMBERS.double())

    for name in ("gradient_factor", "forward_factor"):
        one, other = (d.findings[0].evidence[name] for d in (single, double))
        assert math.isclose(one, other, rel_tol=1e-3)


@pytest.mark.parametrize("layers", [6, 10, 14])
def test_weights_whose_squared_error_overflows_are_named(layers):
    ((check, cause, _),) = blamed(deep(layers, 10.0), VECTORS, targets=NUMBERS)

    expected = ("WI05", "beyond_any_law") if layers == 6 else ("WI01", "grows_beyond")
    assert (check, cause) == expected


def test_tables_that_share_one_column_are_no_copies():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Linear(64, 4096), nn.Linear(64, 4096)
            self.head = nn.Linear(4096, 1)
            for layer in (self.left, self.right):
                nn.init.zeros_(layer.weight[:, 0])

        def forward(self, x):
            return self.head((self.left(x) + self.right(x)).relu())

    assert blamed(Both(), VECTORS) == []


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
def test_an_lstm_with_projections_has_gates_and_biases():
    model = nn.LSTM(8, 64, num_layers=2, proj_size=16, batch_first=True)
    for name, parameter in model.named_parameters():
        if name.startswith("bias"):
            nn.init.constant_(parameter, -3.0)

    uses = capture.read(model, SERIES).uses
    assert [(use.role, use.layer.packed, use.parameter, use.bias) for use in uses] == [
        (role, 4, f"weight_{short}_l{layer}", f"bias_{short}_l{layer}")
        for layer in (0, 1)
        for role, short in (("input", "ih"), ("recurrent", "hh"))
    ]
    assert [one[:2] for one in blamed(model, SERIES)] == [("WI19", "forgets")] * 2


class Learned(nn.Module):
    """A cell whose first state is learned, and a head."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.head = cell(8, 16), nn.Linear(16, 1)
        self.start = nn.Parameter(torch.zeros(1, 16))

    def forward(self, x):
        state = start = self.start.expand(len(x), -1)
        if isinstance(self.cell, nn.LSTMCell):
            state = (start, start)
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return self.head(state[0] if isinstance(state, tuple) else state)


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
@pytest.mark.parametrize("examples", [8, 9])
def test_a_learned_first_state_is_no_layer(cell, examples):
    model = Learned(cell)

    uses = capture.read(model, SERIES[:examples]).uses
    assert [use.parameter for use in uses] == [
        "cell.weight_ih", "cell.weight_hh", "head.weight",
    ]  # fmt: skip
    assert blamed(model, SERIES[:examples]) == []


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")
def test_a_projection_is_no_bias_of_an_lstm_without_any():
    model = nn.LSTM(8, 64, proj_size=16, bias=False, batch_first=True)

    uses = capture.read(model, SERIES).uses
    assert [(use.parameter, use.bias) for use in uses] == [
        ("weight_ih_l0", None), ("weight_hh_l0", None),
    ]  # fmt: skip


def test_cells_called_by_the_names_of_their_arguments():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.GRUCell(8, 16, bias=False)

        def forward(self, x):
            own = self.cell
            return torch.gru_cell(
                hx=torch.zeros(len(x), 16), input=x[:, 0], w_ih=own.weight_ih,
                w_hh=own.weight_hh,
            )  # fmt: skip

    uses = capture.read(Named(), SERIES).uses
    assert [(use.parameter, use.bias) for use in uses] == [
        ("cell.weight_ih", None), ("cell.weight_hh", None),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("bias", [True, False])
def test_packed_sequences_that_are_read_both_ways(kind, bias):
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = kind(8, 16, bias=bias, bidirectional=True)

        def forward(self, x):
            lengths = torch.arange(25, 16, -1)
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
            return nn.utils.rnn.pad_packed_sequence(self.cells(packed)[0])[0]

    uses = capture.read(Packed(), SERIES).uses
    names = ["ih_l0", "hh_l0", "ih_l0_reverse", "hh_l0_reverse"]
    assert [(use.parameter, use.bias) for use in uses] == [
        (f"cells.weight_{name}", f"cells.bias_{name}" if bias else None)
        for name in names
    ]


class Falls(nn.Module):
    """A part that fails, and what is done instead."""

    def __init__(self, *, caught):
        super().__init__()
        self.first, self.last = nn.Sequential(nn.Linear(7, 3)), nn.Linear(64, 2)
        self.weight, self.caught = nn.Parameter(torch.randn(64, 64) / 8), caught

    def forward(self, x):
        try:
            x = self.first(x)
        except RuntimeError:
            if not self.caught:
                raise
        return self.last(x @ self.weight)


def test_what_runs_after_a_caught_failure_belongs_to_who_runs():
    uses = capture.read(Falls(caught=True), VECTORS).uses

    assert [(use.module, use.parameter) for use in uses] == [
        ("", "weight"), ("last", "last.weight"),
    ]  # fmt: skip


def test_the_innermost_module_is_named_that_failed():
    with pytest.raises(capture.ModelRunError, match=r"batch in first\.0 \(Linear\)"):
        pytorch.check(Falls(caught=False), VECTORS)


def test_a_softmax_that_is_shifted_often_is_read_in_time():
    class Shifts(nn.Module):
        def __init__(self):
            super().__init__()
            self.choose, self.head = nn.Linear(64, 16), nn.Linear(16, 1)

        def forward(self, x):
            shares = self.choose(x).softmax(-1)
            for _ in range(40):  # twice as long with each, if every way is walked
                shares = torch.cat([shares[:, 1:], shares[:, :1]], dim=-1)
            return self.head(shares)

    assert blamed(Shifts(), VECTORS) == []
