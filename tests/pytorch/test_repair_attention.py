"""Sharp softmaxes are mended where they are made: in queries, keys, or both."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

WORDS, WIDTH, HEADS = 50, 32, 4


class Attention(nn.Module):
    """One block of attention whose queries and keys `project` makes."""

    def __init__(self, **layers):
        super().__init__()
        self.table, self.norm = nn.Embedding(WORDS, WIDTH), nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleDict(layers)
        self.out, self.last = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 5)

    def project(self, x):
        return [self.layers[name](x) for name in ("query", "key", "value")]

    def forward(self, tokens):
        x = self.table(tokens)
        sides = [
            side.unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for side in self.project(self.norm(x))
        ]
        mixed = functional.scaled_dot_product_attention(*sides)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return self.head(self.last(x).mean(1))


class Packed(Attention):
    def project(self, x):
        return self.layers["packed"](x).chunk(3, -1)


class PackedPairs(Attention):
    def project(self, x):
        return [self.layers["query"](x), *self.layers["packed"](x).chunk(2, -1)]


class Shared(Attention):
    """Queries are keys."""

    def project(self, x):
        both = self.layers["query"](x)
        return [both, both, self.layers["value"](x)]


def layer(times=1, into=1, loud=(0, 1)):
    made = nn.Linear(WIDTH, into * WIDTH)
    with torch.no_grad():
        for part, rows in enumerate(made.weight.chunk(into)):
            rows.mul_(times if part in loud else 1)
    return made


def repaired(model):
    tokens, labels = torch.randint(WORDS, (16, 24)), torch.randint(5, (16,))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    repair = pytorch.repair_(model, tokens, targets=labels)
    assert {one.id for one in repair.before.of("warning", "error")} == {"WI23"}
    assert not repair.after.of("warning", "error")
    return {
        one.parameter.removeprefix("layers."): (
            one.amount,
            (model.get_parameter(one.parameter).detach() / before[one.parameter]),
        )
        for one in repair.changes
    }


def test_where_both_sides_are_loud_both_become_quieter():
    changes = repaired(Attention(query=layer(6), key=layer(6), value=layer()))
    assert set(changes) == {"query.weight", "key.weight"}
    (first, _), (second, _) = changes.values()
    assert first == second


@pytest.mark.parametrize("side", ["query", "key"])
def test_where_one_side_is_loud_the_other_stays(side):
    layers = {"query": layer(), "key": layer(), "value": layer()}
    changes = repaired(Attention(**(layers | {side: layer(30)})))
    assert set(changes) == {f"{side}.weight"}


def test_of_packed_weights_values_stay():
    ((amount, ratio),) = repaired(Packed(packed=layer(6, into=3))).values()
    assert amount.startswith("queries and keys x 0.")
    queries, keys, values = ratio.chunk(3)
    assert bool((values == 1).all())
    torch.testing.assert_close(queries, keys)
    assert float(amount.split()[-1]) == pytest.approx(float(keys.mean()), rel=1e-2)


@pytest.mark.parametrize("part", [0, 1])
def test_of_packed_weights_one_loud_part_is_rescaled_alone(part):
    ((amount, ratio),) = repaired(
        Packed(packed=layer(30, into=3, loud=[part]))
    ).values()
    assert amount.startswith(("queries x 0.", "keys x 0.")[part])
    rest = [rows for n, rows in enumerate(ratio.chunk(3)) if n != part]
    assert all(bool((rows == 1).all()) for rows in rest)


def test_beside_queries_of_their_own_keys_are_packed_first():
    model = PackedPairs(query=layer(), packed=layer(30, into=2, loud=[0]))
    ((amount, ratio),) = repaired(model).values()
    keys, values = ratio.chunk(2)
    assert amount.startswith("keys x 0.")
    assert bool((values == 1).all())
    assert bool((keys < 0.5).all())


def test_one_layer_that_makes_both_sides_is_rescaled_by_the_root():
    ((_, shared),) = repaired(Shared(query=layer(6), value=layer())).values()
    apart = repaired(Attention(query=layer(6), key=layer(6), value=layer()))
    assert float(shared.mean()) == pytest.approx(
        float(apart["key.weight"][1].mean()), rel=0.3
    )


def test_frozen_sides_are_left():
    model = Attention(query=layer(6), key=layer(6), value=layer())
    for name in ("query", "key"):
        model.layers[name].requires_grad_(False)
    repair = pytorch.repair_(model, torch.randint(WORDS, (16, 24)))
    assert repair.changes == ()
