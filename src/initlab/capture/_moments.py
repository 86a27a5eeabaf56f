"""Reductions of tensors to numbers, done at once: what is stored may be overwritten."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

# Enough for a mean cosine to 1 %, and cheap beside any layer.
_EXAMPLES, _FEATURES = 32, 4096
# Units that are equal but for rounding.
_EQUAL = 1e-5
_LARGEST_SORTED, _AT_A_TIME = 200_000, 4096
# Squares of float32 below have lost digits, and at last are 0.
_SQUARABLE = 1e-15
# Of a row's square, what is left without its mean for the difference to be right.
_CENTRED = 0.01
# Of the rms, a deviation below which the difference of float32 squares is 1 % off.
_NEARLY_CONSTANT = 0.03


Products = Float64[np.ndarray, "row row"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Of all entries that are finite, and how many are not."""

    mean: float
    std: float
    rms: float
    nonfinite: int


def as_real(tensor: Tensor) -> Tensor:
    """Return a tensor, of complex numbers both parts along an axis of their own.

    Example:
        >>> as_real(torch.tensor([1.0 + 2.0j])).tolist(), as_real(torch.ones(2)).shape
        ([[1.0, 2.0]], torch.Size([2]))
    """
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def norm(tensor: Tensor) -> float:
    """Return the Euclidean norm of a real tensor, however small or large it is.

    Example:
        >>> # Squares of these are 0 in float32.
        >>> f"{norm(torch.tensor([3e-30, 4e-30])):.3g}"
        '5e-30'
    """
    found = float(torch.linalg.vector_norm(tensor))
    if _SQUARABLE < found < math.inf or tensor.dtype == torch.float64:
        return found
    return float(torch.linalg.vector_norm(tensor.double()))


def is_zero(tensor: Tensor) -> bool:
    """Whether all entries are 0; most often the first one tells.

    Example:
        >>> is_zero(torch.zeros(2, 2)), is_zero(torch.eye(2)[:, 1])
        (True, False)
    """
    first = tensor[(0,) * tensor.dim()] if tensor.numel() else tensor
    return not (bool(first.any()) or bool(tensor.any()))


def row_norms(matrix: Tensor) -> Tensor:
    """Return the Euclidean norm of each row."""
    return torch.linalg.vector_norm(matrix, dim=1)


def column_norms(matrix: Tensor) -> Tensor:
    """Return the Euclidean norm of each column, ten times as fast as torch's own."""
    return matrix.square().sum(dim=0).sqrt()


def moments(tensor: Tensor) -> Moments:
    """Return mean, standard deviation and root mean square of a tensor's entries.

    Example:
        >>> found = moments(torch.tensor([1.0, 3.0]))
        >>> round(found.mean, 4), round(found.std, 4), round(found.rms, 4)
        (2.0, 1.0, 2.2361)
    """
    x = as_real(tensor.detach())
    if not x.is_floating_point():
        x = x.float()
    if x.numel() == 0:
        return Moments(math.nan, math.nan, math.nan, 0)
    if x.dtype in (torch.float16, torch.bfloat16):
        x = x.float()
    # One pass over memory each.
    mean = float(x.mean(dtype=x.dtype))
    rms = norm(x) / math.sqrt(x.numel())
    if not (math.isfinite(mean) and math.isfinite(rms)):
        finite = torch.isfinite(x)
        bad = int(x.numel() - finite.sum())
        x = x.double()[finite]
        if x.numel() == 0:
            return Moments(math.nan, math.nan, math.nan, bad)
        mean, rms = float(x.mean()), float(x.square().mean().sqrt())
        return Moments(mean, math.sqrt(max(rms**2 - mean**2, 0.0)), rms, bad)
    std = math.sqrt(max(rms**2 - mean**2, 0.0))
    if std < _NEARLY_CONSTANT * rms:
        std = float((x - mean).double().square().mean().sqrt())
    return Moments(mean, std, rms, 0)


