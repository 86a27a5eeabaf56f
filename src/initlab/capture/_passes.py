"""Back from a random product of the outputs, and from the loss."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from initlab.capture._batch import tensors_held, tensors_in
from initlab.capture._moments import as_real


def differentiable(tree: Any, *, held: bool = False) -> list[Tensor]:
    """Return the outputs that depend on something trainable.

    Args:
        tree: What a model returns.
        held: Whether what objects hold is an output beside what containers do.
    """
    return [
        t
        for t in (not held and tensors_in(tree)) or tensors_held(tree)
        if t.requires_grad and (t.is_floating_point() or t.is_complex())
    ]


def random_gradients(
    roots: Sequence[Tensor], parameters: Sequence[Tensor], seed: int, *, keep: bool
) -> list[Tensor | None]:
    """Return gradients of the roots times standard normal numbers, summed.

    Args:
        roots: Outputs, or what enters a head of zeros.
        parameters: By which; None where nothing depends on one.
        seed: Of the numbers.
        keep: Whether the graph is needed again.
    """
    generator = torch.Generator().manual_seed(seed)
    products = []
    for root in roots:
        numbers = torch.randn(root.shape, generator=generator, dtype=torch.float32)
        numbers = numbers.to(root.device, root.dtype)
        # Given as the gradients of roots, they would have torch load SymPy first.
        with torch.enable_grad():
            product = torch.dot(as_real(root).flatten(), as_real(numbers).flatten())
        products.append(product)
    return _gradients(products, parameters, keep=keep)


def loss_gradients(
    loss: Tensor, parameters: Sequence[Tensor], *, keep: bool
) -> list[Tensor | None]:
    """Return the gradients of a loss by parameters."""
    return _gradients([loss], parameters, keep=keep)


def _gradients(
    roots: Sequence[Tensor], parameters: Sequence[Tensor], *, keep: bool
) -> list[Tensor | None]:
    # A model may freeze some as it runs.
    asking = [parameter for parameter in parameters if parameter.requires_grad]
    if not roots or not asking:
        return [None] * len(parameters)
    with _set_aside(parameters):
        found = torch.autograd.grad(roots, asking, retain_graph=keep, allow_unused=True)
        of = dict(zip(map(id, asking), found, strict=True))
        return [_total(of.get(id(one)), one.grad) for one in parameters]


@contextmanager
def _set_aside(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Leave parameters without `.grad` inside, and give the old one back afterwards.

    A Function that runs its layers again on the way back, as reversible ones do, adds
    to `.grad` in place, so that what a user had there would be lost.
    """
    kept = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, grad in zip(parameters, kept, strict=True):
            parameter.grad = grad


def _total(gradient: Tensor | None, inner: Tensor | None) -> Tensor | None:
    """Return the sum of what came back, and of what Functions added on the way."""
    if gradient is None or inner is None:
        return inner if gradient is None else gradient
    return gradient + inner
