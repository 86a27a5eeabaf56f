"""Residual trunks and branches, normalizations, heads and segments of real shapes."""

import pytest
import torch
from networks import GPT, ResNet, plain
from torch import nn

from initlab import capture
from initlab.capture import _enter


def test_a_plain_chain_is_one_segment():
    reading = capture.read(plain(depth=5), torch.randn(8, 16))

    assert [use.segment for use in reading.uses] == [0] * 5
    assert [use.depth for use in reading.uses] == list(range(5))
    assert [use.head for use in reading.uses] == [False] * 4 + [True]
    assert not reading.blocks


def test_a_resnet_has_a_block_per_sum_with_its_designed_zeros():
    reading = capture.read(ResNet(), torch.randn(8, 3, 8, 8))

    assert [len(block.uses) for block in reading.blocks] == [2, 2, 2]
    assert [len(block.skip_uses) for block in reading.blocks] == [0, 1, 0]
    ends = [reading.uses[u].parameter for b in reading.blocks for u in b.ends]
    assert ends == [f"blocks.{i}.conv2.weight" for i in range(3)]
    zeros = [norm for norm in reading.norms if norm.gamma_zero == 1]
    assert all(norm.branch_end and norm.block is not None for norm in zeros)
    assert len(zeros) == 3
    assert reading.uses[-1].parameter == "head.weight"
    assert reading.uses[-1].head
    # Every segment ends at a normalization.
    assert len({use.segment for use in reading.uses}) == len(reading.uses)


@pytest.mark.parametrize("pre", [True, False])
def test_transformers_are_told_pre_norm_from_post_norm(pre):
    reading = capture.read(GPT(pre=pre, tied=False), torch.randint(0, 61, (4, 8)))

    assert len(reading.blocks) == 6
    # The last sum of a post-norm stack has a norm, but no block after it.
    assert sum(block.post_norm for block in reading.blocks) == (0 if pre else 5)
    qkv, out, up, down = reading.uses[2:6]
    assert qkv.attends == "packed"
    assert qkv.layer.packed == 3
    assert (out.branch_end, down.branch_end) == (True, True)
    assert (up.activation, down.source) == ("gelu", "gelu")
    assert (up.block, down.block) == (1, 1)
    on_branch = [norm.block is not None for norm in reading.norms[:6]]
    assert on_branch == [pre] * 6


def test_a_low_rank_path_beside_a_layer_is_an_adapter():
    class Adapted(nn.Module):
        def __init__(self):
            super().__init__()
            self.base = nn.Linear(32, 32)
            self.down, self.up = (
                nn.Linear(32, 4, bias=False),
                nn.Linear(4, 32, bias=False),
            )
            self.base.requires_grad_(False)
            nn.init.zeros_(self.up.weight)

        def forward(self, x):
            return self.base(x) + self.up(self.down(x))

    uses = capture.read(nn.Sequential(Adapted(), nn.ReLU(), nn.Linear(32, 2)),
                        torch.randn(4, 32)).uses  # fmt: skip

    assert {use.parameter for use in uses if use.adapter} == {
        "0.down.weight", "0.up.weight",
    }  # fmt: skip
    assert [use.parameter for use in uses if use.frozen] == ["0.base.weight"]


def test_squeeze_and_excite_layers_are_gates():
    class Squeezes(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 2)
            self.squeeze, self.excite = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

        def forward(self, x):
            x = torch.relu(self.conv(x))
            gate = torch.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
            x = x * torch.sigmoid(self.excite(gate))
            return self.head(x.mean((2, 3)))

    uses = capture.read(Squeezes(), torch.randn(4, 3, 8, 8)).uses

    assert [use.parameter for use in uses if use.gate] == [
        "squeeze.weight", "excite.weight",
    ]  # fmt: skip


def test_activations_and_norms_by_hand_are_recognized():
    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = (nn.Linear(8, 8) for _ in range(3))
            self.scale = nn.Parameter(torch.ones(8))

        def forward(self, x):
            x = self.a(x)
            x = x * torch.sigmoid(x)
            x = self.b(x)
            x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale
            return self.c(x)

    reading = capture.read(ByHand(), torch.randn(4, 8))

    assert [use.activation for use in reading.uses] == ["silu", "identity", "identity"]
    assert [use.normed for use in reading.uses] == [False, True, False]
    assert reading.uses[2].plain == ()


