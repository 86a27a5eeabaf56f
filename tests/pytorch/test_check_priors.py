"""Priors of targets that heads ignore: which losses mind, and whose head it is."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from initlab import pytorch

ROWS = 256
QUANTILES = torch.tensor([0.1, 0.5, 0.9])


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


VECTORS = drawn(ROWS, 16)
NOISE, OTHER_NOISE = drawn(ROWS, 1, seed=1), drawn(ROWS, 1, seed=2)
LABELS = torch.arange(ROWS) % 4
RARE = (torch.arange(ROWS)[:, None] % 50 == torch.arange(5)).float()


def network(units=1, *tail):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, units), *tail)


class TwoHeads(nn.Module):
    """`b` runs last."""

    def __init__(self, first, second, named=False):
        super().__init__()
        torch.manual_seed(0)
        self.trunk = nn.Sequential(nn.Linear(16, 64), nn.ReLU())
        self.a, self.b = nn.Linear(64, first), nn.Linear(64, second)
        self.named = named

    def forward(self, x):
        h = self.trunk(x)
        a, b = self.a(h), self.b(h)
        return {"a": a, "b": b} if self.named else (a, b)


def blamed(model, targets, loss, batch=VECTORS):
    found = pytorch.check(model, batch, targets=targets, loss=loss)
    return [(f.id, f.cause, f.parameter) for f in found.of("warning", "error")]


def squares(outputs, targets):
    pairs = zip(outputs, targets, strict=True)
    return sum(functional.mse_loss(output, target) for output, target in pairs)


def labels_and_squares(outputs, targets):
    return functional.cross_entropy(outputs[0], targets[0]) + functional.mse_loss(
        outputs[1], targets[1]
    )


def labels_and_squares_by_name(outputs, targets):
    return functional.cross_entropy(outputs["a"], targets["label"]) + (
        functional.mse_loss(outputs["b"], targets["value"])
    )


def labels_and_tags(outputs, targets):
    return functional.cross_entropy(outputs[0], targets[0]) + (
        functional.binary_cross_entropy_with_logits(outputs[1], targets[1])
    )


def tags_and_boxes(outputs, targets):
    return functional.binary_cross_entropy_with_logits(outputs[0], targets[0]) + (
        functional.smooth_l1_loss(outputs[1], targets[1])
    )


def labels_and_boxes(outputs, targets):
    return functional.cross_entropy(outputs[0], targets[0]) + (
        functional.smooth_l1_loss(outputs[1], targets[1])
    )


def likelihood(outputs, targets):
    mean, scale = outputs
    return functional.gaussian_nll_loss(mean, targets, functional.softplus(scale))


def pinball(outputs, targets):
    wrong = targets - outputs
    return torch.maximum(QUANTILES * wrong, (QUANTILES - 1) * wrong).mean()


def gamma_deviance(outputs, targets):
    return (outputs + targets * (-outputs).exp()).mean()


def counts_likelihood(outputs, targets):
    return (outputs.exp() - targets * outputs).mean()


@pytest.mark.parametrize("classes", [2, 3, 4, 5, 10])
@pytest.mark.parametrize("given", [nn.CrossEntropyLoss(), "a function"])
def test_a_common_class_is_told_however_many_there_are(classes, given):
    labels = torch.where(torch.arange(ROWS) % 25 == 0, classes - 1, 0)
    labels[0] = 1
    loss = given
    if given == "a function":
        loss = lambda o, t: functional.cross_entropy(o, t)  # noqa: E731

    found = blamed(network(classes), labels, loss)

    assert found == [("WI15", "imbalance_ignored", "2.bias")]


def test_a_loss_of_log_probabilities_has_a_prior_too():
    labels = torch.where(torch.arange(ROWS) % 25 == 0, 2, 0)
    labels[0] = 1
    model = nn.Sequential(*network(5), nn.LogSoftmax(dim=1))

    assert blamed(model, labels, nn.NLLLoss()) == [
        ("WI15", "imbalance_ignored", "2.bias")
    ]
    assert blamed(model, torch.arange(ROWS) % 5, nn.NLLLoss()) == []


@pytest.mark.parametrize("classes", [64, 1000])
def test_even_labels_are_no_numbers_to_a_loss_of_log_probabilities(classes):
    model = nn.Sequential(*network(classes), nn.LogSoftmax(dim=1))
    labels = torch.arange(ROWS) * 389 % classes

    assert blamed(model, labels, nn.NLLLoss()) == []


def test_a_loss_that_falls_without_end_has_no_prior():
    rewards = 50 + NOISE

    assert blamed(network(), rewards, lambda o, r: -(o * r).mean()) == []


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("given", [nn.CrossEntropyLoss(), "a function"])
def test_even_classes_are_no_prior(classes, given):
    loss = given
    if given == "a function":
        loss = lambda o, t: functional.cross_entropy(o, t)  # noqa: E731

    assert blamed(network(classes), torch.arange(ROWS) % classes, loss) == []


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(ignore_index=255),
        partial(functional.cross_entropy, ignore_index=255),
        lambda o, t: functional.cross_entropy(o, t, ignore_index=255),
    ],
)
@pytest.mark.parametrize("common", [True, False])
def test_what_a_loss_leaves_out_is_no_class(loss, common):
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 4, 1)
    )
    places = torch.arange(8 * 64).reshape(8, 8, 8)
    labels = torch.where(places % 32 == 0, 1 + places // 32 % 3, 0)
    labels = labels if common else places % 4
    labels[:, :2] = 255

    found = blamed(model, labels, loss, drawn(8, 3, 8, 8))

    expected = [("WI15", "imbalance_ignored", "2.bias")]
    assert found == (expected if common else [])


def test_a_class_that_a_loss_leaves_out_hides_no_prior_of_the_others():
    rest = torch.where(torch.arange(ROWS) % 60 == 1, 2, 1)
    labels = torch.where(torch.arange(ROWS) % 2 == 0, 0, rest)

    found = blamed(network(4), labels, nn.CrossEntropyLoss(ignore_index=0))

    assert found == [("WI15", "imbalance_ignored", "2.bias")]


def test_a_term_that_hardly_counts_asks_for_no_prior():
    def loss(outputs, targets):
        first, second = (
            functional.mse_loss(output, target)
            for output, target in zip(outputs, targets, strict=True)
        )
        return first + 1e-6 * second

    assert blamed(TwoHeads(1, 1), (NOISE, 100 + OTHER_NOISE), loss) == []


@pytest.mark.parametrize("value", [0.0, 0.9, 1.0])
@pytest.mark.parametrize(
    "loss",
    [
        nn.BCEWithLogitsLoss(),
        lambda o, t: functional.binary_cross_entropy(o.sigmoid(), t),
        nn.MSELoss(),
    ],
)
def test_one_constant_for_all_is_no_prior(value, loss):
    """Discriminators are shown one kind at a time."""
    assert blamed(network(), torch.full((ROWS, 1), value), loss) == []


def test_labels_of_one_class_are_no_prior():
    labels = torch.zeros(ROWS, dtype=torch.long)

    assert blamed(network(3), labels, nn.CrossEntropyLoss()) == []


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("loss", [nn.BCEWithLogitsLoss(), nn.MSELoss()])
def test_a_frozen_head_has_no_prior_to_learn(frozen, loss):
    judge = network()
    judge.requires_grad_(not frozen)
    model = nn.Sequential(nn.Linear(16, 16), nn.Tanh(), judge)
    targets = RARE[:, :1] if isinstance(loss, nn.BCEWithLogitsLoss) else NOISE + 50

    found = blamed(model, targets, loss)

    assert [one[2] for one in found] == ([] if frozen else ["2.2.bias"])


@pytest.mark.parametrize("loss", [nn.BCELoss(), functional.binary_cross_entropy])
def test_probabilities_have_a_prior_too(loss):
    found = blamed(network(1, nn.Sigmoid()), RARE[:, :1], loss)

    assert found == [("WI15", "imbalance_ignored", "2.bias")]


@pytest.mark.parametrize("loss", [nn.BCELoss(), functional.binary_cross_entropy])
def test_probabilities_at_their_prior_are_silent(loss):
    model = network(1, nn.Sigmoid())
    nn.init.constant_(model[2].bias, -3.9)

    assert blamed(model, RARE[:, :1], loss) == []


COUNTS = torch.poisson(torch.full((ROWS, 1), 400.0), torch.Generator().manual_seed(0))
BY_EXPONENTIALS = pytest.mark.parametrize(
    "loss", [nn.PoissonNLLLoss(), counts_likelihood, gamma_deviance]
)


@BY_EXPONENTIALS
def test_counts_of_a_loss_that_takes_exponentials(loss):
    found = blamed(network(), COUNTS, loss)

    assert found == [("WI15", "log_mean_ignored", "2.bias")]


@BY_EXPONENTIALS
def test_counts_at_their_prior_are_silent(loss):
    model = network()
    nn.init.constant_(model[2].bias, 6.0)

    assert blamed(model, COUNTS, loss) == []


@pytest.mark.parametrize("loss", [nn.PoissonNLLLoss(), counts_likelihood])
def test_small_counts_are_near_enough(loss):
    assert blamed(network(), (COUNTS - 380).clamp(min=0) / 10, loss) == []


@pytest.mark.parametrize("mean", [20.0, 500.0])
def test_quantiles_have_a_mean(mean):
    found = blamed(network(3), mean + NOISE, pinball)

    assert found == [("WI15", "mean_ignored", "2.bias")]


@pytest.mark.parametrize(
    ("model", "targets", "loss", "head"),
    [
        (TwoHeads(1, 1), (NOISE, OTHER_NOISE + 100), squares, "b"),
        (TwoHeads(1, 1), (NOISE + 100, OTHER_NOISE), squares, "a"),
        (TwoHeads(1, 1), NOISE + 50, likelihood, "a"),
        (TwoHeads(4, 1), (LABELS, NOISE + 100), labels_and_squares, "b"),
        (
            TwoHeads(4, 1, named=True),
            {"label": LABELS, "value": NOISE + 200},
            labels_and_squares_by_name,
            "b",
        ),
        (TwoHeads(4, 5), (LABELS, RARE), labels_and_tags, "b"),
        (TwoHeads(5, 4), (RARE, drawn(ROWS, 4)), tags_and_boxes, "a"),
    ],
)
def test_the_head_is_named_whose_output_it_is(model, targets, loss, head):
    found = blamed(model, targets, loss)

    assert [(one[0], one[2]) for one in found] == [("WI15", f"{head}.bias")]


def test_both_heads_are_named_where_both_ignore_a_mean():
    found = blamed(TwoHeads(1, 1), (NOISE + 100, OTHER_NOISE - 30), squares)

    assert {one[2] for one in found} == {"a.bias", "b.bias"}


@pytest.mark.parametrize(
    ("model", "targets", "loss"),
    [
        (TwoHeads(1, 1), (NOISE, OTHER_NOISE), squares),
        (TwoHeads(1, 1), NOISE, likelihood),
        (TwoHeads(4, 1), (LABELS, NOISE), labels_and_squares),
    ],
)
def test_heads_whose_targets_are_near_are_silent(model, targets, loss):
    assert blamed(model, targets, loss) == []


def test_an_over_confident_head_is_named_though_another_runs_last():
    model = TwoHeads(6, 4)
    nn.init.normal_(model.a.weight, 0, 3.0)

    found = blamed(model, (LABELS, drawn(ROWS, 4)), labels_and_boxes)

    assert ("WI14", "a.weight") in [(one[0], one[2]) for one in found]


def test_a_mask_among_the_targets_is_no_prior():
    """Returns below 0 like what a rare end of an episode would have logits do."""
    ends = (torch.arange(ROWS)[:, None] % 50 == 0).float()

    def loss(outputs, targets):
        return functional.mse_loss(outputs, targets[0] * (1 - 0.1 * targets[1]))

    assert blamed(network(), (3 * NOISE - 5, ends), loss) == []


def test_a_loss_is_asked_no_more_where_targets_are_near():
    asked = []

    def loss(outputs, targets):
        asked.append(1)
        return squares(outputs, targets)

    blamed(TwoHeads(1, 1), (NOISE, OTHER_NOISE), loss)
    near = len(asked)
    asked.clear()
    blamed(TwoHeads(1, 1), (NOISE + 100, OTHER_NOISE), loss)

    assert near <= 3
    assert len(asked) <= near + 8


def test_a_loss_that_refuses_other_outputs_is_left_alone():
    model = TwoHeads(1, 1)

    def loss(outputs, targets):
        if outputs[0].grad_fn is None or outputs[1].grad_fn is None:
            raise ValueError("no outputs of the model")
        return squares(outputs, targets)

    assert blamed(model, (NOISE, OTHER_NOISE + 100), loss) == []


def test_a_repair_sets_the_bias_of_the_head_that_is_named():
    targets = NOISE, OTHER_NOISE + 100

    repair = pytorch.repair_(TwoHeads(1, 1), VECTORS, targets=targets, loss=squares)

    assert [one.parameter for one in repair.changes] == ["b.bias"]


@BY_EXPONENTIALS
def test_a_repair_sets_the_logarithm_where_the_loss_takes_exponentials(loss):
    model = network()

    pytorch.repair_(model, VECTORS, targets=COUNTS, loss=loss)

    assert model[2].bias.item() == pytest.approx(COUNTS.mean().log().item(), rel=0.05)


@pytest.mark.parametrize("used", [True, False])
def test_a_head_that_the_loss_leaves_out_is_told(used):
    def loss(outputs, targets):
        more = outputs[1].square().mean() if used else 0
        return functional.cross_entropy(outputs[0], targets) + more

    found = pytorch.check(TwoHeads(4, 1), VECTORS, targets=LABELS, loss=loss)

    told = [(f.severity, f.parameter) for f in found.findings if f.id == "WI21"]
    assert told == ([] if used else [("info", "b.weight")])


EVEN = (VECTORS[:, :1] > 0).float()
RATES = torch.poisson(
    (VECTORS[:, :1] / 2).exp(), generator=torch.Generator().manual_seed(0)
)


def even_likelihood(outputs, targets):
    return functional.binary_cross_entropy_with_logits(outputs, targets)


@pytest.mark.parametrize("bias", [0.0, 9.0, -9.0])
@pytest.mark.parametrize(
    ("loss", "check"), [(even_likelihood, "WI15"), (nn.BCEWithLogitsLoss(), "WI14")]
)
def test_a_bias_that_is_sure_of_even_targets_is_named(bias, loss, check):
    model = network()
    nn.init.constant_(model[2].bias, bias)

    found = blamed(model, EVEN, loss)

    assert found == ([(check, "biased_logits", "2.bias")] if bias else [])


@pytest.mark.parametrize("bias", [0.0, 100.0])
def test_a_bias_far_from_the_targets_is_named_and_not_the_weight(bias):
    model = network()
    nn.init.constant_(model[2].bias, bias)

    found = blamed(model, NOISE, nn.MSELoss())

    assert found == ([("WI15", "mean_ignored", "2.bias")] if bias else [])


@pytest.mark.parametrize("bias", [0.0, 8.0])
def test_a_log_rate_far_over_the_counts_is_named(bias):
    model = network()
    nn.init.constant_(model[2].bias, bias)

    found = blamed(model, RATES, nn.PoissonNLLLoss())

    assert found == ([("WI15", "log_mean_ignored", "2.bias")] if bias else [])


def test_a_repair_sets_a_sure_bias_to_the_targets_share():
    model = network()
    nn.init.constant_(model[2].bias, 9.0)

    repair = pytorch.repair_(model, VECTORS, targets=EVEN, loss=even_likelihood)

    share = float(EVEN.mean())
    assert [one.parameter for one in repair.changes] == ["2.bias"]
    assert float(model[2].bias.detach()) == pytest.approx(
        torch.logit(torch.tensor(share)).item(), abs=1e-4
    )
    assert repair.after.sound


class Actor(nn.Module):
    """Gives a mean, and a logarithm of a deviation that is a parameter."""

    def __init__(self, log_std):
        super().__init__()
        torch.manual_seed(0)
        self.mean = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 2))
        self.log_std = nn.Parameter(torch.full((2,), log_std))

    def forward(self, x):
        return self.mean(x), self.log_std.expand(len(x), 2)


def action_likelihood(outputs, actions):
    mean, log_std = outputs
    return (((actions - mean) / log_std.exp()).square() / 2 + log_std).sum(1).mean()


@pytest.mark.parametrize("log_std", [0.0, -0.5, -6.0])
def test_a_deviation_where_its_logarithm_is_meant(log_std):
    actions = drawn(ROWS, 2, seed=3)

    found = blamed(Actor(log_std), actions, action_likelihood)

    steep = [("WI14", "explosive_parameter", "log_std")]
    assert found == (steep if log_std < -1 else [])


def test_a_loss_that_only_targets_make_large_is_steep_in_no_parameter():
    found = blamed(Actor(-0.5), 50 * drawn(ROWS, 2, seed=3), action_likelihood)

    assert "explosive_parameter" not in [cause for _, cause, _ in found]


def test_a_repair_sets_an_exponent_to_zero():
    model = Actor(-6.0)
    actions = drawn(ROWS, 2, seed=3)

    repair = pytorch.repair_(model, VECTORS, targets=actions, loss=action_likelihood)

    assert [one.parameter for one in repair.changes] == ["log_std"]
    assert repair.after.sound


@pytest.mark.parametrize("loss", [nn.MSELoss(), lambda a, b: (a - b).square().mean()])
@pytest.mark.parametrize(
    ("bias", "mean", "named"),
    [(0.0, 0.0, False), (15.0, 0.0, True), (15.0, 15.0, False), (2.0, 0.0, False)],
)
def test_single_outputs_that_start_far_off(bias, mean, named, loss):
    """Not where the targets of that output are as far."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
    with torch.no_grad():
        model[2].bias[3] = bias
    inputs, targets = torch.randn(64, 8), torch.randn(64, 16)
    targets[:, 3] += mean

    found = pytorch.check(model, inputs, loss=loss, targets=targets)
    repair = pytorch.repair_(model, inputs, loss=loss, targets=targets)

    said = [(one.id, one.parameter) for one in found.of("warning", "error")]
    assert said == ([("WI15", "2.bias")] if named else [])
    assert not repair.after.of("warning", "error")
    assert bool(repair.changes) == named


