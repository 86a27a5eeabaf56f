"""Parts that are too loud or lost: factors of queries, betas, tables, heads, cells."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

TOKENS = torch.randint(40, (16, 12), generator=torch.Generator().manual_seed(1))
STEPS = torch.randn(32, 12, 3, generator=torch.Generator().manual_seed(2))
VECTORS = torch.randn(64, 6, generator=torch.Generator().manual_seed(3))
CLASSES = torch.arange(64) % 3


def of_tokens(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


def found(model, batch, targets, loss=functional.cross_entropy):
    return pytorch.check(model, batch, loss=loss, targets=targets).of(
        "warning", "error"
    )


def blamed(model, batch, targets, loss=functional.cross_entropy):
    return [(one.id, one.parameter) for one in found(model, batch, targets, loss)]


class Block(nn.Module):
    """Attention whose queries and keys are normalized, and two layers."""

    def __init__(self, width=48, heads=3):
        super().__init__()
        self.heads = heads
        self.norm, self.second = nn.RMSNorm(width, 1e-6), nn.RMSNorm(width, 1e-6)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.of_query = nn.RMSNorm(width // heads)
        self.of_key = nn.RMSNorm(width // heads)
        self.out = nn.Linear(width, width, bias=False)
        self.wide = nn.Linear(width, 2 * width)
        self.back = nn.Linear(2 * width, width)

    def forward(self, x):
        cut = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = cut.permute(2, 0, 3, 1, 4)
        made = functional.scaled_dot_product_attention(
            self.of_query(query), self.of_key(key), value
        )
        x = x + self.out(made.transpose(1, 2).flatten(2))
        return x + self.back(functional.gelu(self.wide(self.second(x))))


def language(table=0.02, factor=1.0, beta=0.0):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Embedding(40, 48), Block(), Block(), nn.LayerNorm(48), nn.Linear(48, 40)
    )
    nn.init.normal_(model[0].weight, std=table)
    nn.init.constant_(model[3].bias, beta)
    for block in model[1:3]:
        nn.init.constant_(block.of_query.weight, factor)
        nn.init.constant_(block.of_key.weight, factor)
    return model


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({}, []),
        ({"factor": 3.0}, [("WI23", "1.of_query.weight")]),
        ({"factor": 8.0}, [("WI23", "1.of_query.weight")]),
        ({"beta": 0.5}, []),
        ({"beta": 5.0}, [("WI07", "3.bias")]),
        ({"table": 1e-2}, []),
        ({"table": 1e-5}, [("WI05", "0.weight")]),
        ({"table": 1e-6}, [("WI05", "0.weight")]),
    ],
)
def test_what_makes_a_language_model_loud_or_deaf_is_named(faults, expected):
    found = blamed(language(**faults), TOKENS, TOKENS, of_tokens)

    # Which of several attentions is the sharpest is a matter of the seed.
    assert [(check, name.replace("2.of", "1.of")) for check, name in found] == expected


def test_the_fix_of_sharp_attention_is_one_of_its_factors():
    model = language(factor=5.0)
    (sharp,) = found(model, TOKENS, TOKENS, of_tokens)

    exec(sharp.fix, {"torch": torch, "model": model, "finding": sharp})

    assert blamed(model, TOKENS, TOKENS, of_tokens) == []


def test_loud_factors_where_tokens_are_alike_are_named_beside_the_sharp_ones():
    model = language(factor=2.5)
    # Behind it, tokens differ so little that logits of the second block do as well.
    nn.init.constant_(model[1].back.bias, 1.0)

    (sharp,) = found(model, TOKENS, TOKENS, of_tokens)

    assert sharp.evidence["attentions"] == 1
    assert set(sharp.places) == {
        f"{block}.of_{of}.weight" for block in (1, 2) for of in ("query", "key")
    }


class Regression(nn.Module):
    """A network of ReLUs with one output."""

    def __init__(self, head=1.0, bias=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(),
            nn.Linear(48, 48), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(48, 1)
        for layer in (*self.layers[::2], self.head):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.layers[2].bias, bias)
        with torch.no_grad():
            self.head.weight.abs_().mul_(head / 10)

    def forward(self, x):
        return self.head(self.layers(x))


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({}, []),
        ({"head": 90.0}, ["head.weight"]),
        ({"bias": 9.0}, ["layers.2.bias"]),
    ],
)
@pytest.mark.parametrize("loss", [functional.mse_loss, functional.l1_loss])
def test_of_outputs_far_over_their_targets_what_makes_them_is_blamed(
    faults, expected, loss
):
    targets, model = VECTORS[:, :1] * 0.5, Regression(**faults)

    blamed_names = [name for _, name in blamed(model, VECTORS, targets, loss)]

    assert blamed_names == expected


def test_an_output_bias_far_from_the_targets_is_still_blamed_itself():
    model = Regression()
    nn.init.constant_(model.head.bias, 20.0)

    assert blamed(model, VECTORS, VECTORS[:, :1] * 0.5, functional.mse_loss) == [
        ("WI15", "head.bias")
    ]


@pytest.mark.parametrize(
    "norm", [nn.Identity, lambda: nn.RMSNorm(48), lambda: nn.BatchNorm1d(48)]
)
def test_a_first_layer_of_equal_rows_and_its_own_biases_is_of_rank_one(norm):
    def made():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Linear(6, 48), norm(), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(),
            nn.Linear(48, 3),
        )  # fmt: skip

    model = made()
    with torch.no_grad():
        model[0].weight.copy_(model[0].weight[:1].expand(48, 6))

    assert blamed(made(), VECTORS, CLASSES) == []
    assert blamed(model, VECTORS, CLASSES) == [("WI02", "0.weight")]


class Factors(nn.Module):
    """A factorization machine."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.table = nn.Embedding(60, 1), nn.Embedding(60, 6)
        nn.init.zeros_(self.linear.weight)
        nn.init.normal_(self.table.weight, std=0.05)

    def forward(self, fields):
        rows = self.table(fields)
        products = rows.sum(1) ** 2 - (rows**2).sum(1)
        return self.linear(fields).sum((1, 2)) + products.sum(1) / 2


