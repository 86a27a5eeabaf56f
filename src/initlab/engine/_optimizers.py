"""Optimizers on the flat vector of parameters, in place."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

# `step(parameters, gradient)` updates the parameters.
Step = Callable[[np.ndarray, np.ndarray], None]

MOMENTUM = 0.9
ADAM_DECAYS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


def gradient_descent(learning_rate: float, size: int) -> Step:  # noqa: ARG001
    """Return `w <- w - learning_rate g`."""

    def step(parameters: np.ndarray, gradient: np.ndarray) -> None:
        parameters -= learning_rate * gradient

    return step


def momentum(learning_rate: float, size: int) -> Step:
    """Return `v <- .9 v + g; w <- w - learning_rate v` (Polyak 1964, as in PyTorch)."""
    velocity = np.zeros(size)

    def step(parameters: np.ndarray, gradient: np.ndarray) -> None:
        velocity[:] = MOMENTUM * velocity + gradient
        parameters -= learning_rate * velocity

    return step


def adam(learning_rate: float, size: int) -> Step:
    """Return Adam with bias correction (Kingma & Ba 2015, algorithm 1)."""
    mean, square = np.zeros(size), np.zeros(size)
    decay_mean, decay_square = ADAM_DECAYS
    steps = 0

    def step(parameters: np.ndarray, gradient: np.ndarray) -> None:
        nonlocal steps
        steps += 1
        mean[:] = decay_mean * mean + (1 - decay_mean) * gradient
        square[:] = decay_square * square + (1 - decay_square) * gradient**2
        corrected = mean / (1 - decay_mean**steps)
        scale = np.sqrt(square / (1 - decay_square**steps)) + ADAM_EPSILON
        parameters -= learning_rate * corrected / scale

    return step


OPTIMIZERS: Mapping[str, Callable[[float, int], Step]] = MappingProxyType(
    {"gradient_descent": gradient_descent, "momentum": momentum, "adam": adam}
)
