"""Faults of parameters that no layer weighs, and of what several of them make."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

GENERATOR = torch.Generator().manual_seed(9)


def drawn(*shape):
    return torch.randn(*shape, generator=GENERATOR)


PROTOTYPES = drawn(10, 20)
LABELS = torch.randint(0, 10, (64,), generator=GENERATOR)
VECTORS = PROTOTYPES[LABELS] + 0.7 * drawn(64, 20)
FIELDS = torch.randint(0, 30, (128, 5), generator=GENERATOR) + 30 * torch.arange(5)
DENSE = drawn(128, 4)
CLICKS = (DENSE[:, 0] > 0).float()
TOKENS = torch.randint(0, 50, (32, 24), generator=GENERATOR)
LATENT = drawn(64, 6)
VIEWS = (LATENT @ drawn(6, 20), LATENT @ drawn(6, 30))
STATES = drawn(64, 12)
ACTIONS = torch.sin(2 * STATES[:, :1])


def found(model, batch, loss, targets):
    report = pytorch.check(model, batch, loss=loss, targets=targets, seed=0)
    return {
        (one.id, one.parameter) for one in report.findings if one.severity != "info"
    }


class FactorizationMachine(nn.Module):
    def __init__(self, of_fields=0.1, of_terms=0.01):
        super().__init__()
        self.fields, self.terms = nn.Embedding(150, 8), nn.Embedding(150, 1)
        self.deep = nn.Sequential(nn.Linear(44, 64), nn.ReLU(), nn.Linear(64, 1))
        nn.init.normal_(self.fields.weight, std=of_fields)
        nn.init.normal_(self.terms.weight, std=of_terms)

    def forward(self, fields, dense):
        e = self.fields(fields)
        pairs = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
        deep = self.deep(torch.cat([e.flatten(1), dense], 1))
        return self.terms(fields).sum(1) + pairs + deep


def own_cross_entropy(outputs, targets):
    logits = outputs.reshape(targets.shape)
    return functional.binary_cross_entropy_with_logits(logits, targets.float())


@pytest.mark.parametrize("targets", [CLICKS, CLICKS.long()])
@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({}, set()),
        ({"of_fields": 2.0}, {("WI14", "fields.weight")}),
        ({"of_terms": 9.0}, {("WI14", "terms.weight")}),
    ],
)
def test_two_classes_are_known_by_what_a_loss_does(sizes, expected, targets):
    torch.manual_seed(0)
    model = FactorizationMachine(**sizes)

    named = found(model, (FIELDS, DENSE), own_cross_entropy, targets)

    assert named == expected


class ManyTables(FactorizationMachine):
    """A table for each field, none of which makes half of the outputs alone."""

    def __init__(self, of_fields, tables=5):
        super().__init__()
        self.fields = nn.ModuleList(nn.Embedding(30, 8) for _ in range(tables))
        self.deep[0] = nn.Linear(4 + 8 * tables, 64)
        for table in self.fields:
            nn.init.normal_(table.weight, std=of_fields)

    def forward(self, fields, dense):
        columns = (fields - 30 * torch.arange(5)).unbind(1)
        e = torch.stack([t(columns[n % 5]) for n, t in enumerate(self.fields)], 1)
        pairs = 0.5 * (e.sum(1) ** 2 - (e**2).sum(1)).sum(1, keepdim=True)
        deep = self.deep(torch.cat([e.flatten(1), dense], 1))
        return self.terms(fields).sum(1) + pairs + deep


@pytest.mark.parametrize("tables", [5, 15])
@pytest.mark.parametrize("of_fields", [0.1, 3.0])
def test_of_many_loud_tables_one_is_named_and_not_the_deep_part(of_fields, tables):
    torch.manual_seed(0)
    model = ManyTables(of_fields, tables)

    named = found(model, (FIELDS, DENSE), own_cross_entropy, CLICKS)

    loud = {name for check, name in named if check == "WI14"}
    assert len(loud) == (of_fields > 1)
    assert all(name.startswith("fields.") for name in loud)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({}, set()),
        ({"of_fields": 2.0}, {("WI13", "fields.weight")}),
        ({"of_terms": 9.0}, {("WI13", "terms.weight")}),
    ],
)
def test_what_fills_a_sigmoid_of_the_outputs_is_named(sizes, expected):
    class Sure(FactorizationMachine):
        def forward(self, fields, dense):
            return super().forward(fields, dense).sigmoid()[:, 0]

    torch.manual_seed(0)

    model = Sure(**sizes)
    named = found(model, (FIELDS, DENSE), nn.BCELoss(), CLICKS)
    pytorch.repair_(model, (FIELDS, DENSE), loss=nn.BCELoss(), targets=CLICKS)

    assert named == expected
    assert not found(model, (FIELDS, DENSE), nn.BCELoss(), CLICKS)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_table_that_fills_a_sigmoid_is_not_named(frozen):
    class Sure(FactorizationMachine):
        def forward(self, fields, dense):
            return super().forward(fields, dense).sigmoid()[:, 0]

    torch.manual_seed(0)
    model = Sure(of_fields=2.0)
    model.fields.requires_grad_(not frozen)

    named = found(model, (FIELDS, DENSE), nn.BCELoss(), CLICKS)

    assert (("WI13", "fields.weight") in named) == (not frozen)


class Factors(nn.Module):
    def __init__(self, std):
        super().__init__()
        self.user, self.item = nn.Embedding(40, 16), nn.Embedding(60, 16)
        self.of_user, self.of_item = nn.Embedding(40, 1), nn.Embedding(60, 1)
        for table in (self.user, self.item):
            nn.init.normal_(table.weight, std=std)
        for table in (self.of_user, self.of_item):
            nn.init.zeros_(table.weight)

    def forward(self, user, item):
        both = (self.user(user) * self.item(item)).sum(1)
        return both + self.of_user(user)[:, 0] + self.of_item(item)[:, 0]


@pytest.mark.parametrize("std", [0.2, 5.0])
def test_zeros_make_no_output_loud(std):
    torch.manual_seed(0)
    pairs = torch.randint(0, 40, (256,)), torch.randint(0, 60, (256,))

    named = found(Factors(std), pairs, nn.MSELoss(), 0.6 * torch.randn(256))

    assert named <= {("WI14", "user.weight"), ("WI14", "item.weight")}
    assert bool(named) == (std > 1)


class Policy(nn.Module):
    def __init__(self, log_std, like):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, 64), nn.Tanh(), nn.Linear(64, 1))
        self.log_std = nn.Parameter(torch.full((1,), log_std))
        self.like = like

    def forward(self, x):
        mean = self.net(x)
        return mean, self.log_std.expand_as(mean) if self.like else self.log_std.expand(
            len(mean), 1
        )


def likelihood(outputs, targets):
    mean, log_std = outputs
    return (0.5 * ((targets - mean) / log_std.exp()) ** 2 + log_std).mean()


@pytest.mark.parametrize("like", [True, False])
@pytest.mark.parametrize("log_std", [-2.0, -0.5, 0.0, 2.0, 8.0])
def test_an_output_that_is_a_parameter_is_no_heads(log_std, like):
    torch.manual_seed(0)

    named = found(Policy(log_std, like), STATES, likelihood, ACTIONS)

    assert named == ({("WI14", "log_std")} if log_std > 4 else set())


class Crosses(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.table = nn.Embedding(150, 8)
        nn.init.normal_(self.table.weight, std=0.1)
        self.weights = nn.ParameterList(torch.randn(44) / 44**0.5 for _ in range(2))
        self.biases = nn.ParameterList([torch.full((44,), bias), torch.zeros(44)])
        self.deep = nn.Sequential(nn.Linear(44, 16), nn.ReLU())
        self.out = nn.Linear(60, 1)

    def forward(self, fields, dense):
        first = x = torch.cat([self.table(fields).flatten(1), dense], 1)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = first * (x @ weight)[:, None] + bias + x
        return self.out(torch.cat([x, self.deep(first)], 1))


@pytest.mark.parametrize("bias", [0.0, 100.0])
def test_what_is_added_is_named_and_not_the_table_that_it_drowns(bias):
    torch.manual_seed(0)

    named = found(Crosses(bias), (FIELDS, DENSE), own_cross_entropy, CLICKS)

    assert named == ({("WI05", "biases.0")} if bias else set())


class Adapted(nn.Module):
    def __init__(self, base, std):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(4, base.in_features) / 7)
        self.up = nn.Parameter(std * torch.randn(base.out_features, 4))

    def forward(self, x):
        return self.base(x) + 2 * (x @ self.down.T @ self.up.T)


class Reader(nn.Module):
    def __init__(self, std):
        super().__init__()
        self.words = nn.Embedding(50, 48).requires_grad_(False)
        self.norm, self.qkv = nn.LayerNorm(48), Adapted(nn.Linear(48, 144), std)
        self.last, self.head = nn.LayerNorm(48), nn.Linear(48, 50)

    def forward(self, words):
        x = self.words(words)
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        weights = (q @ k.transpose(-1, -2) / 48**0.5).softmax(-1)
        return self.head(self.last(x + weights @ v))


def each_token(outputs, targets):
    return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten())


@pytest.mark.parametrize("std", [0.0, 1.5])
def test_what_is_frozen_is_not_what_makes_an_attention_sharp(std):
    torch.manual_seed(0)

    named = found(Reader(std), TOKENS, each_token, TOKENS.roll(-1, 1))

    assert named == ({("WI23", "qkv.up")} if std else set())


class Towers(nn.Module):
    def __init__(self, log_scale, early=False):
        super().__init__()
        self.early = early
        self.left, self.right = nn.Linear(20, 32), nn.Linear(30, 32)
        self.log_scale = nn.Parameter(torch.tensor(log_scale))

    def forward(self, left, right):
        of_left = functional.normalize(self.left(left), dim=-1)
        of_right = functional.normalize(self.right(right), dim=-1)
        if self.early:
            return self.log_scale.exp() * of_left @ of_right.T
        return of_left @ of_right.T * self.log_scale.exp()


@pytest.mark.parametrize(
    ("log_scale", "check"),
    [(-8.0, "WI13"), (-4.0, "WI13"), (0.0, None), (2.66, None), (4.6, None),
     (88.0, "WI01"), (100.0, "WI01")],
)  # fmt: skip
@pytest.mark.parametrize("early", [False, True])
def test_logarithms_of_scales_are_named(log_scale, check, early):
    torch.manual_seed(0)

    def contrast(outputs, _):
        return functional.cross_entropy(outputs, torch.arange(len(outputs)))

    named = found(Towers(log_scale, early), VIEWS, contrast, torch.arange(64))

    assert named == ({(check, "log_scale")} if check else set())


def test_outputs_of_a_regression_may_be_as_small_as_its_targets():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(20, 1)
            self.log_scale = nn.Parameter(torch.tensor(-9.0))

        def forward(self, x):
            return self.layer(x) * self.log_scale.exp()

    torch.manual_seed(0)
    targets = 1e-4 * VECTORS[:, :1]

    assert found(Scaled(), VECTORS, functional.mse_loss, targets) == set()


class Radial(nn.Module):
    """Units that fire near centres of their own."""

    def __init__(self, centres, log_gamma=-3.0, by_cdist=False):
        super().__init__()
        self.centres = nn.Parameter(centres)
        self.log_gamma = nn.Parameter(torch.full((64,), log_gamma))
        self.head = nn.Linear(64, 10)
        self.by_cdist = by_cdist

    def forward(self, x):
        if self.by_cdist:
            squares = torch.cdist(x, self.centres).square()
        else:
            squares = (x[:, None] - self.centres).square().sum(-1)
        return self.head(torch.exp(-self.log_gamma.exp() * squares))


@pytest.mark.parametrize("by_cdist", [True, False])
@pytest.mark.parametrize(
    ("centres", "log_gamma", "expected"),
    [
        (drawn(64, 20), -3.0, set()),
        (torch.zeros(64, 20), -3.0, {("WI02", "centres")}),
        (drawn(1, 20).repeat(64, 1), -3.0, {("WI02", "centres")}),
        (20 * drawn(64, 20), -3.0, {("WI03", "centres")}),
        (drawn(64, 20), 3.0, {("WI03", "log_gamma")}),
    ],
)
def test_units_that_fire_near_centres(centres, log_gamma, expected, by_cdist):
    torch.manual_seed(0)
    model = Radial(centres.clone(), log_gamma, by_cdist)

    named = found(model, VECTORS, nn.CrossEntropyLoss(), LABELS)

    assert named == expected


@pytest.mark.parametrize("of_signals", [True, False])
def test_lengths_of_parameters_alone_are_no_units(of_signals):
    """Rows that are alike make units alike, and nothing else that is made of them."""

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.codes = nn.Parameter(drawn(8, 1, 20).repeat(1, 64, 1))
            self.layer, self.head = nn.Linear(20, 64), nn.Linear(64, 10)

        def forward(self, x):
            if of_signals:
                made = (x[:, None] - self.codes[0]).norm(dim=-1)
            else:
                made = self.layer(x).relu() / self.codes.norm(dim=-1).mean()
            return self.head(made + 0.0 * self.layer(x) * self.codes.mean())

    torch.manual_seed(0)
    named = found(Scaled(), VECTORS, nn.CrossEntropyLoss(), LABELS)

    assert (("WI02", "codes") in named) == of_signals


class Generated(nn.Module):
    """Each unit's weights are made of a code of its own."""

    def __init__(self, codes):
        super().__init__()
        self.codes = nn.Parameter(codes)
        self.make, self.head = nn.Linear(8, 20), nn.Linear(64, 10)

    def forward(self, x):
        return self.head(functional.relu(x @ self.make(self.codes).T))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (drawn(64, 8), set()),
        (torch.ones(64, 8), {("WI02", "codes")}),
        (torch.zeros(64, 8), {("WI02", "codes")}),
    ],
)
def test_codes_that_weights_are_made_of(codes, expected):
    torch.manual_seed(0)

    named = found(Generated(codes.clone()), VECTORS, nn.CrossEntropyLoss(), LABELS)

    assert named == expected