def test_a_table_of_equal_columns_whose_products_are_summed_has_one_factor():
    fields = torch.randint(20, (256, 3)) + torch.arange(3) * 20
    targets = (fields.sum(1) % 3 == 0).float()
    loss, model = functional.binary_cross_entropy_with_logits, Factors()
    with torch.no_grad():
        model.table.weight.copy_(model.table.weight[:, :1].expand(60, 6))

    assert blamed(Factors(), fields, targets, loss) == []
    assert blamed(model, fields, targets, loss) == [("WI02", "table.weight")]


class Cell(nn.Module):
    """A GRU, of which the last state is read."""

    def __init__(self, quieter=1.0):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.GRU(3, 32, batch_first=True)
        self.head = nn.Linear(32, 1)
        with torch.no_grad():
            self.cell.weight_ih_l0.mul_(quieter)

    def forward(self, steps):
        return self.head(self.cell(steps)[1][-1])


@pytest.mark.parametrize("quieter", [1e-2, 1e-4])
def test_a_cell_that_does_not_hear_its_inputs_is_found(quieter):
    targets, loss = STEPS[:, -1, :1], functional.mse_loss

    assert blamed(Cell(), STEPS, targets, loss) == []
    assert blamed(Cell(0.3), STEPS, targets, loss) == []
    assert blamed(Cell(quieter), STEPS, targets, loss) == [
        ("WI05", "cell.weight_ih_l0")
    ]


class Tagger(nn.Module):
    """Logits of each step, and a matrix that the loss adds from step to step."""

    def __init__(self, std=0.1, classes=4):
        super().__init__()
        torch.manual_seed(0)
        self.cell = nn.LSTM(3, 24, batch_first=True)
        self.head = nn.Linear(24, classes)
        self.moves = nn.Parameter(torch.randn(classes, classes) * std)

    def forward(self, steps):
        return self.head(self.cell(steps)[0]), self.moves


def of_a_chain(outputs, tags):
    logits, moves = outputs
    every = logits[:, 0]
    for step in range(1, logits.shape[1]):
        every = torch.logsumexp(every[:, :, None] + moves, 1) + logits[:, step]
    own = logits.gather(2, tags[..., None])[..., 0].sum(1)
    own = own + moves[tags[:, :-1], tags[:, 1:]].sum(1)
    return (every.logsumexp(1) - own).mean() / tags.shape[1]


@pytest.mark.parametrize(("std", "expected"), [
    (0.1, []), (1.0, []), (8.0, [("WI14", "moves")]), (40.0, [("WI14", "moves")]),
])  # fmt: skip
def test_transitions_that_make_most_of_a_first_loss_are_blamed(std, expected):
    tags = torch.randint(4, (32, 12), generator=torch.Generator().manual_seed(5))

    assert blamed(Tagger(std), STEPS, tags, of_a_chain) == expected


class Neighbours(nn.Module):
    """A layer before sums over neighbours, which are given as numbers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(6, 32, bias=False), nn.Linear(32, 32)
        self.head = nn.Linear(32, 3)

    def forward(self, x, neighbours):
        x = functional.elu(self.first(x)[neighbours])
        return self.head(functional.elu(self.second(x)[neighbours]))


def test_a_first_layer_of_zeros_is_found_where_later_ones_are_given_numbers_of_rows():
    batch, model = (VECTORS, torch.arange(64).flip(0)), Neighbours()
    nn.init.zeros_(model.first.weight)

    assert blamed(Neighbours(), batch, CLASSES) == []
    assert ("WI03", "first.weight") in blamed(model, batch, CLASSES)
