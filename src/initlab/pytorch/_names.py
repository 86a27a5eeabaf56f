"""The names of parameters: of a tied one the first, and the others beside it."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class Names:
    """A model's parameters by name, ties once.

    Attributes:
        all: First names, in the order of registration.
        first: The first name, by any name.
        aliases: The other names, by the first one.
    """

    all: tuple[str, ...]
    first: dict[str, str]
    aliases: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, model: nn.Module) -> "Names":
        """Return the names of a model's parameters.

        Example:
            >>> model = nn.Sequential(nn.Embedding(4, 3), nn.Linear(3, 4, bias=False))
            >>> model[1].weight = model[0].weight
            >>> Names.of(model).aliases["0.weight"]
            ('1.weight',)
        """
        first_of: dict[int, str] = {}
        first: dict[str, str] = {}
        aliases: dict[str, tuple[str, ...]] = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            own = first_of.setdefault(id(parameter), name)
            first[name] = own
            others = aliases.get(own, ())
            aliases[own] = others if own == name else (*others, name)
        return cls(tuple(aliases), first, aliases)

    def of_weight(self, name: str, tensor: torch.Tensor, model: nn.Module) -> list[str]:
        """First names of the parameters that a weight consists of.

        Args:
            name: Of the weight as it is used; of a parametrized one no parameter's.
            tensor: That stands for it.
            model: That has it.

        Example:
            >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
            >>> Names.of(layer).of_weight("weight", layer.weight, layer)[0]
            'parametrizations.weight.original0'
        """
        if name in self.first:
            return [self.first[name]]
        module, _, own = name.rpartition(".")
        prefix = f"{module}.parametrizations.{own}.".lstrip(".")
        # What the hooks of PyTorch's older norms keep.
        older = [f"{name}_g", f"{name}_v", f"{name}_orig"]
        found = [one for one in self.all if one.startswith(prefix) or one in older]
        if found:
            return found
        return [
            self.first[one]
            for one, parameter in model.named_parameters(remove_duplicate=False)
            if parameter is tensor
        ][:1]
