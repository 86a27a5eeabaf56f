"""What public models do that small ones do not: read without a crash, and in peace.

Each has its neighbour with a real fault of that kind, which is still found.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch
from initlab.capture import ModelRunError

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 4


@pytest.fixture(autouse=True)
def _same_draws():
    torch.manual_seed(0)


def found(model, batch=BATCH, **more):
    diagnosis = pytorch.check(model, batch, **more)
    return [(one.id, one.severity, one.parameter) for one in diagnosis.findings]


def silent(model, batch=BATCH, **more):
    diagnosis = pytorch.check(model, batch, **more)
    assert diagnosis.sound, str(diagnosis)


class LastState(nn.Module):
    """An LSTM, the sequence first, of which only the last state is read."""

    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(16, 16), nn.Linear(16, 4)

    def forward(self, first, second):
        states = [self.lstm(x)[1][0][-1] for x in (first, second)]
        return self.head(states[0] - states[1])


def test_outputs_of_an_lstm_that_nobody_reads_have_no_gradient():
    batch = (torch.randn(7, 32, 16), torch.randn(9, 32, 16))

    silent(LastState(), batch, targets=LABELS, loss=functional.cross_entropy)


class Spectral(nn.Module):
    """A product with a part of a complex weight, as Fourier neural operators have."""

    def __init__(self, scale=1.0):
        super().__init__()
        weight = torch.randn(16, 16, 4, dtype=torch.cfloat) / 16 * scale
        self.before, self.weight = nn.Linear(16, 16), nn.Parameter(weight)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        y = torch.fft.rfft(self.before(x).unsqueeze(-1).expand(-1, -1, 8))
        modes = torch.einsum("bim,iom->bom", [y[..., :2], self.weight[..., :2]])
        return self.head(torch.fft.irfft(modes, n=8).mean(-1))


def test_complex_weights_in_a_list_of_operands_are_read():
    silent(Spectral(), targets=LABELS)

    assert ("WI01", "error", "weight") in found(
        Spectral(scale=torch.nan), targets=LABELS
    )


class TrainsItself(nn.Linear):
    """A layer whose `train` is a loop over data, as in the forward-forward example."""

    def train(self, positive, negative):  # noqa: ARG002 -- a signature that is read
        raise AssertionError("the author's own loop")


class KeepsEval(nn.BatchNorm1d):
    """A norm that stays frozen whatever its model does."""

    def train(self, mode=True):  # noqa: ARG002 -- torch's own signature
        return super().train(False)


def test_a_train_method_of_the_authors_own_is_not_called():
    model = nn.Sequential(TrainsItself(16, 32), nn.ReLU(), nn.Linear(32, 4))
    for module in model.modules():
        module.training = False

    silent(model, targets=LABELS)

    assert not any(module.training for module in model.modules())


def test_a_train_method_that_keeps_norms_frozen_is_called():
    modes = []
    norm = KeepsEval(16)
    norm.register_forward_hook(lambda module, *_: modes.append(module.training))

    silent(nn.Sequential(norm, nn.Linear(16, 4)), targets=LABELS)

    assert not any(modes)


class OncePerRun(nn.Module):
    """Has a backward hook that wants a forward pass before each: k-means of routing."""

    def __init__(self, uses=1):
        super().__init__()
        self.layer, self.uses = nn.Linear(16, 16), uses
        self.left = 0
        self.register_full_backward_hook(self.came_back)

    def forward(self, x):
        self.left = self.uses
        return torch.relu(self.layer(x))

    def came_back(self, *_):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("nothing new to learn from")


def test_a_backward_hook_may_run_once_for_each_forward_pass():
    def network():
        first = nn.Sequential(nn.Linear(16, 16), OncePerRun())
        return (
            first.append(nn.Linear(16, 16)).append(nn.ReLU()).append(nn.Linear(16, 4))
        )

    silent(network(), targets=LABELS)

    dead = network()
    nn.init.constant_(dead[2].bias, -50.0)
    assert [one[0] for one in found(dead, targets=LABELS)] == ["WI12"]


def test_a_backward_hook_that_always_fails_is_named():
    model = nn.Sequential(nn.Linear(16, 16), OncePerRun(uses=0), nn.Linear(16, 4))

    with pytest.raises(ModelRunError, match=r"way back .* nothing new to learn from"):
        pytorch.check(model, BATCH, targets=LABELS)


class LossInside(nn.Module):
    """Gives logits, and the loss where it is given targets, as nanoGPT."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(65, 32), nn.Linear(32, 65)

    def forward(self, index, targets=None):
        logits = self.head(self.table(index))
        if targets is None:
            return logits, None
        return logits, functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def test_targets_that_forward_takes_by_name_are_given_to_it():
    tokens = torch.randint(0, 65, (8, 17))
    batch = (tokens[:, :-1], tokens[:, 1:])

    silent(LossInside(), batch, loss=lambda out, _: out[1])
    silent(LossInside(), batch, loss=lambda out, y: functional.cross_entropy(
        out[0].flatten(0, 1), y.flatten()))  # fmt: skip


