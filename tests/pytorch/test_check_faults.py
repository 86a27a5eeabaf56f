"""Every check names its planted fault at the right layer, and its twin is silent."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from networks import GPT, ResNet, plain
from torch import nn

from initlab import pytorch

VECTORS = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randn(16, 3, 12, 12, generator=torch.Generator().manual_seed(2))
WORDS = torch.randint(0, 61, (8, 24), generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(64) % 5


@dataclass(frozen=True)
class Fault:
    """What is planted where, and what must be said."""

    id: str
    host: Callable[[], nn.Module]
    batch: object
    plant: Callable[[nn.Module], object]
    where: tuple[str, ...]
    more: dict | None = None


def weight(name, change):
    """A change of one parameter, in place."""

    def plant(model):
        with torch.no_grad():
            change(model.get_parameter(name))

    return plant


def every_linear(change):
    def plant(model):
        with torch.no_grad():
            for layer in model.modules():
                if isinstance(layer, nn.Linear):
                    change(layer)

    return plant


def deep(**more):
    return plain(depth=24, width=64, **more)


def convolutions():
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU()]
    for before, after in ((16, 32), (32, 32), (32, 48), (48, 32)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                          nn.Linear(32, 5))  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in))
            nn.init.zeros_(layer.bias)
    return model


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM):
        super().__init__()
        self.recurrent = kind(16, 24, batch_first=True)
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


class Growing(nn.Module):
    """A residual trunk that nothing normalizes."""

    def __init__(self, depth=12):
        super().__init__()
        self.into = nn.Linear(16, 32)
        self.wide = nn.ModuleList(nn.Linear(32, 64) for _ in range(depth))
        self.narrow = nn.ModuleList(nn.Linear(64, 32) for _ in range(depth))
        self.head = nn.Linear(32, 5)
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            nn.init.kaiming_normal_(wide.weight)
            nn.init.normal_(narrow.weight, std=1 / math.sqrt(64 * depth))

    def forward(self, x):
        x = self.into(x)
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            x = x + narrow(torch.relu(wide(x)))
        return self.head(x)


SEQUENCES = torch.randn(16, 12, 16, generator=torch.Generator().manual_seed(4))


def unscaled(model):
    for block in model.blocks:
        with torch.no_grad():
            block.attention.qkv.weight[:64].normal_(std=1.0)


def half_dead(p):
    p[: len(p) // 2] = -40.0


FAULTS = {
    "nan": Fault("WI01", plain, VECTORS,
                 weight("4.weight", lambda p: p[0].fill_(math.nan)), ("4.weight",)),
    "overflow": Fault("WI01", plain, VECTORS,
                      weight("4.weight", lambda p: p.mul_(1e38)), ("4.weight",)),
    "constant": Fault("WI02", plain, VECTORS,
                      weight("4.weight", lambda p: p.fill_(0.1)), ("4.weight",)),
    "copies": Fault("WI02", ResNet, IMAGES,
                    weight("blocks.1.conv1.weight", lambda p: p[8:].copy_(p[:8])),
                    ("blocks.1.conv1.weight",)),
    "clones": Fault("WI02", GPT, WORDS,
                    lambda m: m.blocks[2].load_state_dict(m.blocks[1].state_dict()),
                    ("blocks.1.attention.qkv.weight",)),
    "zero layer": Fault("WI03", plain, VECTORS,
                        weight("4.weight", nn.init.zeros_), ("4.weight",)),
    "zero branch, both ends": Fault(
        "WI03", GPT, WORDS,
        lambda m: [nn.init.zeros_(p) for layer in (m.blocks[1].up, m.blocks[1].down)
                   for p in layer.parameters()],
        ("blocks.1.up.weight", "blocks.1.down.weight")),
    "PyTorch's start, deep": Fault(
        "WI05", deep, VECTORS, every_linear(lambda layer: layer.reset_parameters()),
        ("2.weight", "0.weight")),
    "one loud layer": Fault("WI05", lambda: plain(depth=8), VECTORS,
                            weight("6.weight", lambda p: p.mul_(60)), ("6.weight",)),
    "one quiet layer under norms": Fault(
        "WI05", lambda: ResNet(zero=False), IMAGES,
        weight("blocks.1.conv1.weight", lambda p: p.mul_(0.02)),
        ("blocks.1.conv1.weight",)),
    "kernel area left out": Fault(
        "WI06", convolutions, IMAGES,
        lambda m: [nn.init.normal_(c.weight, std=math.sqrt(2 / c.in_channels))
                   for c in m if isinstance(c, nn.Conv2d)],
        ("2.weight", "0.weight")),
    "biases drown": Fault(
        "WI07", deep, VECTORS,
        every_linear(lambda layer: (layer.weight.mul_(0.6), layer.bias.normal_())),
        ("2.bias", "0.bias")),
    "dead by bias": Fault("WI12", plain, VECTORS, weight("4.bias", half_dead),
                          ("4.bias",)),
    "saturated": Fault("WI13", lambda: plain(activation=nn.Tanh), VECTORS,
                       weight("0.weight", lambda p: p.mul_(8)), ("0.weight",)),
    "loud head": Fault("WI14", ResNet, IMAGES,
                       weight("head.weight", lambda p: p.mul_(60)), ("head.weight",),
                       {"targets": torch.arange(16) % 10}),
    "prior": Fault("WI15", plain, VECTORS, lambda _: None, ("10.bias",),
                   {"targets": torch.tensor([0] * 60 + [1, 2, 3, 4])}),
    "residual growth": Fault(
        "WI16", Growing, VECTORS,
        lambda m: [nn.init.normal_(n.weight, std=0.25) for n in m.narrow],
        tuple(f"narrow.{i}.weight" for i in range(12))),
    "gamma zero on the trunk": Fault("WI17", ResNet, IMAGES,
                                     weight("bn.weight", nn.init.zeros_),
                                     ("bn.weight",)),
    "loud tied embedding": Fault("WI18", GPT, WORDS,
                                 weight("tokens.weight", nn.init.normal_),
                                 ("tokens.weight",)),
    "forgets": Fault("WI19", Recurrent, SEQUENCES,
                     weight("recurrent.bias_hh_l0", lambda p: p[24:48].fill_(-6.0)),
                     ("recurrent.bias_hh_l0",)),
    "recurrent growth": Fault("WI19", lambda: Recurrent(nn.GRU), SEQUENCES,
                              weight("recurrent.weight_hh_l0", lambda p: p.mul_(5)),
                              ("recurrent.weight_hh_l0",)),
    "unused": Fault("WI21", plain, VECTORS,
                    lambda m: m.register_parameter(
                        "extra", nn.Parameter(torch.randn(3, 3))), ("extra",)),
    "attention to one token": Fault("WI23", GPT, WORDS, unscaled,
                                    ("blocks.0.attention.qkv.weight",
                                     "blocks.1.attention.qkv.weight",
                                     "blocks.2.attention.qkv.weight")),
    "long step": Fault(
        "WI24", plain, VECTORS, lambda _: None, (),
        {"targets": LABELS, "optimizer": lambda p: torch.optim.Adam(p, lr=0.5)}),
    "short step": Fault(
        "WI24", plain, VECTORS, lambda _: None, (),
        {"targets": LABELS, "optimizer": lambda p: torch.optim.SGD(p, lr=1e-10)}),
}  # fmt: skip
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@every_fault
def test_a_planted_fault_is_named_where_it_is(fault):
    model = fault.host()
    fault.plant(model)

    found = pytorch.check(model, fault.batch, **(fault.more or {})).of(
        "warning", "error"
    )

    named = [one for one in found if one.id == fault.id]
    assert named, [(one.id, one.parameter, one.sentence) for one in found]
    places = {one.parameter for one in named}
    assert not fault.where or places & set(fault.where), places
    # Every finding can be said, measured and repaired in words.
    for one in found:
        assert one.sentence
        assert one.formula
        assert one.fix


HOSTS = {
    (fault.host, id(fault.batch)): fault
    for fault in FAULTS.values()
    if not (fault.more or {}).get("optimizer") and fault.id != "WI15"
}


@pytest.mark.parametrize("fault", HOSTS.values(), ids=lambda fault: fault.id)
def test_the_healthy_twin_is_silent(fault):
    targets = torch.arange(len(fault.batch)) % 5 if fault.host is not GPT else None

    diagnosis = pytorch.check(fault.host(), fault.batch, targets=targets)

    assert diagnosis.sound, str(diagnosis)
    assert "initialization sound" in str(diagnosis)


def test_one_wrong_gain_in_many_layers_is_one_finding():
    model = deep()
    every_linear(lambda layer: layer.reset_parameters())(model)

    (finding,) = pytorch.check(model, VECTORS).of("warning", "error")

    assert finding.severity == "error"
    assert len(finding.places) >= 20
    assert {"WI07", "WI10"} & set(finding.consequences)
    assert "needs 2" in finding.sentence


def test_underflow_in_half_precision_is_named():
    model = plain(depth=4)
    with torch.no_grad():
        model[0].weight.mul_(1e-6)
    model.half()

    found = pytorch.check(model, VECTORS.half(), targets=LABELS).of("warning", "error")

    assert "WI22" in {one.id for one in found}


def test_designed_zeros_are_silent():
    for model in (ResNet(zero=True), ResNet(zero=False)):
        nn.init.zeros_(model.head.weight)

        assert pytorch.check(model, IMAGES, targets=torch.arange(16) % 10).sound


def test_frozen_and_adapted_weights_keep_their_own_laws():
    model = plain()
    model[4].weight.requires_grad_(False)
    with torch.no_grad():
        model[4].weight.mul_(30)

    found = pytorch.check(model, VECTORS).of("error")

    assert not [
        one for one in found if one.parameter == "4.weight" and one.id == "WI05"
    ]


def test_a_dead_layer_is_found_though_everything_explains_everything():
    model = plain(depth=4)
    nn.init.constant_(model[2].bias, -20.0)

    (finding,) = pytorch.check(model, VECTORS).of("warning", "error")

    assert (finding.id, finding.parameter) == ("WI12", "2.bias")
    assert {"WI03", "WI07"} <= set(finding.consequences)


def test_saturation_of_many_layers_is_one_finding():
    layers = [m for _ in range(9) for m in (nn.Linear(64, 64), nn.Tanh())]
    model = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), *layers, nn.Linear(64, 5))
    every_linear(lambda layer: nn.init.normal_(layer.weight, std=5))(model)

    found = pytorch.check(model, VECTORS).of("warning", "error")

    (saturated,) = (one for one in found if one.id == "WI13")
    assert {one.id for one in found} <= {"WI05", "WI13"}
    assert len(saturated.places) == 10


def test_a_measure_that_only_some_members_have_is_no_trouble():
    made = []

    def build():
        model = plain(depth=3)
        if len(made) % 2:
            with torch.no_grad():
                model[2].weight[1] = model[2].weight[0]
                model[2].bias[1] = model[2].bias[0]
        made.append(model)
        return model

    diagnosis = pytorch.check(build, VECTORS, seeds=4)

    assert any(one.found_in[1] == 4 for one in diagnosis.of("info", "warning"))


@pytest.mark.parametrize("copies", [nn.TransformerEncoder, nn.ModuleList])
def test_layers_that_pytorch_copies_are_no_warning_and_ones_own_are(copies):
    layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            stack = [copy.deepcopy(layer) for _ in range(3)]
            own = copies is nn.ModuleList
            self.stack = nn.ModuleList(stack) if own else copies(layer, 3)
            self.head = nn.Linear(32, 5)

        def forward(self, x):
            for each in getattr(self.stack, "layers", self.stack):
                x = each(x)
            return self.head(x.mean(dim=1))

    batch = torch.randn(8, 12, 32)

    found = pytorch.check(Encoder(), batch)

    (clones,) = (one for one in found.findings if one.id == "WI02")
    expected = "info" if copies is nn.TransformerEncoder else "warning"
    assert (clones.cause, clones.severity) == ("cloned_parameters", expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_designed_zeros_are_no_underflow(dtype):
    model = ResNet(zero=True)
    nn.init.zeros_(model.head.weight)
    model.to(dtype)

    diagnosis = pytorch.check(model, IMAGES.to(dtype), targets=torch.arange(16) % 10)

    assert diagnosis.sound, str(diagnosis)


@pytest.mark.parametrize("scale", [1.0, 32**-0.5])
def test_attention_without_its_scale_is_named_before_it_saturates(scale):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(32)
            self.query, self.key, self.value = (nn.Linear(32, 32) for _ in range(3))
            self.head = nn.Linear(32, 5)

        def forward(self, x):
            y = self.norm(x)
            logits = self.query(y) @ self.key(y).transpose(1, 2)
            if scale != 1:
                logits = logits * scale
            mixed = logits.softmax(-1) @ self.value(y)
            return self.head((x + mixed).mean(dim=1))

    found = pytorch.check(Attention(), torch.randn(8, 64, 32)).of("warning", "error")

    causes = [(one.id, one.cause) for one in found]
    assert causes == ([("WI23", "unscaled_attention")] if scale == 1 else [])
