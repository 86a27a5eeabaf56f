"""Faults beside the weights: the labels' prior, the precision, the optimizer."""

from dataclasses import replace
from random import Random

import torch
from torch import nn

from check import places
from check.subject import Batch, Subject


def nothing(model: nn.Module, random: Random) -> set[str]:
    """Leave the weights as they are: every layer is concerned."""
    return {name for name, _ in model.named_modules()}


def nothing_but_head(model: nn.Module, random: Random) -> set[str]:
    """Leave the weights as they are: the head is concerned."""
    return {places.head(model)[0]}


def imbalanced(subject: Subject) -> Subject:
    """Nine examples in ten are of one class; a regression's targets are far from 0."""

    def batch(seed: int, size: int) -> Batch:
        drawn = subject.batch(seed, 10 * size)
        if drawn.targets.is_floating_point():
            drawn = subject.batch(seed, size)
            return replace(drawn, targets=drawn.targets + 20)
        common, rare = drawn.targets == 0, drawn.targets != 0
        many = common.nonzero()[:, 0].repeat(10)[: size - size // 10]
        kept = torch.cat([many, rare.nonzero()[: size - len(many), 0]])
        inputs = tuple(one[kept] for one in drawn.inputs)
        return Batch(inputs=inputs, targets=drawn.targets[kept])

    return replace(subject, batch=batch)


def in_half_precision(subject: Subject) -> Subject:
    """Inputs of 16 bits."""

    def batch(seed: int, size: int) -> Batch:
        drawn = subject.batch(seed, size)
        return replace(drawn, inputs=tuple(one.half() for one in drawn.inputs))

    def loss(output, targets):
        return subject.loss(output.float(), targets)

    # Adam's eps of 1e-8 is 0 in 16 bits, and its first step not a number.
    return replace(subject, batch=batch, loss=loss, optimizer=_descent)


def _descent(parameters):
    return torch.optim.SGD(parameters, lr=0.01)


def long_steps(subject: Subject) -> Subject:
    return replace(
        subject, optimizer=lambda parameters: torch.optim.Adam(parameters, lr=0.5)
    )


def short_steps(subject: Subject) -> Subject:
    return replace(
        subject, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1e-10)
    )


def by_factory(subject: Subject) -> Subject:
    return replace(subject, factory=True)