def test_one_of_many_outputs_may_start_at_its_own_mean():
    torch.manual_seed(0)
    model = nn.Linear(8, 64)
    inputs, targets = torch.randn(64, 8), torch.randn(64, 64)
    targets[:, 3] += 15.0
    with torch.no_grad():
        model.bias[3] = 15.0

    found = pytorch.check(model, inputs, loss=nn.MSELoss(), targets=targets)

    assert found.of("warning", "error") == ()


def test_biases_that_are_small_make_no_outputs_large():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
    inputs, targets = torch.randn(64, 8), torch.randn(64, 16)
    with torch.no_grad():
        model[2].weight.mul_(20.0)

    found = pytorch.check(model, inputs, loss=nn.MSELoss(), targets=targets)

    assert "2.bias" not in {one.parameter for one in found.of("warning", "error")}


def test_a_mean_of_two_targets_is_no_prior():
    model, x = network(), VECTORS[:2]

    few, many = (
        pytorch.check(model, x, loss=nn.MSELoss(), targets=targets)
        for targets in (torch.tensor([[3.0], [4.0]]), torch.tensor([[90.0], [91.0]]))
    )

    assert "WI15" not in {one.id for one in few.of("warning", "error")}
    assert "WI15" in {one.id for one in many.of("warning", "error")}


def test_signs_are_no_places_for_outputs():
    """A logistic loss of signs would rather have logits louder than these."""
    torch.manual_seed(0)
    model, x = network(4), VECTORS[:16]
    nn.init.constant_(model[2].bias, -9.0)
    signs = torch.ones(16, 4)
    signs[::2] = -1

    def loss(logits, targets):
        return -functional.logsigmoid(targets * logits).mean()

    found = pytorch.check(model, x, loss=loss, targets=signs)

    assert "WI15" not in {one.id for one in found.of("warning", "error")}
