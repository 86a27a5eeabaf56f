"""A softmax before a cross-entropy, which has one of its own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from initlab import pytorch

CLASSES = 5


def network(*after: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, CLASSES), *after)


def own(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits, labels)


def of_shares(shares: Tensor, labels: Tensor) -> Tensor:
    return functional.nll_loss(shares.log(), labels)


def missed(shares: Tensor, labels: Tensor) -> Tensor:
    return 2 - shares[torch.arange(len(labels)), labels].mean()


def found(
    model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor] | None
) -> list[tuple[str, str, str]]:
    diagnosis = pytorch.check(
        model, torch.randn(64, 8), targets=torch.randint(CLASSES, (64,)), loss=loss
    )
    return [(f.id, f.severity, f.cause) for f in diagnosis.of("error", "warning")]


@pytest.mark.parametrize(
    "loss", [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1), own]
)
def test_shares_that_are_taken_for_logits_are_named(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    assert found(network(nn.Softmax(1)), loss) == [
        ("WI13", "warning", "squashed_twice")
    ]
    assert found(network(), loss) == []


def test_it_is_said_how_far_the_loss_can_fall() -> None:
    model, labels = network(nn.Softmax(1)), torch.randint(CLASSES, (64,))
    diagnosis = pytorch.check(
        model, torch.randn(64, 8), targets=labels, loss=nn.CrossEntropyLoss()
    )
    (finding,) = diagnosis.findings
    perfect = functional.cross_entropy(functional.one_hot(labels).float(), labels)
    assert finding.evidence["least"] == pytest.approx(float(perfect), rel=1e-6)
    assert f"over {float(perfect):.2g} " in str(diagnosis).replace("\n", " ")


@pytest.mark.parametrize("loss", [of_shares, None])
def test_shares_that_a_loss_takes_for_shares_are_no_fault(
    loss: Callable[[Tensor, Tensor], Tensor] | None,
) -> None:
    assert found(network(nn.Softmax(1)), loss) == []


def test_a_loss_that_is_neither_says_nothing() -> None:
    model = network(nn.Softmax(1))
    model.get_parameter("2.weight").data.mul_(60)
    causes = {cause for *_, cause in found(model, missed)}
    assert "squashed_twice" not in causes


@pytest.mark.parametrize("loss", [own, of_shares])
def test_where_all_shares_are_alike_nothing_is_told(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    model = network(nn.Softmax(1))
    nn.init.zeros_(model.get_parameter("2.weight"))
    nn.init.zeros_(model.get_parameter("2.bias"))
    assert found(model, loss) == []


def test_logarithms_of_shares_are_logits_as_well() -> None:
    assert found(network(nn.LogSoftmax(1)), nn.CrossEntropyLoss()) == []


def test_pixels_of_shares_are_named_too() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(),
                          nn.Conv2d(16, CLASSES, 1), nn.Softmax(1))  # fmt: skip
    diagnosis = pytorch.check(
        model, torch.randn(4, 3, 8, 8), targets=torch.randint(CLASSES, (4, 8, 8)),
        loss=own,
    )  # fmt: skip
    assert [f.cause for f in diagnosis.of("warning")] == ["squashed_twice"]
