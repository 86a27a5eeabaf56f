"""One tensor that a repair changes, and what is kept to take it back."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["rescaled", "redrawn", "set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is done to one parameter.

    Attributes:
        parameter: Its name.
        kind: `"rescaled"`, `"redrawn"` in whole or in part, or `"set"`.
        amount: How, in a few words: `"x 0.25"`, `"8 of 16 units"`.
        finding: Id of the check that it answers.
        values: Of the whole parameter, afterwards.
    """

    parameter: str
    kind: Kind
    amount: str
    finding: str
    values: Tensor = field(repr=False, compare=False)

    def apply(self, model: nn.Module) -> "Undo":
        """Write it, and return what takes it back bit for bit.

        Example:
            >>> layer = nn.Linear(2, 1, bias=False)
            >>> before = layer.weight.detach().clone()
            >>> change = Change(
            ...     parameter="weight", kind="set", amount="0", finding="WI01",
            ...     values=torch.zeros(1, 2),
            ... )
            >>> undo = change.apply(layer)
            >>> undo.run(layer)
            >>> torch.equal(layer.weight, before)
            True
        """
        parameter = model.get_parameter(self.parameter)
        undo = Undo(self.parameter, parameter.detach().clone())
        with torch.no_grad():
            parameter.copy_(self.values)
        return undo


@dataclass(frozen=True, slots=True)
class Undo:
    """A parameter as it was."""

    parameter: str
    values: Tensor = field(repr=False)

    def run(self, model: nn.Module) -> None:
        """Write it back."""
        with torch.no_grad():
            model.get_parameter(self.parameter).copy_(self.values)
