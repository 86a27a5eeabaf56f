"""Is this model's initialization sound? If not: what, where, and what to do."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from initlab import capture
from initlab.analysis.findings import find
from initlab.errors import InvalidValueError
from initlab.pytorch._build import Factory, build, build_facts
from initlab.pytorch._dataset import dataset_of
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch._numbers import as_count, as_seed
from initlab.spec import BuildFacts


def check(
    model: nn.Module | Factory,
    batch: Any,
    *,
    loss: Callable[..., Tensor] | nn.Module | None = None,
    targets: Any = None,
    optimizer: Optimizer | Callable[..., Optimizer] | None = None,
    seeds: int = 1,
    seed: int = 0,
) -> Diagnosis:
    """Return a verdict on a model's starting weights.

    The model runs forward once, with gradients from a random product of its outputs and
    from the loss; where an optimizer is given or a gradient is 0, it takes one step and
    runs again. Where random numbers left weights out, others are tried up to three
    times, without gradients. Parameters, buffers, gradients, hooks, modes and random
    states are as before afterwards, bit for bit.

    Args:
        model: A module; or a function without arguments that makes one, which is then
            also built over poisoned memory, to see what nothing initializes.
        batch: A tensor, a tuple of arguments, a dict of keyword arguments, or a
            DataLoader; a last entry that the model does not take is the targets.
        loss: Called with outputs and targets; None: the model's own, or by the type of
            the targets.
        targets: Of the batch; without them nothing is said of labels.
        optimizer: Whose first step is examined; or a function that makes one of
            parameters.
        seeds: Members, each built from a seed of its own; more than one needs a
            function as `model`.
        seed: Of the first member, and of the random product; from 0, below 2**32.

    Raises:
        InvalidValueError: If an argument cannot be used, or the model fails on the
            batch; the message names the module.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> layers = [nn.Linear(64, 64) if i % 2 == 0 else nn.ReLU() for i in range(60)]
        >>> diagnosis = check(nn.Sequential(*layers), torch.randn(32, 64))
        >>> [(one.id, one.severity) for one in diagnosis.findings]
        [('WI05', 'error')]
    """
    seeds = as_count("seeds", seeds, least=1)
    seed = as_seed(seed, seeds)
    if isinstance(model, nn.Module):
        if seeds > 1:
            raise InvalidValueError(
                f"{seeds} members need a function that makes the model, got a "
                "module; give lambda: Model(...)",
                argument="seeds",
            )
        models: list[Callable[[], nn.Module]] = [lambda: model]
        facts, name = BuildFacts(), type(model).__name__
    elif callable(model):
        factory: Factory = model
        facts = build_facts(factory, seed)
        models = [
            lambda member=member: build(factory, seed + member)  # type: ignore[misc]
            for member in range(seeds)
        ]
        name = getattr(model, "__name__", "model")
    else:
        raise InvalidValueError(
            "a torch.nn.Module or a function that makes one, got "
            f"{type(model).__name__}",
            argument="model",
        )
    readings = []
    for make in models:
        one = make()
        reading = capture.read(
            one, batch, loss=loss, targets=targets, optimizer=optimizer, seed=seed
        )
        if reading.blank:
            raise InvalidValueError(
                "numbers other than 0, got zeros alone, on which no weight "
                "shows what it does; give data, or torch.randn of their shape",
                argument="batch",
            )
        readings.append(reading)
        if not isinstance(model, nn.Module):
            name = type(one).__name__
    dataset = dataset_of(readings, facts, name=name, seed=seed)
    return Diagnosis(tuple(find(dataset)), dataset)
