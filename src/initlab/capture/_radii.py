"""The largest eigenvalue of a recurrent weight, in absolute value, by its powers."""

import math

import torch
from torch import Tensor
from torch.linalg import matrix_norm

# Eigenvalues themselves would cost ten times as much, and more than a training step.
_SQUARINGS = 8
# Above this size, what powers do to a few vectors costs less than powers: within 8 %.
_LARGEST_SQUARED = 256
_VECTORS, _STEPS = 8, 16


def spectral_radius(rows: Tensor, parts: int) -> float:
    """Return the largest spectral radius of the square parts; nan if there are none.

    It is the growth of a power's norm by a step, within 1 % (Gelfand, 1941).

    Args:
        rows: The weight, `(parts * width, width)`, in single or double precision.
        parts: One, or one per gate.
    """
    width = rows.shape[1]
    if len(rows) != parts * width or not bool(torch.isfinite(rows).all()):
        return math.nan
    squares = rows.reshape(parts, width, width)
    largest = squares.abs().amax(dim=(1, 2), keepdim=True)
    # Of a part of zeros, or with a power of zeros, the growth is nan: none.
    parts_of_one = squares / largest
    grow = _of_powers if width <= _LARGEST_SQUARED else _of_vectors
    return float((grow(parts_of_one) * largest.flatten()).nan_to_num(0.0).amax())


def circular_law(entries: Tensor, width: int) -> float:
    """Return the radius of a square of so many random numbers a side (Girko, 1985)."""
    return float(entries.std()) * math.sqrt(width)


def _of_powers(squares: Tensor) -> Tensor:
    """Return by what the last of the powers multiplies the norm of the one before."""
    logs = torch.zeros_like(squares[:, 0, 0])
    for doubled in range(_SQUARINGS):
        norms = matrix_norm(squares, keepdim=True)
        logs += norms.flatten().log() / 2**doubled
        squares = (squares / norms) @ (squares / norms)
    return (logs + matrix_norm(squares).log() / 2 ** (_SQUARINGS - 1)).exp()


def _of_vectors(squares: Tensor) -> Tensor:
    """Return by what a step multiplies the norm of a few vectors, after as many."""
    random = torch.Generator().manual_seed(0)
    start = torch.randn(squares.shape[1], _VECTORS, generator=random)
    vectors, logs = start.to(squares), torch.zeros_like(squares[:, 0, 0])
    for step in range(_STEPS):
        vectors = squares @ vectors
        norms = matrix_norm(vectors, keepdim=True)
        vectors = vectors / norms
        if step >= _STEPS // 2:
            logs += norms.flatten().log()
    return (logs / (_STEPS - _STEPS // 2)).exp()