class Quantized(nn.Module):
    def __init__(self, book):
        super().__init__()
        self.book = nn.Parameter(book)
        self.encode, self.decode = nn.Linear(20, 16), nn.Linear(16, 20)

    def forward(self, x):
        z = self.encode(x)
        nearest = (z[:, None] - self.book).square().sum(-1).argmin(1)
        q = self.book[nearest]
        apart = (q - z.detach()).square().mean() + (z - q.detach()).square().mean()
        return self.decode(z + (q - z).detach()), apart


@pytest.mark.parametrize(
    ("book", "expected"),
    [
        (drawn(32, 16) / 32, set()),
        (torch.full((32, 16), 0.1), {("WI02", "book")}),
        (drawn(1, 16).repeat(32, 1), {("WI02", "book")}),
    ],
)
def test_the_codes_of_a_quantizer(book, expected):
    torch.manual_seed(0)

    def loss(outputs, targets):
        return functional.mse_loss(outputs[0], targets) + outputs[1]

    assert found(Quantized(book.clone()), VECTORS, loss, VECTORS) == expected


class Prompted(nn.Module):
    """Queries, prompts and factors of zeros: each its own place, not its own unit."""

    def __init__(self):
        super().__init__()
        self.read, self.head = nn.Linear(20, 32), nn.Linear(6 * 32, 10)
        self.queries = nn.Parameter(torch.zeros(6, 32))
        self.factors = nn.Parameter(torch.zeros(6, 32))

    def forward(self, x):
        tokens = self.read(x)[:, None] + self.queries
        return self.head((tokens * (1 + self.factors)).flatten(1))