def test_chi_is_what_theory_says_of_a_wide_chain():
    model = plain(depth=8, width=400, inputs=400)

    reading = capture.read(model, torch.randn(64, 400))

    # He's weights under ReLU: 1, within the scatter of widths of 400.
    assert reading.measures["chi"][:-2] == pytest.approx(1.0, abs=0.15)


def test_a_zero_head_hides_nothing_behind_it():
    model = plain(depth=4)
    nn.init.zeros_(model[-1].weight)

    reading = capture.read(model, torch.randn(8, 16), targets=torch.randint(0, 5, (8,)))

    assert (reading.measures["delta_rms"][:-1] > 0).all()
    first = reading.parameters[0]
    assert first.gradient_zero
    assert first.later_gradient_zero is False


def test_a_trained_model_is_told_from_one_that_ran():
    model, batch = ResNet(), torch.randn(8, 3, 8, 8)
    model(batch)
    ran = capture.read(model, batch).trained
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()

    assert (ran, capture.read(model, batch).trained) == (False, True)


def test_packed_sequences_are_followed():
    class Packs(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent = nn.GRU(4, 8, bidirectional=True, batch_first=True)
            self.head = nn.Linear(16, 2)

        def forward(self, x, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
            out, _ = self.recurrent(packed)
            out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
            return self.head(out[:, 0])

    uses = capture.read(Packs(), (torch.randn(3, 5, 4), torch.tensor([5, 2, 3]))).uses

    assert [use.operation for use in uses] == ["gru"] * 4 + ["linear"]
    assert uses[-1].previous


def test_unused_parameters_are_seen():
    model = plain(depth=3)
    model.extra = nn.Linear(3, 3)

    def forward(x):
        return nn.Sequential(*list(model)[:-1])(x)

    model.forward = forward
    reading = capture.read(model, torch.randn(8, 16))

    assert [p.name for p in reading.parameters if not p.used] == [
        "extra.weight", "extra.bias",
    ]  # fmt: skip


def test_a_relu6_is_no_hard_tanh():
    """PyTorch's module is a hard tanh that is cut off at 0."""
    model = nn.Sequential(nn.Linear(16, 8), nn.ReLU6(), nn.Linear(8, 2))

    (first, _) = capture.read(model, torch.randn(8, 16)).uses

    assert first.activation == "relu6"


def test_a_mask_made_like_its_input_is_no_signal():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(16)
            self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(2))

        def forward(self, x):
            x = self.norm(x)
            mask = torch.zeros_like(x)
            mask[:, 1:] = -1.0
            return self.layers[1](self.layers[0](x) + mask)

    (_, second) = capture.read(Masked(), torch.randn(8, 16)).uses

    assert (second.norm_before, second.plain) == (False, (0,))


def test_what_is_written_into_a_tensor_is_followed():
    class Fills(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            states = torch.zeros(len(x), 3, 8)
            for place in range(3):
                states[:, place] = self.first(x[:, place])
            return self.last(states)

    (first, last) = capture.read(Fills(), torch.randn(5, 3, 4)).uses

    assert last.previous == (first.index,)
    assert not first.head


def test_constants_that_a_module_is_given_a_signal_for_are_none():
    class Positions(nn.Module):
        def forward(self, x):
            with torch.no_grad():
                return torch.arange(x.shape[1]).float().cos().to(x.dtype)

    class Rotates(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)
            self.positions = Positions()
            self.last = nn.Linear(4, 2)

        def forward(self, x):
            own = self.norm(self.first(x))
            return self.last(x * self.positions(own))

    (_, last) = capture.read(Rotates(), torch.randn(5, 4)).uses

    assert (last.previous, last.norm_before) == ((), False)


def test_a_standardized_weight_is_no_normalization():
    class Standardized(nn.Conv2d):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.gain = nn.Parameter(torch.zeros(len(self.weight)))

        def forward(self, x):
            weight = nn.functional.batch_norm(
                self.weight.reshape(1, len(self.weight), -1), None, None,
                weight=self.gain, training=True,
            ).reshape_as(self.weight)  # fmt: skip
            return nn.functional.conv2d(x, weight, self.bias)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = Standardized(4, 4, 1)

        def forward(self, x):
            return x + self.conv(nn.functional.relu(x))

    model = nn.Sequential(nn.Conv2d(3, 4, 1), Block(), nn.Conv2d(4, 2, 1))

    reading = capture.read(model, torch.randn(4, 3, 6, 6))

    assert reading.norms == ()
    assert [use.zero for use in reading.uses] == [False, True, False]


@pytest.mark.parametrize("low", [-100.0, -1e9, float("-inf")])
def test_masked_logits_are_none(low):
    class Masks(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))

        def forward(self, x):
            logits = self.query(x) @ self.key(x).transpose(1, 2) / 4
            mask = torch.zeros(12, 12).masked_fill(torch.ones(12, 12).triu(1) > 0, low)
            return (logits + mask).softmax(-1) @ self.value(x)

    (found,) = capture.read(Masks(), torch.randn(4, 12, 16)).attentions

    assert found.logit_std < 1
    assert found.length < 12
    assert found.entropy > 0.9


def test_logits_with_a_mask_are_no_residual_block():
    """Of a second attention, which is given what the first made of the mask."""

    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.ask, self.tell = nn.Linear(16, 16), nn.Linear(16, 16)

        def forward(self, x, mask):
            for _ in range(2):
                logits = self.ask(x) @ x.mT / 4 + (1 - mask) * -1e4
                x = x + self.tell(logits.softmax(-1) @ x)
            return x

    mask = torch.ones(2, 1, 12)
    mask[..., 8:] = 0
    blocks = capture.read(Attends(), (torch.randn(2, 12, 16), mask)).blocks

    assert [round(block.sum_rms) for block in blocks] == [1, 1]


@pytest.mark.parametrize("stem", [False, True])
def test_a_projection_of_the_inputs_is_a_skip_only_behind_another_layer(stem):
    """A linear model of the inputs to which a network's is added is no residual one."""

    class Adds(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Linear(8, 8) if stem else nn.Identity()
            self.wide, self.deep = nn.Linear(8, 5), plain(3, inputs=8)

        def forward(self, x):
            x = self.stem(x)
            return self.wide(x) + self.deep(x)

    reading = capture.read(Adds(), torch.randn(16, 8))

    assert len(reading.blocks) == stem


class Loop(nn.Module):
    """A residual block that is run again and again."""

    def __init__(self, rounds):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.head = nn.Linear(8, 8), nn.Linear(8, 2)
        self.rounds = rounds

    def forward(self, x):
        for _ in range(self.rounds):
            x = x + torch.tanh(self.inner(x))
        return self.head(x)


def test_of_a_loop_32_rounds_are_looked_at():
    """Beyond, time would grow with the square of the rounds."""
    few, many = (capture.read(Loop(n), torch.randn(4, 8)) for n in (10, 100))

    assert len(few.blocks) == 10
    assert len(many.blocks) == 32
    assert many.uses[0].calls == 100
    assert many.uses[1].head
    assert many.uses[1].previous == (0,)


def test_of_a_loop_the_gradients_of_all_rounds_are_summed(monkeypatch):
    """From a quarter of them, as if of each."""
    x = torch.randn(4, 8)
    some = capture.read(Loop(100), x).measures["delta_rms"][0]
    monkeypatch.setattr(_enter, "_ONE_IN", 1)
    every = capture.read(Loop(100), x).measures["delta_rms"][0]

    assert some == pytest.approx(every, rel=0.05)
    assert some != every


@pytest.mark.parametrize("way", ["parts", "own", "by hand"])
def test_layers_of_one_module_are_no_rounds_of_a_loop(way):
    """Though each is called as the one before it, without a module of its own."""

    class Chain(nn.Module):
        def __init__(self):
            super().__init__()
            weights = torch.randn(80, 8, 8) / 3
            self.whole = nn.Parameter(weights) if way == "parts" else None
            self.own = nn.ParameterList([] if way == "parts" else list(weights))

        def forward(self, x):
            for weight in self.own if self.whole is None else self.whole:
                x = 0.5 * (
                    x @ weight.T
                    if way == "by hand"
                    else nn.functional.linear(x, weight)
                )
            return x

    reading = capture.read(Chain(), torch.randn(4, 8))

    assert [use.calls for use in reading.uses] == [1] * 80
    assert reading.uses[79].previous == (78,)


def test_experts_in_a_loop_are_looked_at_each():
    """All are given the same inputs, and are parts of one parameter."""

    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.experts = nn.Parameter(torch.randn(80, 8, 8))

        def forward(self, x):
            return sum(torch.relu(x @ self.experts[n]) for n in range(80))

    reading = capture.read(Experts(), torch.randn(4, 8))

    assert len(reading.uses) == 80
    assert all(use.activation == "relu" for use in reading.uses)
