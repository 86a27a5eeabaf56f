"""`initialize_` on weights of another layout: blocks, masks, parts, other owners."""

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard
from torch.nn.utils import prune
from torch.testing._internal.distributed.fake_pg import FakeStore

from initlab import pytorch
from initlab.errors import InvalidValueError
from initlab.spec import LayerSpec

VECTORS = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))


def bits(model):
    return {name: one.numpy().tobytes() for name, one in model.state_dict().items()}


def normal(shape, rng):
    return rng.normal(size=shape)


@pytest.mark.parametrize("init", ["orthogonal", normal])
def test_a_matrix_that_is_no_block_of_its_tensor_needs_independent_entries(init):
    model = nn.Bilinear(3, 4, 5)
    before = bits(model)

    with pytest.raises(
        InvalidValueError,
        match=r"stored as \(5, 3, 4\), .* matrix of \(5, 12\) is not one .* he_normal",
    ):
        pytorch.initialize_(model, init)

    assert bits(model) == before
    assert pytorch.initialize_(model, "he_normal").drawn == ("weight",)
    assert bits(model) != before


@pytest.fixture
def second_of_two():
    """A mesh of two ranks, of which this process is the second."""
    distributed.init_process_group("fake", store=FakeStore(), rank=1, world_size=2)
    yield init_device_mesh("cpu", (2,))
    distributed.destroy_process_group()


@pytest.mark.parametrize(
    ("make", "init"),
    [
        (lambda: nn.Linear(6, 8), "he_normal"),
        (lambda: nn.Linear(6, 8), "orthogonal"),
        (lambda: nn.Bilinear(3, 2, 8), "he_normal"),
    ],
)
def test_a_rank_writes_what_it_holds_of_the_whole(second_of_two, make, init):
    part, whole = make(), make()
    for name, tensor in list(part.named_parameters()):
        half = tensor.detach()[4:].clone()
        spread = DTensor.from_local(half, second_of_two, [Shard(0)], run_check=False)
        setattr(part, name, nn.Parameter(spread))

    for model in (part, whole):
        pytorch.initialize_(model, f"{init}(bias=2)", seed=4)

    assert torch.equal(part.weight.to_local(), whole.weight[4:])
    assert torch.equal(part.bias.to_local(), torch.full((4,), 2.0))


class Tied(nn.Module):
    """A head that has no parameter, but uses a table's."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(30, 16), nn.Linear(16, 30, bias=False)
        del self.head.weight
        self.head.__dict__["weight"] = self.table.weight

    def forward(self, ids):
        return self.head(self.table(ids))


def test_a_parameter_of_another_module_is_drawn_as_the_head_that_it_is():
    model = Tied()
    before = bits(model)

    report = pytorch.initialize_(model, "lecun_normal")

    assert [row.parameter for row in report.rows] == ["table.weight"]
    assert report.of("table.weight").std == pytest.approx(16**-0.5)
    assert bits(model) != before


@pytest.mark.parametrize("batch", [None, VECTORS], ids=["types", "read"])
def test_a_weight_under_a_mask_is_drawn_and_stays_masked(batch):
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    prune.l1_unstructured(model[0], "weight", 0.5)
    before = model[0].weight_orig.detach().clone()

    report = pytorch.initialize_(model, "he_normal", batch=batch)
    model(VECTORS)

    assert report.of("0.weight_orig").action == "drawn"
    assert not (model[0].weight_orig == before).any()
    drawn = model[0].weight_orig * model[0].weight_mask
    assert torch.equal(model[0].weight, drawn)


class Own(nn.Module):
    """A matrix of its own, of which types say nothing."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(16, 4))
        self.register_buffer("fixed", torch.randn(4, 4))

    def forward(self, x):
        return nn.functional.softsign(x @ self.matrix) @ self.fixed


def test_a_matrix_that_no_known_layer_uses_is_kept_until_a_batch_shows_its_use():
    row = pytorch.initialize_(Own(), "he_normal").of("matrix")
    read = pytorch.initialize_(Own(), "he_normal", batch=VECTORS)

    assert row.action == "kept"
    assert row.reason.endswith("give batch= to find out which does")
    assert [row.parameter for row in read.rows] == ["matrix"]
    assert read.drawn == ("matrix",)


class Placed(nn.Module):
    """Positions in a buffer, beside a table that is learned."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(9, 16), nn.Linear(16, 4)
        self.register_buffer("places", torch.randn(9, 16))

    def forward(self, ids):
        placed = nn.functional.embedding(ids, self.places)
        return self.head(self.table(ids) + placed)


def test_positions_in_a_buffer_are_left_alone():
    model = Placed()
    before = bits(model)

    report = pytorch.initialize_(model, "he_normal", batch=torch.arange(9))

    after = bits(model)
    assert report.drawn == ("table.weight", "head.weight")
    assert {name for name in before if after[name] == before[name]} == {"places"}


def test_an_activation_without_a_theory_leaves_an_init_its_own_gain():
    row = pytorch.initialize_(Own(), "he_normal", batch=VECTORS).of("matrix")

    assert row.reason == "its own gain: no theory of softsign"
    assert row.std == pytest.approx((2 / 16) ** 0.5)


def test_a_dict_of_no_inits_is_refused():
    with pytest.raises(InvalidValueError, match=r"^init: .* for each of .*; got an em"):
        pytorch.initialize_(nn.Linear(2, 2), {})
    assert not pytorch.initialize_(nn.Linear(2, 2), {"conv": "dirac"}).drawn


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([slice(2)] * 3, r"at most one slice per axis of \(6, 4\), got 3"),
        ([slice(0, 6, 2)], r"slices without steps, got slice\(0, 6, 2\)"),
    ],
)
def test_parts_are_slices_without_steps(index, message):
    def drawn(index):
        layer = LayerSpec(shape=(6, 4))
        return pytorch.draw_weight("he_normal", layer, name="0.weight", index=index)

    with pytest.raises(InvalidValueError, match=f"^index: {message}"):
        drawn(index)
    assert np.array_equal(drawn([slice(2, 9)]), drawn(None)[2:])
