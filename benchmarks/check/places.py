"""Where a model can be hurt: its layers by name, and which layer feeds which."""

from random import Random
from typing import Any

from torch import nn

from check.scales import weighted

Named = tuple[str, Any]


def layers(model: nn.Module) -> list[Named]:
    """The linear layers and convolutions with their names, as registered."""
    kept = set(map(id, weighted(model)))
    return [(name, one) for name, one in model.named_modules() if id(one) in kept]


def hidden(model: nn.Module) -> list[Named]:
    """All layers but the first and the last: the model is one chain."""
    return layers(model)[1:-1]


def rectified(model: nn.Module) -> list[Named]:
    """Hidden layers that a ReLU follows."""
    return [
        (name, one)
        for name, one in hidden(model)
        if isinstance(_next(model, name), nn.ReLU)
    ]


def _next(model: nn.Module, name: str) -> Any:
    chain, _, place = name.rpartition(".")
    following = list(model.get_submodule(chain))
    return dict(enumerate(following)).get(int(place) + 1)


def one_hidden(model: nn.Module, random: Random) -> Named:
    return random.choice(hidden(model))


def named(model: nn.Module, *endings: str) -> list[Named]:
    """The modules whose names end so."""
    return [
        (name, one)
        for name, one in model.named_modules()
        if name.rsplit(".", 1)[-1] in endings
    ]


def head(model: nn.Module) -> Named:
    """The last linear layer, by name where there is one, else as registered."""
    found = named(model, "head", "fc", "lm_head", "output")
    return found[-1] if found else layers(model)[-1]


def pair(model: nn.Module, random: Random) -> tuple[Named, Named]:
    """A hidden layer and the only layer that reads its units."""
    if wide := named(model, "fc1"):
        return random.choice(list(zip(wide, named(model, "fc2"), strict=True)))
    chain = [
        (one, following)
        for one, following in zip(layers(model)[:-1], layers(model)[1:], strict=True)
        if following[1].weight.shape[1] == one[1].weight.shape[0]
    ]
    return random.choice(chain)


def blocks(model: nn.Module) -> list[Named]:
    """The blocks of a stack."""
    for name, one in model.named_modules():
        if name.rsplit(".", 1)[-1] in ("blocks", "h", "layers"):
            return [(f"{name}.{child}", block) for child, block in one.named_children()]
    raise LookupError(f"no stack of blocks in {type(model).__name__}")


def inside(name: str, module: nn.Module) -> set[str]:
    """The names of a module and of all that it holds."""
    return {f"{name}.{child}".rstrip(".") for child, _ in module.named_modules()}
