"""What a model's outputs and their targets are like, whatever the loss."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from initlab.capture._moments import as_real, moments

# A mask is a group of numbers of its own: below the first, and further than so many
# times the size of all others; a loss that meets it is at least such a share of it.
_FAR_BELOW, _TIMES, _MET = -1e3, 10.0, 1e-4
_LARGE_LOSS = 100.0
# What rounding leaves of sums of shares, and of a loss.
_ROUNDED = 1e-3
# Fewer rows of a class say nothing of what they have in common.
_TWO = 2


def output_facts(
    first: Tensor | None, loss: Tensor | None, target: Tensor | None = None
) -> dict[str, Any]:
    """Return what `OutputReading` says of the first output, what is masked left out.

    Args:
        first: Output, or None.
        loss: That it has, or None.
        target: Of it, or None; labels tell which axis holds the classes.
    """
    if first is None:
        return {}
    x = as_real(first.detach()).float()
    mask = _mask(x, loss)
    seen = moments(x if mask is None else x[~mask])
    facts: dict[str, Any] = {
        "shape": tuple(first.shape),
        "mean": seen.mean,
        "rms": seen.rms,
        "std": seen.std,
        "examples": len(first) if first.dim() else 0,
        "nonfinite": seen.nonfinite,
        "masked": 0 if mask is None else int(mask.sum()),
    }
    axis = None if target is None else _class_axis(x, target)
    if axis is None:
        axis = 1 if x.dim() > 3 else -1
    if x.dim() >= 2 and x.shape[axis] > 1:
        facts |= _as_logits_facts(x, mask, axis)
    return facts


def target_facts(
    first: Tensor, target: Tensor, kind: str, ignored: int | None
) -> dict[str, Any]:
    """Return what `OutputReading` says of targets, and of their best constant guess.

    Args:
        first: Output, in float32.
        target: Of it.
        kind: Of the loss, as `OutputReading` names it.
        ignored: The label that the loss leaves out, if it says so.
    """
    if not target.is_floating_point() and kind != "mse":
        pair = as_logits(first, target, ignored)
        if pair is not None:
            logits, labels = pair
            counts = torch.bincount(labels, minlength=logits.shape[1]).double()
            share = counts[counts > 0] / counts.sum()
            classes = logits.shape[1]
            # Few examples say little of the prior: no more than uniform is expected.
            return {
                "classes": classes,
                "prior_loss": math.log(classes),
                "class_entropy": float(-(share * share.log()).sum()),
                "class_share": float(share.max()),
                "loss_rows": len(labels),
                "classes_met": int((counts >= _TWO).sum()),
            }
    goal = target.float()
    finite = torch.isfinite(goal)
    missing = int(goal.numel() - finite.sum())
    goal = goal[finite] if missing else goal
    facts = {
        "target_mean": float(goal.mean()),
        "target_std": float(goal.std(unbiased=False)),
        "target_nonfinite": missing,
    }  # fmt: skip
    if kind == "binary":
        p = min(max(float(goal.mean()), 1e-6), 1 - 1e-6)
        facts |= {
            "classes": 2,
            "prior_loss": math.log(2),
            "class_share": max(p, 1 - p),
            "class_entropy": -p * math.log(p) - (1 - p) * math.log(1 - p),
            "loss_rows": goal.numel(),
        }
    elif kind == "mse":
        facts |= {
            "prior_loss": float(goal.var(unbiased=False)),
            "loss_rows": goal.numel(),
        }
    return facts


def as_logits(
    out: Tensor, target: Tensor, ignored: int | None = None
) -> tuple[Tensor, Tensor] | None:
    """Return logits `(row, class)` and labels, whichever axis holds the classes.

    Args:
        out: Outputs.
        target: That may be labels.
        ignored: The label that a loss left out which has taken these targets: what is
            beyond the classes was left out, too. None: such targets are no labels.
    """
    rows = rows_of(out, target)
    if rows is None or rows.shape[1] < 2:
        return None
    labels = target.long().reshape(-1)
    kept = labels >= 0
    if ignored is not None:
        kept &= (labels != ignored) & (labels < rows.shape[1])
    if not bool(kept.any()) or int(labels[kept].max()) >= rows.shape[1]:
        return None
    return rows[kept], labels[kept]


def is_squashed_twice(
    out: Tensor, target: Tensor, loss: float, kind: str, ignored: int | None
) -> bool:
    """Whether a cross-entropy takes a softmax's shares for logits.

    Of a loss that we do not know its value tells, unless all shares are alike: then
    the negative logarithm of shares is the same.

    Args:
        out: Outputs, in float32.
        target: Of them.
        loss: That they have.
        kind: Of the loss, as `OutputReading` names it.
        ignored: The label that the loss leaves out, if it says so.

    Example:
        >>> shares = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
        >>> is_squashed_twice(shares, torch.tensor([0, 1]), 0.404, "given", None)
        True
    """
    pair = None if target.is_floating_point() else as_logits(out, target, ignored)
    if pair is None or kind not in ("cross_entropy", "given", "model's own"):
        return False
    rows, labels = pair
    sums = rows.sum(1)
    if not bool((rows >= 0).all() and ((sums - 1).abs() < _ROUNDED).all()):
        return False
    if kind == "cross_entropy":
        return True
    of_logits = float(functional.cross_entropy(rows, labels))
    of_shares = float(functional.nll_loss(rows.clamp_min(1e-12).log(), labels))
    off = abs(loss - of_logits)
    return off < _ROUNDED and off < abs(loss - of_shares) / 2


def rows_of(out: Tensor, target: Tensor) -> Tensor | None:
    """Return outputs `(row, class)` with a row per target, or None."""
    axis = _class_axis(out, target)
    if axis is None:
        return None
    return out.movedim(axis, -1).reshape(-1, out.shape[axis])


def _class_axis(out: Tensor, target: Tensor) -> int | None:
    """Return the axis that outputs have more than labels, or None if these do not fit.

    Example:
        >>> _class_axis(torch.zeros(8, 32, 64), torch.zeros(8, 64))
        1
    """
    if out.dim() and out.shape[:-1] == target.shape:
        return -1
    if out.dim() > 1 and (out.shape[0], *out.shape[2:]) == tuple(target.shape):
        return 1
    return None


def _as_logits_facts(x: Tensor, mask: Tensor | None, axis: int) -> dict[str, float]:
    """Return what logits say by themselves: of each row, of what is not masked."""
    if mask is None:
        mean = x.mean(dim=axis, keepdim=True)
        excess = torch.logsumexp(x, dim=axis, keepdim=True) - mean
        # Several times as fast as `std`, which of a vocabulary's logits takes longest.
        sizes = torch.linalg.vector_norm(x - mean, dim=axis)
        return {
            "random_excess": float(excess.mean()) - math.log(x.shape[axis]),
            "std": float(sizes.mean()) / math.sqrt(x.shape[axis]),
        }
    count = (~mask).sum(dim=axis)
    rows = count > 1
    if not bool(rows.any()):
        return {}
    shown = x.masked_fill(mask, 0.0)
    mean = shown.sum(dim=axis) / count
    excess = torch.logsumexp(x.masked_fill(mask, -math.inf), dim=axis) - mean
    apart = (shown - mean.unsqueeze(axis)).masked_fill(mask, 0.0)
    std = (apart.square().sum(dim=axis) / count).sqrt()
    return {
        "random_excess": float((excess - count.log())[rows].mean()),
        "std": float(std[rows].mean()),
    }


def _mask(x: Tensor, loss: Tensor | None) -> Tensor | None:
    """Return where outputs are masked: -inf, or a group far below all others.

    Numbers that only spread far have some in between, and a loss that meets such a
    number is large: then it is no mask. All entries are none either.

    Example:
        >>> _mask(torch.tensor([[1.0, -1e9, 0.5]]), None)
        tensor([[False,  True, False]])
        >>> _mask(torch.tensor([[1.0, -2e3, -1e9]]), torch.tensor(4e8)) is None
        True
    """
    if x.dim() < 2 or not x.numel():
        return None
    low = float(x.amin())
    if not low < _FAR_BELOW:
        return None
    mask = x == -math.inf
    rest = x[~mask]
    low = float(rest.amin()) if rest.numel() else 0.0
    met = loss is not None and not float(loss.detach()) < max(_LARGE_LOSS, -_MET * low)
    if low < _FAR_BELOW and not met:
        others = rest[rest > low / 2]
        if others.numel() and float(others.abs().amax()) * _TIMES < -low:
            mask = x <= low / 2
    return mask if bool(mask.any()) and not bool(mask.all()) else None