def test_queries_and_factors_of_zeros_are_designs():
    torch.manual_seed(0)

    assert found(Prompted(), VECTORS, nn.CrossEntropyLoss(), LABELS) == set()


class Counted(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.table, self.head = nn.Embedding(50, 16, sparse=True), nn.Linear(16, 1)
        if head is not None:
            nn.init.constant_(self.head.weight, head)

    def forward(self, words):
        return self.head(self.table(words)).mean(1)


@pytest.mark.parametrize("head", [None, 0.0])
@pytest.mark.parametrize("rate", [None, 0.01])
def test_tables_with_sparse_gradients_are_read(rate, head):
    torch.manual_seed(0)
    model = Counted(head)
    steps = None if rate is None else torch.optim.SGD(model.parameters(), lr=rate)

    report = pytorch.check(
        model, TOKENS, loss=own_cross_entropy, targets=torch.arange(32) % 2,
        optimizer=steps,
    )  # fmt: skip

    assert not report.findings


def test_thresholds_of_zeros_are_a_design():
    class Ordinal(nn.Module):
        def __init__(self):
            super().__init__()
            self.size, self.head = nn.Linear(20, 1, bias=False), nn.Linear(5, 3)
            self.thresholds = nn.Parameter(torch.zeros(5))

        def forward(self, x):
            return self.head(torch.sigmoid(self.size(x) + self.thresholds))

    torch.manual_seed(0)

    named = found(Ordinal(), VECTORS, nn.CrossEntropyLoss(), LABELS % 3)

    assert named == set()


@pytest.mark.parametrize(
    ("model", "batch", "loss", "targets"),
    [
        (lambda: FactorizationMachine(of_fields=2.0), (FIELDS, DENSE),
         own_cross_entropy, CLICKS),
        (lambda: Policy(8.0, like=True), STATES, likelihood, ACTIONS),
        (lambda: Crosses(100.0), (FIELDS, DENSE), own_cross_entropy, CLICKS),
        (lambda: Reader(1.5), TOKENS, each_token, TOKENS.roll(-1, 1)),
        (lambda: Radial(torch.zeros(64, 20)), VECTORS, nn.CrossEntropyLoss(), LABELS),
        (lambda: Generated(torch.ones(64, 8)), VECTORS, nn.CrossEntropyLoss(), LABELS),
    ],
)  # fmt: skip
def test_what_is_named_is_repaired(model, batch, loss, targets):
    torch.manual_seed(0)
    faulty = model()

    pytorch.repair_(faulty, batch, loss=loss, targets=targets)

    assert found(faulty, batch, loss, targets) == set()
