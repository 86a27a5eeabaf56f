"""What a loss that we do not know does to other outputs than the model's.

A loss is a function of outputs and targets, cheap beside the model. Asked about quieter
outputs, about logits at the classes' shares, and about the targets themselves, it says
what a known loss says by its name: whether it is saturated, whether it minds a prior,
and whether it compares outputs with targets as they are.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# Logits of a sure answer, and how near a loss of them is to the binary cross-entropy.
_SURE, _NEAR = 8.0, 2e-3
# Outputs below are judged as they are: no loss in use is flat there.
_QUIET = 3.0


def probe_loss(
    loss: Callable[[Tensor], Tensor], output: Tensor, target: Tensor | None
) -> dict[str, Any]:
    """Return fields of `OutputReading`: `loss_slope`, `loss_quiet` and others.

    Args:
        loss: Of the output that takes the model's place.
        output: Of the model.
        target: That the loss compares it with, if there is one of that size.

    Example:
        >>> goal = torch.tensor([0.0, 0.0, 1.0])
        >>> def loss(z):
        ...     return torch.nn.functional.binary_cross_entropy(z.sigmoid(), goal)
        >>> found = probe_loss(loss, torch.full((3,), 200.0), goal)
        >>> found["loss_slope"], round(found["loss_quiet"], 2)
        (0.0, 0.98)
    """
    found: dict[str, Any] = {}
    output = output.detach()
    size = float(output.float().square().mean().sqrt())
    if not (math.isfinite(size) and size > 0):
        return found
    if size > _QUIET:
        here, there = _slope(loss, output)[1], _slope(loss, output / size)
        found["loss_quiet"] = there[0]
        found["loss_slope"] = here / there[1] if there[1] > 0 else math.nan
    if target is None or target.numel() != output.numel():
        return found
    goal = target.detach().to(output.dtype).reshape(output.shape)
    if bool(((goal == 0) | (goal == 1)).all()):
        found["loss_binary"] = _is_binary_cross_entropy(loss, goal)
    if not target.is_floating_point():
        return found
    found["target_binary"] = bool(((goal == 0) | (goal == 1)).all())
    if not found["target_binary"]:
        found["loss_at_targets"] = _value(loss, goal)
    return found


def _is_binary_cross_entropy(loss: Callable[[Tensor], Tensor], goal: Tensor) -> bool:
    """Whether a loss is the binary cross-entropy of logits, whatever its name.

    Example:
        >>> goal = torch.tensor([0.0, 1.0])
        >>> def loss(z):
        ...     return torch.nn.functional.binary_cross_entropy_with_logits(z, goal)
        >>> [_is_binary_cross_entropy(of, goal) for of in (loss, torch.mean)]
        [True, False]
    """
    answer = (2 * goal - 1) * _SURE
    return all(
        math.isclose(
            _value(loss, sign * answer), math.log1p(math.exp(-sign * _SURE)),
            rel_tol=_NEAR, abs_tol=_NEAR,
        )
        for sign in (-1, 0, 1)
    )  # fmt: skip


def is_cross_entropy(
    loss: Callable[[Tensor], Tensor], output: Tensor, labels: Tensor
) -> bool:
    """Whether a loss is the cross-entropy of logits, whatever its name.

    Labels that it leaves out, and weights of the classes, change nothing of that.

    Args:
        loss: Of the output that takes the model's place.
        output: Of the model, with classes on the last axis or the second.
        labels: Whole numbers in the shape of the output without its classes.

    Example:
        >>> labels, entropy = torch.tensor([0, 2, 2]), torch.nn.functional.cross_entropy
        >>> def loss(z):
        ...     return entropy(z, labels)
        >>> def smooth(z):
        ...     return entropy(z, labels, label_smoothing=0.1)
        >>> logits = torch.zeros(3, 4)
        >>> [is_cross_entropy(of, logits, labels) for of in (loss, smooth)]
        [True, False]
    """
    axis = _class_axis(output, labels)
    classes = output.shape[axis]
    at = labels.long().clamp(0, classes - 1).unsqueeze(axis)
    return all(
        math.isclose(
            _value(loss, torch.zeros_like(output.detach()).scatter_(axis, at, -size)),
            size + math.log(classes - 1 + math.exp(-size)),
            rel_tol=_NEAR, abs_tol=_NEAR,
        )
        for size in (0.0, _SURE)
    )  # fmt: skip


def probe_prior(
    loss: Callable[[Tensor], Tensor],
    output: Tensor,
    target: Tensor,
    ignored: int | None,
) -> float:
    """Return a loss, if the output had on average the logits of the targets' shares.

    A loss that weighs rare classes does not get smaller by that.

    Args:
        loss: Of the output that takes the model's place.
        output: Logits, with classes on the last axis or the second.
        target: Labels, or 0 and 1 in the shape of the output.
        ignored: The label that the loss leaves out.
    """
    output = output.detach()
    if target.is_floating_point():
        share = target.float().mean().clamp(1e-6, 1 - 1e-6)
        return _value(loss, output - output.mean() + torch.log(share / (1 - share)))
    axis = _class_axis(output, target)
    classes = output.shape[axis]
    kept = (target >= 0) & (target < classes)
    if ignored is not None:
        kept &= target != ignored
    labels = target[kept].long()
    counts = torch.bincount(labels, minlength=classes).to(output.dtype)
    shares = (counts + 0.5) / (counts.sum() + 0.5 * classes)
    others = [place for place in range(output.dim()) if place != axis]
    along = [-1 if place == axis else 1 for place in range(output.dim())]
    moved = output - output.mean(dim=others, keepdim=True)
    return _value(loss, moved + shares.log().reshape(along))


def _class_axis(output: Tensor, labels: Tensor) -> int:
    return output.dim() - 1 if output.shape[:-1] == labels.shape else 1


def _value(loss: Callable[[Tensor], Tensor], output: Tensor) -> float:
    with torch.no_grad():
        return float(loss(output).mean())


def _slope(loss: Callable[[Tensor], Tensor], output: Tensor) -> tuple[float, float]:
    """Return the loss, and how much a relative change of the outputs changes it.

    Relative, since a loss of cosines minds no scale.
    """
    leaf = output.clone().requires_grad_()
    value = loss(leaf).mean()
    size = float(value.detach())
    if not value.requires_grad:
        return size, math.nan
    (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True)
    if gradient is None:
        return size, math.nan
    norms = [float(torch.linalg.vector_norm(t.float())) for t in (gradient, output)]
    return size, norms[0] * norms[1]
