"""Tables of embeddings as parameters, of whose rows the inputs choose some."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import capture, pytorch
from initlab.spec import LayerSpec

WORDS, WIDTH, LENGTH = 20, 16, 3
IDS = torch.randint(0, WORDS, (32, LENGTH), generator=torch.Generator().manual_seed(2))
LABELS = torch.arange(32) % 3


def one_by_one(ids):
    return ids.flatten()[:, None]


LOOKS_UP = {
    "brackets": lambda table, ids: table[ids],
    "brackets with all columns": lambda table, ids: table[ids, :],
    "index_select": lambda table, ids: table.index_select(0, ids.flatten()),
    "torch.index_select": lambda table, ids: torch.index_select(
        input=table, dim=0, index=ids.flatten()
    ),
    "gather": lambda table, ids: table.gather(0, one_by_one(ids).expand(-1, WIDTH)),
    "gather of each example": lambda table, ids: table.expand(len(ids), -1, -1).gather(
        1, ids[..., None].expand(-1, -1, WIDTH)
    ),
    "take_along_dim": lambda table, ids: torch.take_along_dim(
        table, one_by_one(ids), dim=0
    ),
    "functional.embedding": lambda table, ids: functional.embedding(ids, table),
    "embedding_bag": lambda table, ids: functional.embedding_bag(
        one_by_one(ids), table, mode="sum", per_sample_weights=None
    ),
    "one-hot rows": lambda table, ids: functional.one_hot(ids, WORDS).float() @ table,
    "einsum of one-hot rows": lambda table, ids: torch.einsum(
        "blv,vd->bld", functional.one_hot(ids, WORDS).float(), table
    ),
}


class Reader(nn.Module):
    """A table, read in some way, in front of two layers."""

    def __init__(self, how, std=1.0):
        super().__init__()
        self.how = how
        drawn = torch.randn(WORDS, WIDTH, generator=torch.Generator().manual_seed(0))
        self.table = nn.Parameter(std * drawn)
        self.layers = nn.Sequential(
            nn.Linear(LENGTH * WIDTH, 32), nn.ReLU(), nn.Linear(32, 3)
        )

    def forward(self, ids):
        rows = LOOKS_UP[self.how](self.table, ids)
        return self.layers(rows.reshape(len(ids), -1))


def blamed(model, batch=IDS):
    found = pytorch.check(model, batch, targets=LABELS).of("warning", "error")
    return [(one.id, one.parameter) for one in found]


@pytest.mark.parametrize("how", sorted(LOOKS_UP))
def test_a_table_is_an_embedding_however_it_is_read(how):
    use = capture.read(Reader(how), IDS).uses[0]

    assert (use.parameter, use.stem) == ("table", True)
    assert use.layer == LayerSpec(kind="embedding", shape=(WORDS, WIDTH))
    assert blamed(Reader(how)) == []


@pytest.mark.parametrize("how", sorted(LOOKS_UP))
@pytest.mark.parametrize(("std", "check"), [(100, "WI05"), (1e-6, "WI05"), (0, "WI03")])
def test_a_faulty_table_is_named_and_repaired(how, std, check):
    model = Reader(how, std)
    torch.manual_seed(0)

    assert blamed(model) == [(check, "table")]
    assert not pytorch.repair_(model, IDS, targets=LABELS).unrepaired
    assert blamed(model) == []


@pytest.mark.parametrize("how", sorted(LOOKS_UP))
def test_a_table_is_drawn_as_one(how):
    model, layer = Reader(how), nn.Sequential(nn.Embedding(WORDS, WIDTH))

    pytorch.initialize_(model, "lecun_normal", batch=IDS)
    pytorch.initialize_(layer, "lecun_normal", batch=IDS)

    # One law, and another stream, as it has another name: five standard errors.
    near = pytest.approx(layer[0].weight.std().item(), rel=5 / (WORDS * WIDTH) ** 0.5)
    assert model.table.std().item() == near


class NoTable(nn.Module):
    """Parameters of which something else than the inputs chooses rows."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.words = nn.Embedding(WORDS, WIDTH)
        self.rows = nn.Parameter(1e-6 * torch.randn(WORDS, WIDTH))
        self.experts = nn.Parameter(torch.randn(4, WIDTH, WIDTH) / WIDTH**0.5)
        self.route = nn.Linear(WIDTH, WORDS)
        self.register_buffer("places", torch.arange(LENGTH))
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, ids):
        x = self.words(ids)
        chosen = self.route(x).argmax(-1)
        x = (
            x
            + {
                "a slice": lambda: self.rows[: ids.shape[1]],
                "a buffer": lambda: self.rows[self.places],
                "a number": lambda: self.rows[0],
                "what the model computes": lambda: self.rows[chosen],
                "a mask": lambda: self.rows[self.places.new_ones(WORDS) > 0].mean(0),
                "codes": lambda: self.rows[torch.cdist(x, self.rows).argmin(-1)],
                "experts": lambda: torch.einsum(
                    "bld,blde->ble", x, self.experts[ids % len(self.experts)]
                ),
            }[self.how]()
        )
        return self.head(x).mean(1)


@pytest.mark.parametrize(
    "how",
    [
        *("a slice", "a buffer", "a number", "a mask", "codes", "experts"),
        "what the model computes",
    ],
)
def test_rows_that_no_input_chooses_are_no_embedding(how):
    uses = capture.read(NoTable(how), IDS, step=False).uses

    tables = [use.parameter for use in uses if use.layer.kind == "embedding"]
    assert tables == ["words.weight"]
