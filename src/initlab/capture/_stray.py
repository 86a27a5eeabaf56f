"""Weights that run without being parameters of the model: layers in a plain list."""

from collections.abc import Collection, Iterator
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

# Of lists within lists.
_DEEPEST = 3
_REGISTERED = frozenset({"_parameters", "_buffers", "_modules"})


def stray_weights(
    model: nn.Module, met: Collection[Tensor], optimizer: Optimizer | None
) -> tuple[str, ...]:
    """Return the names, as a user would write them, of weights that nothing trains.

    Args:
        model: That ran.
        met: Weights that ask for gradients, and are no parameters of the model.
        optimizer: Whose own weights are no strays; None if it is not known.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 4))
        >>> model.more = [nn.Linear(4, 2, bias=False)]
        >>> stray_weights(model, [model.more[0].weight], None)
        ('more[0].weight',)
    """
    groups = [] if optimizer is None else optimizer.param_groups
    trained = {id(p) for group in groups for p in group["params"]}
    left = {id(weight): weight for weight in met if id(weight) not in trained}
    if not left:
        return ()
    names = {
        id(weight): name
        for path, module in model.named_modules()
        for name, weight in _held(vars(module), f"{path}." if path else "")
    }
    return tuple(
        names.get(number, f"a weight of shape {tuple(weight.shape)}")
        for number, weight in left.items()
    )


def _held(attributes: dict[str, Any], prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in attributes.items():
        if name not in _REGISTERED:
            yield from _within(value, f"{prefix}{name}", _DEEPEST)


def _within(value: Any, name: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights in a module or a container, by name."""
    if isinstance(value, nn.Parameter):
        yield name, value
    elif isinstance(value, nn.Module):
        for inner, weight in value.named_parameters():
            yield f"{name}.{inner}", weight
    elif depth and isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _within(one, f"{name}[{place}]", depth - 1)
    elif depth and isinstance(value, dict):
        for key, one in value.items():
            yield from _within(one, f"{name}[{key!r}]", depth - 1)
