"""A recipe as a list of tensors and what they become, carried out at once."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from initlab.pytorch._initialization import Action, Initialization, Initialized
from initlab.pytorch._names import Names
from initlab.pytorch._norms import is_normalization
from initlab.pytorch._shards import held


@dataclass(slots=True)
class Plan:
    """What a recipe will do to a model's parameters.

    Attributes:
        model: The model.
        steps: By first name of a parameter: the row, and the new values.
    """

    model: nn.Module
    names: Names = field(init=False)
    steps: dict[str, tuple[Initialized, Callable[[], torch.Tensor] | None]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.names = Names.of(self.model)

    def set(
        self,
        name: str,
        values: Callable[[], torch.Tensor] | None,
        *,
        init: str,
        reason: str,
        action: Action = "set",
        std: float = math.nan,
    ) -> None:
        """Plan what a parameter becomes; frozen ones are kept.

        Args:
            name: Any of its names.
            values: Computes them; None: the parameter is filled with 0.
            init: As it is shown.
            reason: Why, in a few words.
            action: `"set"` or `"drawn"`.
            std: By the law.
        """
        first = self.names.first[name]
        parameter = self.model.get_parameter(first)
        if not parameter.requires_grad:
            action, init, reason, std = "kept", "", "frozen", math.nan
        row = Initialized(
            parameter=first,
            action=action,
            init=init,
            std=std,
            reason=reason,
            aliases=self.names.aliases[first],
        )
        zeros = values or (lambda: torch.zeros_like(held(parameter)))
        self.steps[first] = (row, None if action == "kept" else zeros)

    def run(
        self, *, seed: int, dry_run: bool, notes: Sequence[str] = ()
    ) -> Initialization:
        """Write everything, unless it is a dry run, and report.

        Args:
            seed: For the report.
            dry_run: Whether nothing is written.
            notes: For the report.
        """
        if not dry_run:
            with torch.no_grad():
                for name, (_, values) in self.steps.items():
                    if values is not None:
                        held(self.model.get_parameter(name)).copy_(values())
        rows = [
            self.steps[name][0] if name in self.steps else self._kept(name)
            for name in self.names.all
        ]
        return Initialization(
            rows=tuple(rows), seed=seed, dry_run=dry_run, notes=tuple(notes)
        )

    def _kept(self, name: str) -> Initialized:
        owner = self.model.get_submodule(name.rpartition(".")[0])
        reason = "normalization" if is_normalization(owner) else ""
        return Initialized(
            parameter=name,
            action="kept",
            reason=reason,
            aliases=self.names.aliases[name],
        )
