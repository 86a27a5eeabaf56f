"""Optimizers on the flat vector of parameters, in place.

Each takes the vector that it is to update, and gives a step: a function of gradients.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

Flat = Float[np.ndarray, "_number"]
Step = Callable[[np.ndarray], None]

MOMENTUM = 0.9
ADAM_DECAYS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


def gradient_descent(parameters: Flat, learning_rate: float) -> Step:
    """Return `w <- w - learning_rate g`."""

    def step(gradient: np.ndarray) -> None:
        np.subtract(parameters, learning_rate * gradient, out=parameters)

    return step


def momentum(parameters: Flat, learning_rate: float) -> Step:
    """Return `v <- .9 v + g; w <- w - learning_rate v` (Polyak 1964, as in PyTorch)."""
    velocity = np.zeros_like(parameters)

    def step(gradient: np.ndarray) -> None:
        velocity[:] = MOMENTUM * velocity + gradient
        np.subtract(parameters, learning_rate * velocity, out=parameters)

    return step


def adam(parameters: Flat, learning_rate: float) -> Step:
    """Return Adam with bias correction (Kingma & Ba 2015, algorithm 1)."""
    mean, square = np.zeros_like(parameters), np.zeros_like(parameters)
    decay_mean, decay_square = ADAM_DECAYS
    steps = 0

    def step(gradient: np.ndarray) -> None:
        nonlocal steps
        steps += 1
        mean[:] = decay_mean * mean + (1 - decay_mean) * gradient
        square[:] = decay_square * square + (1 - decay_square) * gradient**2
        corrected = mean / (1 - decay_mean**steps)
        scale = np.sqrt(square / (1 - decay_square**steps)) + ADAM_EPSILON
        np.subtract(parameters, learning_rate * corrected / scale, out=parameters)

    return step


OPTIMIZERS: Mapping[str, Callable[[Flat, float], Step]] = MappingProxyType(
    {"gradient_descent": gradient_descent, "momentum": momentum, "adam": adam}
)
