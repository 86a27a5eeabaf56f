"""The first step of training, and those after it that free what started as zeros."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer

from initlab.capture._backward import Backward
from initlab.capture._first_step import entries, take_step, zero_after
from initlab.capture._runs import Runs

# Heads, branch ends and branches of zeros may lie one behind the other.
_MOST_STEPS = 3


def examine_steps(
    runs: Runs,
    backward: Backward,
    optimizer: Optimizer | None,
    copies: Mapping[int, Tensor],
    *,
    only_heads: bool,
) -> float:
    """Take the optimizer's step, look at it, and at what is still without gradient.

    What is 0 by design is set free one after the other, the head first: as long as a
    step frees anything, another one follows. What is found is added to the facts of
    `backward`, which holds no gradients afterwards.

    Args:
        runs: The model with its batch.
        backward: Its gradients, as it starts.
        optimizer: Whose step is looked at; None: only what is zero is.
        copies: Parameters as they were, by `id`.
        only_heads: Whether all layers are heads, so that the problem may be convex.

    Returns:
        The loss after the optimizer's step if there are only heads, else nan.
    """
    dead = [name for name in backward.trainable
            if backward.facts[name].get("gradient_zero")]  # fmt: skip
    after = math.nan
    gradients = backward.gradients
    if optimizer is None and not dead:
        return after
    if not all(g is None or bool(torch.isfinite(entries(g)).all())
               for g in gradients.values()):  # fmt: skip
        return after
    if optimizer is not None:
        found = take_step(runs.model, gradients, optimizer, copies)
        if only_heads:
            after = _loss_now(runs)
        if dead:  # a learning rate that is too small must not decide what moves
            with torch.no_grad():
                for parameter in runs.model.parameters():
                    parameter.copy_(copies[id(parameter)])
        for name, facts in found.items():
            backward.facts[name] |= facts
    _free(runs, backward, dead)
    backward.gradients.clear()
    return after


def _free(runs: Runs, backward: Backward, dead: list[str]) -> None:
    """Take plain steps until all that had no gradient has one, or none frees more."""
    for _ in range(_MOST_STEPS):
        if not dead:
            return
        take_step(runs.model, backward.gradients, None, {})
        backward.again()
        zero = zero_after(dead, [backward.gradients[name] for name in dead])
        for name in dead:
            backward.facts[name]["later_gradient_zero"] = zero[name]
        still = [name for name in dead if zero[name]]
        if len(still) == len(dead):
            return
        dead = still


def _loss_now(runs: Runs) -> float:
    with torch.no_grad():
        loss = runs.loss_of(runs.plain()).value
    return math.nan if loss is None else float(loss)