class Reversible(torch.autograd.Function):
    """Layers on two halves that are computed again on the way back."""

    @staticmethod
    def forward(ctx, x, layers):
        one, two = x.chunk(2, -1)
        one = one + layers[0](two)
        two = two + layers[1](one)
        ctx.made, ctx.layers = (one.detach(), two.detach()), layers
        return torch.cat([one, two], -1)

    @staticmethod
    def backward(ctx, gradient):
        one, two = (half.clone() for half in ctx.made)
        by_one, by_two = gradient.chunk(2, -1)
        with torch.enable_grad():
            made = ctx.layers[1](one.requires_grad_())
            torch.autograd.backward(made, by_two)
            by_one = by_one + one.grad
            two = (two - made).detach().requires_grad_()
            torch.autograd.backward(ctx.layers[0](two), by_one)
        return torch.cat([by_one, by_two + two.grad], -1), None


class TwoHalves(nn.Module):
    """A reversible block between layers; a third layer whose output is cut off."""

    def __init__(self, *, cut=False):
        super().__init__()
        self.stem, self.head = nn.Linear(16, 32), nn.Linear(32, 4)
        self.layers = nn.ModuleList([nn.Linear(16, 16), nn.Linear(16, 16)])
        self.cut = nn.Linear(32, 32) if cut else None

    def forward(self, x):
        x = Reversible.apply(self.stem(x), tuple(self.layers))
        return self.head(x if self.cut is None else x + self.cut(x).detach())


class TwiceRead(TwoHalves):
    """One of the layers is used behind the block, too."""

    def forward(self, x):
        x = Reversible.apply(self.stem(x), tuple(self.layers))
        half = self.layers[0](x[:, :16])
        return self.head(x + torch.cat([half, half], -1))


def test_gradients_inside_and_outside_a_function_are_added():
    torch.manual_seed(0)
    model = TwiceRead()
    reading = capture.read(model, BATCH, targets=LABELS, loss=functional.cross_entropy)
    functional.cross_entropy(model(BATCH), LABELS).backward()

    norms = {one.name: one.gradient_norm for one in reading.parameters}
    assert norms["layers.0.weight"] == pytest.approx(
        float(model.layers[0].weight.grad.norm()), rel=1e-4
    )


def test_gradients_that_come_about_inside_a_function_count():
    model = TwoHalves()
    before = torch.ones_like(model.layers[0].weight)
    model.layers[0].weight.grad = before

    silent(model, targets=LABELS)

    assert model.layers[0].weight.grad is before
    assert (before == 1).all()
    assert model.layers[1].weight.grad is None


def test_what_is_cut_off_beside_such_a_function_is_still_found():
    assert found(TwoHalves(cut=True), targets=LABELS) == [
        ("WI21", "warning", "cut.weight")
    ]


class FromOneVector(nn.Module):
    """Makes a gate of a token that is the same in all examples, or of the inputs."""

    def __init__(self, *, alike=False):
        super().__init__()
        self.token, self.alike = nn.Parameter(torch.randn(1, 16)), alike
        self.first, self.head = nn.Linear(16, 16), nn.Linear(16, 4)
        if alike:
            with torch.no_grad():
                row = self.first.weight[:1].clone()
                self.first.weight.copy_(row + 1e-4 * torch.randn(16, 16))
                self.head.weight.copy_(self.head.weight[:, :1].expand(-1, 16))

    def forward(self, x):
        if self.alike:
            return self.head(self.first(x))
        return self.head(x * self.first(self.token.expand(len(x), -1)))


def test_a_layer_that_is_given_one_vector_may_learn_in_one_direction():
    silent(FromOneVector(), targets=LABELS)

    assert ("WI04", "warning", "first.weight") in found(
        FromOneVector(alike=True), targets=LABELS
    )


def _sgd(rate):
    return lambda parameters: torch.optim.SGD(parameters, lr=rate)


def test_a_step_that_takes_a_linear_regression_to_its_solution_is_not_too_long():
    x = torch.linspace(-3, 3, 200)
    batch = x[:, None] ** torch.tensor([1, 2, 3])

    def checked(rate):
        model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
        more = {"loss": nn.MSELoss(reduction="sum"), "optimizer": _sgd(rate)}
        return [one[:2] for one in found(model, batch, targets=x.sin(), **more)]

    assert checked(1e-5) == []
    assert ("WI24", "error") in checked(1e-3)


class WideAndDeep(nn.Module):
    """A linear part beside a deep one, added to one logit: all models of DeepCTR."""

    def __init__(self, *, deep=1.0, wide=1e-4):
        super().__init__()
        self.table, self.first = nn.Embedding(9, 16), nn.Linear(16, 64)
        self.wide, self.last = nn.Linear(16, 1, bias=False), nn.Linear(64, 1)
        with torch.no_grad():
            self.wide.weight.mul_(wide)
            self.last.weight.mul_(deep)

    def forward(self, x, index):
        deep = torch.relu(self.first(self.table(index)))
        return self.wide(x) + self.last(deep)


