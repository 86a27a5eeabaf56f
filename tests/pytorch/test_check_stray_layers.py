"""Layers in plain lists, which run and which nothing trains."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from initlab import pytorch


class Listed(nn.Module):
    """A network whose hidden layers are held by whatever is given."""

    def __init__(
        self, hold: Callable[[list[nn.Module]], object], frozen: bool = False
    ) -> None:
        super().__init__()
        layers = [nn.Linear(16, 16) for _ in range(3)]
        for layer in layers:
            layer.requires_grad_(not frozen)
        self.layers = hold(list(layers))
        self.out = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        held = self.layers
        if isinstance(held, dict):
            held = held["encoder"]
        for layer in held:  # type: ignore[attr-defined]
            x = torch.relu(layer(x))
        return self.out(x)


def strays(model: nn.Module, **options: object) -> list[tuple[str, str, list[str]]]:
    diagnosis = pytorch.check(model, torch.randn(32, 16), **options)  # type: ignore[arg-type]
    return [
        (one.severity, one.module, list(one.places))
        for one in diagnosis.findings if one.cause == "stray"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hold", "prefix"),
    [
        (list, "layers["),
        (tuple, "layers["),
        (lambda layers: {"encoder": layers}, "layers['encoder']["),
    ],
)
def test_layers_in_plain_containers_are_named(
    hold: Callable[[list[nn.Module]], object], prefix: str
) -> None:
    names = [f"{prefix}{n}].{of}" for n in range(3) for of in ("weight", "bias")]
    assert strays(Listed(hold)) == [("warning", "", names)]
    inside = nn.Sequential(Listed(hold))
    assert strays(inside) == [("warning", "0", [f"0.{name}" for name in names])]


@pytest.mark.parametrize("container", [list, nn.ParameterList])
def test_parameters_in_a_plain_list_are_named(container: Callable[..., object]) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(16, 4)
            self.scales = container([nn.Parameter(torch.ones(4)) for _ in range(2)])

        def forward(self, x: Tensor) -> Tensor:
            first, second = self.scales  # type: ignore[misc,attr-defined]
            return second * torch.tanh(first * self.layer(x))

    named = [("warning", "", ["scales[0]", "scales[1]"])]
    assert strays(Scaled()) == (named if container is list else [])


def test_layers_in_a_module_list_are_not() -> None:
    assert strays(Listed(nn.ModuleList)) == []


def test_frozen_ones_are_a_choice() -> None:
    assert strays(Listed(list, frozen=True)) == []


# L-BFGS takes no step here, since it evaluates the loss itself.
@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.LBFGS])
def test_weights_that_the_optimizer_has_are_trained(
    make: Callable[..., torch.optim.Optimizer],
) -> None:
    model = Listed(list)
    held = [p for layer in model.layers for p in layer.parameters()]  # type: ignore[attr-defined]
    assert strays(model, optimizer=make([*model.parameters(), *held], lr=0.1)) == []
    assert strays(model, optimizer=make(model.parameters(), lr=0.1))


class Student(nn.Module):
    """A network beside a teacher that is kept out of its parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.teacher = [nn.Linear(16, 4)]
        self.own = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            taught = self.teacher[0](x)
        return self.own(x) - taught


def test_a_teacher_without_gradients_is_no_stray() -> None:
    assert strays(Student()) == []


def test_what_no_attribute_holds_is_named_by_its_shape() -> None:
    weight = nn.Parameter(torch.randn(4, 16) / 4)

    class Closed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.own = nn.Linear(16, 16)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.own(x)) @ weight.T

    assert strays(Closed()) == [("warning", "", ["a weight of shape (4, 16)"])]


def loud(*times: float) -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                          nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))  # fmt: skip
    for place, factor in zip((0, 2, 4), times, strict=True):
        model.get_parameter(f"{place}.weight").data.mul_(factor)
    return model


def test_all_layers_that_one_cause_made_loud_are_named_and_repaired() -> None:
    model = loud(10, 10, 10)
    x = torch.randn(128, 32)
    found = pytorch.check(model, x).of("warning", "error")[0]
    # The last has 64 inputs and 32 outputs: 33 is within twice the limit of 30.
    assert found.cause == "beyond_any_law"
    assert {*found.places} == {"0.weight", "2.weight", "4.weight"}
    pytorch.repair_(model, x)
    for place in (0, 2, 4):
        weight = model.get_parameter(f"{place}.weight").detach()
        assert float(weight.var()) * weight.shape[1] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("times", [(100.0, 100.0, 10.0), (10.0, 10.0, 5.0)])
def test_layers_much_less_loud_than_others_are_not(times: tuple[float, ...]) -> None:
    found = pytorch.check(loud(*times), torch.randn(128, 32)).of("warning", "error")
    places = [one.places for one in found if one.cause == "beyond_any_law"]
    assert [{*each} for each in places] == [{"0.weight", "2.weight"}]
