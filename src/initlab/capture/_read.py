"""A model, read: one forward pass recorded, gradients back, and all put back."""

from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from initlab.capture._batch import as_call
from initlab.capture._failures import named_failure_in_step
from initlab.capture._own_loss import takes_targets
from initlab.capture._preserved import ALONE, kept_random_states, preserved
from initlab.capture._reader import AnyOptimizer, Reader
from initlab.capture._restoring import never_deaf
from initlab.capture._runs import LossFunction
from initlab.capture._unwrap import (
    eager,
    has_lazy,
    refuse_untrainable,
    unwrapped,
    without_lazy,
)
from initlab.capture._values import Reading
from initlab.errors import InvalidValueError


def read(
    model: nn.Module,
    batch: Any,
    *,
    loss: LossFunction | None = None,
    targets: Any = None,
    optimizer: AnyOptimizer | None = None,
    seed: int = 0,
    step: bool = True,
) -> Reading:
    """Return what a model's weights are, how they are used, and what they do.

    The model runs once, forward, in training mode without dropout; gradients come back
    from a random product of the outputs, and from the loss. Where an optimizer is
    given, or some gradient is zero, it takes one step and runs once more. Everything
    is as before afterwards, bit for bit, whatever happens.

    Args:
        model: Any module; out of `torch.compile` or DistributedDataParallel by itself.
        batch: A tensor, a tuple or list of arguments, a dict of keyword arguments, or a
            DataLoader. A last entry that the model does not take is the targets.
        loss: Called with the model's outputs and the targets. None: the model's own,
            if it returns one; else by the targets' type.
        targets: Of the batch; they must fit a loss. The last entry of a batch may be
            labels that a model has no use for: these are left out where they fit none.
        optimizer: Whose first step is examined, or a function that makes one.
        seed: Of the random product.
        step: Whether to take a step at all.

    Raises:
        InvalidValueError: If there is no module, or no batch; if the model gives no
            tensor, or the loss none.
        TargetsError: If targets do not fit the outputs, and no loss is given.
        ModelRunError: If the model raises an exception.
        LossRunError: If the loss does.
        OptimizerRunError: If the optimizer's step does.

    Example:
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> reading = read(model, torch.randn(16, 4))
        >>> [(use.parameter, use.activation, use.head) for use in reading.uses]
        [('0.weight', 'relu', False), ('2.weight', 'identity', True)]
    """
    model = unwrapped(model)
    refuse_untrainable(model)
    if isinstance(loss, type) or (loss is not None and not callable(loss)):
        name = getattr(loss, "__name__", None)
        better = f"{name}()" if name else "torch.nn.functional.cross_entropy"
        raise InvalidValueError(
            f"a function of outputs and targets, got {loss!r}; give {better}, or "
            "leave it out to have it guessed",
            argument="loss",
        )
    with ALONE, never_deaf(), torch.inference_mode(False):
        return _read(model, batch, loss, targets, optimizer, seed, step)


def _read(
    model: nn.Module,
    batch: Any,
    loss: LossFunction | None,
    targets: Any,
    optimizer: AnyOptimizer | None,
    seed: int,
    step: bool,
) -> Reading:
    # Of what is asked here, only a lazy model's is run.
    with preserved(model) if has_lazy(model) else kept_random_states(model):
        judged = loss is not None and takes_targets(loss)
        call = as_call(model, batch, targets, with_loss=judged)
        model = without_lazy(model, call.args, call.kwargs)
    reader = Reader(model, call, loss, optimizer, seed, step, targets is not None)
    # A loss may have parameters and buffers too.
    loss_kept = preserved(loss) if isinstance(loss, nn.Module) else nullcontext()
    try:
        with (
            named_failure_in_step(),
            preserved(model) as copies,
            loss_kept,
            eager(),
        ):
            torch.set_grad_enabled(True)
            return reader.read(copies)
    finally:  # an autocast around this call has kept casts of the weights after a step
        torch.clear_autocast_cache()
