"""Layers as products that nobody calls a layer: read, judged, started, repaired."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch
from initlab.spec import LayerSpec

WIDTH, DEPTH = 16, 10
ROWS = torch.randn(48, WIDTH, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(48) % 3

# By name: the product of signal and weight, and whether that is stored (in, out).
PRODUCTS = {
    "einsum without an arrow": (lambda x, w: torch.einsum("bi,io", x, w), True),
    "einsum in capitals": (lambda x, w: torch.einsum(" bI , oI -> bo", x, w), False),
    "einsum of lists": (lambda x, w: torch.einsum(x, [0, 1], w, [1, 2]), True),
    "tensordot of one axis": (lambda x, w: torch.tensordot(x, w, dims=1), True),
    "tensordot of lists": (
        lambda x, w: torch.tensordot(x, w, dims=([-1], [1])), False,
    ),
    "inner": (torch.inner, False),
    "the weight first": (lambda x, w: (w @ x.T).T, False),
    "a turned weight": (lambda x, w: x.matmul(w.t()), False),
    "linear with a turned weight": (lambda x, w: functional.linear(x, w.t()), True),
    "mv": (lambda x, w: torch.stack([torch.mv(w, row) for row in x]), False),
    "multi_dot": (lambda x, w: torch.linalg.multi_dot([x, w]), True),
    "conv_tbc": (
        lambda x, w: functional.conv_tbc(x[None], w[None], w.new_zeros(WIDTH))[0], True,
    ),
}  # fmt: skip
every_product = pytest.mark.parametrize("name", sorted(PRODUCTS))


class Products(nn.Module):
    """A chain of one kind of product."""

    def __init__(self, name, gain=2.0):
        super().__init__()
        self.product, self.stored_transposed = PRODUCTS[name]
        generator = torch.Generator().manual_seed(3)
        self.weights = nn.ParameterList(
            torch.randn(WIDTH, WIDTH, generator=generator) * (gain / WIDTH) ** 0.5
            for _ in range(DEPTH)
        )
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x):
        for weight in self.weights:
            x = torch.relu(self.product(x, weight))
        return self.head(x)


def blamed(model, batch=ROWS):
    found = pytorch.check(model, batch, targets=LABELS[: len(batch)])
    return [(one.id, one.parameter) for one in found.of("warning", "error")]


@every_product
def test_a_product_has_its_fans_however_it_is_written(name):
    model = Products(name)

    uses = capture.read(model, ROWS).uses[:DEPTH]

    assert [use.parameter for use in uses] == [f"weights.{n}" for n in range(DEPTH)]
    assert {use.layer.shape[:2] for use in uses} == {(WIDTH, WIDTH)}
    assert {use.stored_transposed for use in uses} == {model.stored_transposed}
    assert {use.activation for use in uses} == {"relu"}


@every_product
def test_faults_of_products_are_found_and_repaired(name):
    def planted(fault):
        model = Products(name)
        with torch.no_grad():
            fault(model)
        return model

    def copies(model):
        rows = model.weights[5].T if model.stored_transposed else model.weights[5]
        rows[1:] = rows[:1].clone()

    assert blamed(Products(name)) == []
    for expected, fault in (
        ("WI03", lambda model: model.weights[5].zero_()),
        ("WI02", copies),
        ("WI05", lambda model: model.weights[5].mul_(20.0)),
    ):
        assert blamed(planted(fault)) == [(expected, "weights.5")]
        model = planted(fault)
        pytorch.repair_(model, ROWS, targets=LABELS)
        assert blamed(model) == []


class OneWeight(nn.Module):
    """A weight, and what is made of it and a signal."""

    def __init__(self, product, *shape):
        super().__init__()
        self.product, self.weight = product, nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(64))

    def forward(self, x):
        return self.product(x, self.weight, self.bias)


GEOMETRY = [
    (
        lambda x, w, _: torch.einsum("...i,io", x, w),
        (48, 64), (3, 5, 48), LayerSpec(shape=(64, 48)),
    ),
    (
        lambda x, w, _: torch.tensordot(x, w, dims=2),
        (5, 24, 64), (8, 5, 24), LayerSpec(shape=(64, 120)),
    ),
    (
        lambda x, w, b: torch.stack([torch.addmv(b, w, row) for row in x]),
        (64, 48), (8, 48), LayerSpec(shape=(64, 48)),
    ),
    (
        lambda x, w, b: torch.baddbmm(b, x, w),
        (3, 48, 64), (3, 5, 48), LayerSpec(shape=(64, 48)),
    ),
    (
        lambda x, w, b: torch.addbmm(b, x, w),
        (3, 48, 64), (3, 5, 48), LayerSpec(shape=(64, 144)),
    ),
    (
        lambda x, w, b: functional.conv_tbc(x, w, b),
        (3, 24, 64), (7, 8, 24), LayerSpec(kind="conv", shape=(64, 24, 3)),
    ),
    (
        lambda x, w, b: functional.bilinear(x, x[:, :12], w, b),
        (64, 24, 12), (8, 24), LayerSpec(shape=(64, 288)),
    ),
    (
        lambda x, w, _: torch.einsum("bxi,oij,byj->boxy", x, w, x),
        (64, 12, 12), (3, 5, 12), LayerSpec(shape=(64, 144)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("product", "weight", "batch", "layer"), GEOMETRY)
def test_sums_over_several_axes_are_drawn_in_their_fans(product, weight, batch, layer):
    model, batch = OneWeight(product, *weight), torch.randn(batch)
    (use,) = capture.read(model, batch).uses

    done = pytorch.initialize_(model, "he_normal", batch=batch, nonlinearity=None)

    assert use.layer == layer
    assert done.rows[0].action == "drawn"
    fan_in = model.weight.numel() / 64
    fan_in /= weight[0] if product.__code__.co_names[-1] == "baddbmm" else 1
    # Five standard errors of a deviation.
    near = pytest.approx((2 / fan_in) ** 0.5, rel=5 / (2 * model.weight.numel()) ** 0.5)
    assert model.weight.std().item() == near


def test_a_bilinear_layer_keeps_the_size_of_products():
    model = nn.Bilinear(24, 12, 64)
    first, second = torch.randn(512, 24), 3 * torch.randn(512, 12)

    pytorch.initialize_(model, "lecun_normal")

    # Of the numbers that 512 examples and 24 * 12 weights a unit vary by.
    assert model(first, second).std().item() == pytest.approx(3.0, rel=0.1)
    given = capture.read(model, (first, second)).measures["given_rms"]
    assert given.tolist() == pytest.approx([3.0], rel=0.05)


class Biaffine(nn.Module):
    """Two encoders, whose products a bilinear layer scores."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(WIDTH, 32), nn.Linear(WIDTH, 32)
        self.score = nn.Bilinear(32, 32, 3)
        pytorch.initialize_(self, "he_normal")

    def forward(self, x):
        return self.score(torch.relu(self.one(x)), torch.relu(self.two(x)))


def test_a_bilinear_head_is_judged():
    loud, zero = Biaffine(), Biaffine()
    with torch.no_grad():
        loud.score.weight *= 100.0
        zero.score.weight.zero_()

    assert blamed(Biaffine()) == []
    assert blamed(zero) == []  # a head of zeros is a design
    assert [name for _, name in blamed(loud)] == ["score.weight"]
    pytorch.repair_(loud, ROWS, targets=LABELS)
    assert blamed(loud) == []


def test_a_product_of_two_weights_is_no_layer():
    class Factors(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Parameter(torch.randn(WIDTH, 4) / 4)
            self.up = nn.Parameter(torch.randn(4, 3) / 2)

        def forward(self, x):
            return torch.einsum("bi,ij,jo->bo", x, self.down, self.up)

    diagnosis = pytorch.check(Factors(), ROWS, targets=LABELS)

    assert not capture.read(Factors(), ROWS).uses
    assert "not measured: down, up" in str(diagnosis)
