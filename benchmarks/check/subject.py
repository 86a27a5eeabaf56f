"""What is judged: a model, the batch and the loss it is trained with."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Loss = Callable[[Any, Any], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Arguments of the model, and what its output is compared with."""

    inputs: tuple[Any, ...]
    targets: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A way to build a model, and everything that a step of training needs.

    Attributes:
        name: As in the tables.
        family: For the tables: `"plain"`, `"convolutional"`, ...
        construct: Builds the model from torch's global stream; use `build`.
        batch: `(seed, size)` -> batch of a task that does not depend on the seed.
        loss: `(output, targets)` -> mean loss.
        optimizer: `parameters` -> optimizer that trains the healthy model.
        floating: Whether inputs are real numbers, whose type can be changed.
        images: Whether inputs are `(example, channel, row, column)`.
        size: Examples in a batch.
        factory: Whether a tool that builds models itself is given `construct`: what was
            never initialized shows in no single model.
    """

    name: str
    family: str
    construct: Callable[[], nn.Module]
    batch: Callable[[int, int], Batch]
    loss: Loss = nn.functional.cross_entropy
    optimizer: Callable[[Any], torch.optim.Optimizer] = lambda parameters: (
        torch.optim.Adam(parameters, lr=1e-3)
    )
    floating: bool = True
    images: bool = False
    size: int = 32
    factory: bool = False

    def build(self, seed: int) -> nn.Module:
        """The model of that seed, in training mode; no random state is left changed."""
        with seeded(seed):
            return self.construct().train()


@contextmanager
def seeded(seed: int):
    """Lend torch's global stream, at that seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def initial_loss(subject: Subject, model: nn.Module, batch: Batch) -> float:
    """The loss of a model on a batch, computed without a trace of it."""
    with torch.no_grad(), seeded(0):
        return float(subject.loss(model(*batch.inputs), batch.targets))