def test_a_quiet_part_beside_another_one_is_a_design():
    batch = (BATCH, torch.arange(32) % 9)
    more = {"targets": BATCH[:, :1], "loss": functional.mse_loss}

    assert found(WideAndDeep(), batch, **more) == [("WI05", "info", "wide.weight")]

    severities = {one[1] for one in found(WideAndDeep(deep=1e-4), batch, **more)}
    assert severities & {"warning", "error"}


class Attends(nn.Module):
    """Attention on a branch, times a factor that is no parameter."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.norm, self.factor = nn.LayerNorm(16), factor
        self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))
        self.out = nn.Linear(16, 16)

    def forward(self, x):
        y = self.norm(x)
        made = functional.scaled_dot_product_attention(
            self.query(y), self.key(y), self.value(y)
        )
        return x + self.factor * self.out(made)


class OneTokenLeft(nn.Module):
    """A last stage with one token, as Twins and CrossFormer have at usual sizes."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.first, self.last = Attends(), Attends(factor)
        self.merge, self.head = nn.Linear(64, 16), nn.Linear(16, 4)

    def forward(self, x):
        merged = self.merge(self.first(x).flatten(1))[:, None]
        return self.head(self.last(merged)[:, 0])


def test_queries_of_one_key_have_no_effect_and_factors_of_0_are_faults():
    tokens = torch.randn(32, 4, 16)

    [one] = found(OneTokenLeft(), tokens, targets=LABELS)
    assert one == ("WI03", "info", "last.query.weight")

    stopped = found(OneTokenLeft(factor=0.0), tokens, targets=LABELS)
    assert ("WI03", "error", "last.query.weight") in stopped


class Placed(Attends):
    """Attention with a bias that layers make of positions, as CrossFormer's."""

    def __init__(self):
        super().__init__()
        self.places = nn.Sequential(
            nn.Linear(2, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1)
        )

    def forward(self, x):
        y = self.norm(x)
        at = torch.arange(x.shape[1])
        apart = torch.stack([at[:, None] - at, at - at[:, None]], dim=-1).float()
        made = functional.scaled_dot_product_attention(
            self.query(y), self.key(y), self.value(y), self.places(apart)[..., 0]
        )
        return x + self.out(made)


def test_a_bias_of_positions_has_no_effect_where_there_is_one():
    model = OneTokenLeft()
    model.last = Placed()

    diagnosis = pytorch.check(model, torch.randn(32, 4, 16), targets=LABELS)

    assert diagnosis.sound
    assert "has_no_effect" in [one.cause for one in diagnosis.findings]


def test_parameters_without_entries_are_read():
    class Empty(nn.Linear):
        def __init__(self):
            super().__init__(16, 4)
            self.memory = nn.Parameter(torch.empty(0, 16))

        def forward(self, x):
            return super().forward(x) + self.memory.sum()

    assert pytorch.check(Empty(), BATCH, targets=LABELS).sound


class Gated(nn.Module):
    """Squeeze and excite with one unit in the middle, which may be off on a batch."""

    def __init__(self, bias, *, on_trunk=False):
        super().__init__()
        self.first, self.head = nn.Linear(16, 16), nn.Linear(16, 4)
        self.squeeze, self.excite = nn.Linear(16, 1), nn.Linear(1, 16)
        self.on_trunk = on_trunk
        nn.init.constant_(self.squeeze.bias, bias)

    def forward(self, x):
        y = torch.relu(self.first(x))
        gate = self.excite(torch.relu(self.squeeze(y)))
        return self.head(gate if self.on_trunk else y * torch.sigmoid(gate))


def test_a_gate_that_is_off_on_this_batch_is_a_constant():
    diagnosis = pytorch.check(Gated(bias=-9.0), BATCH, targets=LABELS)
    assert diagnosis.sound
    assert "gate_is_off" in [one.cause for one in diagnosis.findings]

    trunk = {one[:2] for one in found(Gated(-9.0, on_trunk=True), targets=LABELS)}
    assert trunk & {("WI03", "error"), ("WI12", "error")}


class Beside(nn.Module):
    """A class token that is concatenated in every block with a trunk that grows.

    As CoaT's, whose blocks add up the scales of several resolutions.
    """

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Linear(16, 16), nn.Linear(16, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16) * 0.02)
        self.norms = nn.ModuleList(nn.LayerNorm(16) for _ in range(8))
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(8))

    def forward(self, x):
        token, x = self.token.expand(len(x), -1, -1), self.stem(x)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = torch.cat([token, x], dim=1)
            x = x + layer(norm(x))
            token, x = x[:, :1], 2.5 * x[:, 1:]
        return self.head(functional.layer_norm(token[:, 0] + x.mean(dim=1), (16,)))


def test_a_trunk_that_grows_beside_a_class_token():
    silent(Beside(), torch.randn(32, 8, 16), targets=LABELS)


@pytest.mark.parametrize("seed", range(4))
def test_factors_that_are_drawn_around_a_tenth(seed):
    """RepVGG's of branches beside each other: normal, of mean and deviation .1."""
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(48)
    nn.init.normal_(norm.weight, mean=0.1, std=0.1)

    silent(
        nn.Sequential(nn.Linear(16, 48), norm, nn.ReLU(), nn.Linear(48, 4)),
        targets=LABELS,
    )