def cosines(tensor: Tensor) -> tuple[float, float]:
    """Return the mean cosine of two examples, as they are and centred over units.

    Example:
        >>> cosines(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))[0]
        0.0
    """
    x = as_real(tensor.detach())
    if x.dim() < 2 or len(x) < 2 or not x.numel():
        return math.nan, math.nan
    x = x[:_EXAMPLES].reshape(min(len(x), _EXAMPLES), -1)
    stride = max(1, x.shape[1] // _FEATURES)
    # An odd stride visits all channels of a channels-last row as well.
    x = x[:, :: stride + (stride % 2 == 0 and stride > 1)].float().contiguous()
    mean = x.mean(dim=1, keepdim=True)
    products, means = _products(x), mean.double().cpu().numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        centred = products - x.shape[1] * means * means.T
        # Of rows that are nearly constant, too few digits are left.
        if not (centred.diagonal() > _CENTRED * products.diagonal()).all():
            centred = _products(x - mean)
    return _mean_cosine(products), _mean_cosine(centred)


def token_cosine(tensor: Tensor) -> float:
    """Return the mean cosine of two tokens of `(example, token, feature)`, or nan.

    Example:
        >>> round(token_cosine(torch.ones(1, 2, 3)), 4)
        1.0
    """
    x = tensor.detach()
    if x.dim() != 3 or x.shape[1] < 2 or x.is_complex() or not x.numel():
        return math.nan
    found = [_mean_cosine(_products(each)) for each in x[:4, :_EXAMPLES].float()]
    return sum(found) / len(found)


def spread(tensor: Tensor) -> float:
    """Return how far vectors along the last axis are from their mean, over their size.

    0 where all are the same: a layer that is given them can learn in one direction.

    Example:
        >>> spread(torch.ones(4, 1, 3)), spread(torch.tensor([[3.0], [-3.0]]))
        (0.0, 1.0)
    """
    x = as_real(tensor.detach())
    if x.dim() < 2 or len(x) < 2 or not x.numel():
        return math.nan
    x = x[:_EXAMPLES].reshape(-1, x.shape[-1]).float()
    size = float(torch.linalg.vector_norm(x))
    return float(torch.linalg.vector_norm(x - x.mean(dim=0))) / size if size else 0.0


def _products(x: Tensor) -> Products:
    """Return the inner products of all pairs of rows."""
    found: Products = (x @ x.T).double().cpu().numpy()
    return found


def _mean_cosine(products: Products) -> float:
    """Return the mean cosine of two rows that are not zero, by their inner products."""
    norms = np.sqrt(products.diagonal())
    is_there = norms > 1e-12 * norms.max()
    count = int(is_there.sum())
    if count < 2:
        return math.nan
    weights = np.divide(1.0, norms, out=np.zeros_like(norms), where=is_there)
    total = float(weights @ products @ weights)
    return (total - count) / (count * (count - 1))


def equal_rows(rows: Tensor, tolerance: float = _EQUAL) -> list[list[int]]:
    """Return groups of rows that are equal, not zero, in order.

    By projections on one random direction, then by distance.

    Args:
        rows: A matrix.
        tolerance: Largest distance of equal ones, over their size.

    Example:
        >>> equal_rows(torch.tensor([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]]))
        [[0, 2]]
    """
    if not 2 <= len(rows) <= _LARGEST_SORTED or rows.numel() == 0:
        return []
    rows = rows.float()
    largest = max(abs(float(end)) for end in rows.aminmax())
    if not _SQUARABLE < largest < 1 / _SQUARABLE and 0 < largest < math.inf:
        rows = rows / largest
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(rows.shape[1], generator=generator, dtype=rows.dtype).to(
        rows.device
    )
    norms = row_norms(rows)
    projected, order = torch.sort(rows @ direction)
    lengths = norms[order]
    scale = lengths * float(torch.linalg.vector_norm(direction))
    close = (projected[1:] - projected[:-1]) <= tolerance * scale[1:]
    # By chance many are close there; of these, few are of one length.
    close &= (lengths[1:] - lengths[:-1]).abs() <= 2 * tolerance * lengths[1:]
    if not bool(close.any()):
        return []
    groups: list[list[int]] = []
    for first, second in _equal_pairs(rows, norms, order, close, tolerance):
        if groups and groups[-1][-1] == first:
            groups[-1].append(second)
        else:
            groups.append([first, second])
    return sorted(sorted(group) for group in groups)


def _equal_pairs(
    rows: Tensor, norms: Tensor, order: Tensor, close: Tensor, tolerance: float
) -> Iterator[tuple[int, int]]:
    """Yield the neighbours in an order that are equal, of those that may be."""
    # Of a vocabulary thousands are close by chance: some at a time, to save memory.
    for places in torch.split(torch.nonzero(close).flatten(), _AT_A_TIME):
        first, second = order[places], order[places + 1]
        apart = torch.linalg.vector_norm(rows[first] - rows[second], dim=1)
        equal = (norms[first] > 0) & (apart <= tolerance * norms[first])
        yield from zip(first[equal].tolist(), second[equal].tolist(), strict=True)


def copies(groups: list[list[int]]) -> int:
    """Return how many rows are copies of an earlier one."""
    return sum(len(group) - 1 for group in groups)
