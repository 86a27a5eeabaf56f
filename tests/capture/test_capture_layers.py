"""Layers as they run: true geometry, whoever calls them and however they are stored."""

import pytest
import torch
from networks import GPT, ResNet, plain
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from initlab import capture, catalog
from initlab.spec import LayerSpec


def conv(shape, **more):
    return LayerSpec(kind="conv", shape=shape, **more)


LAYERS = [
    (nn.Linear(6, 4), (3, 6), LayerSpec(shape=(4, 6))),
    (
        nn.Conv1d(4, 6, 3, 2, groups=2),
        (3, 4, 9),
        conv((6, 2, 3), stride=(2,), dilation=(1,), groups=2),
    ),
    (
        nn.Conv2d(4, 6, (3, 1), dilation=2),
        (3, 4, 9, 9),
        conv((6, 4, 3, 1), stride=(1, 1), dilation=(2, 2)),
    ),
    (
        nn.Conv3d(2, 3, 2),
        (3, 2, 4, 4, 4),
        conv((3, 2, 2, 2, 2), stride=(1,) * 3, dilation=(1,) * 3),
    ),
    (
        nn.ConvTranspose2d(8, 4, 4, 2, groups=2),
        (3, 8, 5, 5),
        conv(
            (8, 2, 4, 4), stride=(2, 2), dilation=(1, 1), groups=2, transposed=True
        ),
    ),
    (nn.LazyLinear(4), (3, 6), LayerSpec(shape=(4, 6))),
    (
        parametrizations.weight_norm(nn.Linear(6, 4)),
        (3, 6),
        LayerSpec(shape=(4, 6)),
    ),
    (
        parametrizations.orthogonal(nn.Linear(6, 4)),
        (3, 6),
        LayerSpec(shape=(4, 6)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "expected"), LAYERS)
def test_a_layer_has_its_true_geometry(layer, shape, expected):
    (use,) = capture.read(layer, torch.randn(shape)).uses

    assert use.layer == expected
    assert use.head
    assert use.stem


def test_an_embedding_is_one_whatever_it_looks_up():
    (use,) = capture.read(nn.Embedding(9, 4), torch.randint(0, 9, (3, 5))).uses

    assert use.layer == LayerSpec(kind="embedding", shape=(9, 4))


class Functional(nn.Module):
    """Parameters that no layer owns, used in another order than registered."""

    def __init__(self):
        super().__init__()
        self.last = nn.Parameter(torch.randn(4, 7))
        self.first = nn.Parameter(torch.randn(6, 8))
        self.middle = nn.Parameter(torch.randn(8, 4))
        self.heads = nn.Parameter(torch.randn(4, 2, 2))

    def forward(self, x):
        x = torch.tanh(x @ self.first)
        x = functional.relu(functional.linear(x, self.middle.T))
        x = torch.einsum("ei,ihd->ehd", x, self.heads).flatten(1)
        return torch.addmm(torch.zeros(7), x, self.last)


def test_functional_layers_are_found_in_order_of_execution():
    uses = capture.read(Functional(), torch.randn(3, 6)).uses

    assert [use.parameter for use in uses] == ["first", "middle", "heads", "last"]
    assert [use.layer.shape for use in uses] == [(8, 6), (4, 8), (4, 4), (7, 4)]
    assert [use.activation for use in uses] == ["tanh", "relu", "identity", "identity"]
    assert [use.source for use in uses] == ["identity", "tanh", "relu", "identity"]
    assert [use.plain for use in uses] == [(), (0,), (1,), (2,)]


@pytest.mark.parametrize(("make", "parts"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_recurrent_layers_have_gates(make, parts):
    model = make(5, 8, num_layers=2, batch_first=True, dropout=0.5)

    uses = capture.read(model, torch.randn(3, 6, 5)).uses

    assert [use.layer.packed for use in uses] == [parts] * 4
    assert [use.role for use in uses] == ["input", "recurrent"] * 2
    shapes = [(parts * 8, 5), *[(parts * 8, 8)] * 3]
    assert [use.layer.shape for use in uses] == shapes


@pytest.mark.parametrize("self_attention", [True, False])
def test_multi_head_attention_is_cut_into_what_it_is(self_attention):
    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

        def forward(self, x, y):
            y = x if self_attention else y
            return self.attention(x, y, y, need_weights=not self_attention)[0]

    reading = capture.read(Attends(), (torch.randn(3, 5, 16), torch.randn(3, 7, 16)))

    assert [use.layer.packed for use in reading.uses][:2] == (
        [3, 1] if self_attention else [1, 2]
    )
    assert reading.uses[-1].parameter == "attention.out_proj.weight"
    (attention,) = reading.attentions
    assert attention.width == 4
    assert attention.length == (5 if self_attention else 7)


def test_attention_logits_are_recomputed_from_queries_and_keys():
    reading = capture.read(GPT(), torch.randint(0, 61, (4, 16)))

    attention = reading.attentions[0]

    assert attention.length == pytest.approx(9, abs=0.1)  # of 2 to 16 keys
    assert 0 < attention.logit_std < 0.1
    assert attention.entropy > 0.99


def test_wrapped_compiled_and_checkpointed_models_read_the_same():
    from torch.utils.checkpoint import checkpoint

    class Checkpointed(nn.Module):
        def __init__(self, body, reentrant):
            super().__init__()
            self.body, self.reentrant = body, reentrant

        def forward(self, x):
            return checkpoint(self.body, x, use_reentrant=self.reentrant)

    body, batch = plain(), torch.randn(8, 16)
    expected = capture.read(body, batch)

    for model in (
        torch.compile(body, backend="eager"), nn.DataParallel(body),
        Checkpointed(body, True), Checkpointed(body, False),
    ):  # fmt: skip
        reading = capture.read(model, batch)

        assert len(reading.uses) == len(expected.uses)
        for name in ("preactivation_rms", "delta_rms", "chi", "gradient_norm"):
            assert reading.measures[name] == pytest.approx(
                expected.measures[name], nan_ok=True
            )


def test_a_compiled_method_runs_as_it_is_written():
    compiled = []

    def backend(graph, _):
        compiled.append(graph)
        return graph.forward

    class Compiled(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = plain()

        @torch.compile(backend=backend)
        def forward(self, x):
            return self.body(x)

    model, batch = Compiled(), torch.randn(8, 16)

    reading = capture.read(model, batch)

    assert len(reading.uses) == 6
    assert not compiled
    model(batch)
    assert compiled  # as before


def test_in_place_activations_overwrite_nothing_that_is_measured():
    fresh, inplace = plain(), plain(activation=lambda: nn.ReLU(inplace=True))
    inplace.load_state_dict(fresh.state_dict())
    batch = torch.randn(8, 16)

    first, second = (capture.read(m, batch).measures for m in (fresh, inplace))

    for name in first:
        assert second[name] == pytest.approx(first[name], nan_ok=True), name


def test_fans_of_a_reading_are_the_catalogs():
    reading = capture.read(ResNet(), torch.randn(8, 3, 8, 8))

    fans = [catalog.fans(use.layer) for use in reading.uses[:2]]

    assert fans == [(27, 72), (72, 72)]


def test_reuse_and_ties_are_one_parameter():
    class Reuses(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            for _ in range(3):
                x = torch.relu(self.layer(x))
            return functional.linear(x, self.layer.weight.T)

    uses = capture.read(Reuses(), torch.randn(5, 4)).uses

    assert uses[0].calls == 3
    assert capture.read(GPT(), torch.randint(0, 61, (2, 4))).uses[-1].tied == (
        "tokens",
    )
