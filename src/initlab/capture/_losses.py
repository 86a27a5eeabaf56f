"""The loss of a model's outputs, and what outputs and targets are like."""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from initlab.capture._batch import tensors_held, tensors_in
from initlab.capture._moments import as_real
from initlab.capture._own_loss import loss_of
from initlab.errors import InvalidValueError
from initlab.spec import OutputReading

# What holds tensors in plain sight, if it holds any.
_PLAIN = (bool, int, float, str, tuple, list, dict)
# A mask is an own group of numbers below this one, and below all others' size times
# that; a loss that meets it is as large as a share of it.
_FAR_BELOW, _TIMES, _MET = -1e3, 10.0, 1e-4
_LARGE_LOSS = 100.0
# Fewer rows of a class say nothing of what they have in common.
_TWO = 2


class TargetsError(InvalidValueError):
    """Targets fit no loss of the outputs that we know, and none was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss with what is known of it.

    Attributes:
        value: The loss, or None where there is none.
        reading: Facts of outputs and targets.
        of: The loss of another first output in the model's place; None where it is not
            the user's.
        output: The first output.
        ask: The loss of other outputs, by the `id` of those whose places they take.
        outputs: All that the loss was given.
    """

    value: Tensor | None
    reading: OutputReading
    of: Callable[[Tensor], Tensor] | None = None
    output: Tensor | None = None
    ask: Callable[[Mapping[int, Tensor]], Tensor] | None = None
    outputs: tuple[Tensor, ...] = ()


def read_loss(
    outputs: Any,
    targets: Any,
    loss: Callable[..., Tensor] | nn.Module | None,
    *,
    strict: bool = True,
) -> Loss:
    """Return the loss of a model's outputs, and what they and the targets are like.

    Args:
        outputs: Of the model: logits, or a structure that holds a loss itself.
        targets: Or None.
        loss: Called with outputs and targets; None: the model's own, else
            cross-entropy for whole numbers, mean squared error for real ones.
        strict: Whether targets that fit no such loss are refused, not left out.

    Raises:
        InvalidValueError: If there is no output, or the loss gives no tensor, raises
            an exception, or needs targets where there are none.
        TargetsError: If a tensor of targets fits no loss that we could take.
    """
    if outputs is None or (type(outputs) in _PLAIN and not tensors_held(outputs)):
        raise InvalidValueError(
            f"model: forward returns no tensor, got {shown(outputs)}; is there a "
            "return missing?"
        )
    own = _own_loss(outputs)
    first = _first_output(outputs)
    if loss is not None:
        asked, tree, given = loss_of(loss, outputs, first, targets)
        kind, ignored = _named_loss(loss), ignored_by(loss)
        found = _with_targets(asked, kind, first, targets, ignored)
        if first is None:
            return replace(found, output=first)

        def ask(others: Mapping[int, Tensor]) -> Tensor:
            return loss(_replaced(tree, others), *given)

        return replace(
            found,
            of=lambda other: ask({id(first): other}),
            output=first,
            ask=ask,
            outputs=tuple(tensors_in(tree)),
        )
    if own is not None:
        return replace(_with_targets(own, "model's own", first, targets), output=first)
    target = next(iter(tensors_in(targets)), None)
    if target is None or first is None:
        return Loss(
            value=None, reading=_reading(_output_facts(first, None)), output=first
        )
    value, kind = _guessed_loss(first, target)
    if value is None and strict and isinstance(targets, Tensor):
        raise TargetsError(f"targets: {_misfit(first, target)}")
    return replace(_with_targets(value, kind, first, target), output=first)


def _replaced(tree: Any, others: Mapping[int, Tensor]) -> Any:
    """Return a structure of outputs with some of them replaced.

    Raises:
        TypeError: If it is of a kind that cannot be made anew.
    """
    if isinstance(tree, Tensor):
        return others.get(id(tree), tree)
    if type(tree) is dict:
        return {key: _replaced(value, others) for key, value in tree.items()}
    if type(tree) in (tuple, list):
        return type(tree)(_replaced(value, others) for value in tree)
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(_replaced(value, others) for value in tree)
    if isinstance(tree, dict):  # such as libraries' outputs, whose items are attributes
        changed = copy.copy(tree)
        for key, value in tree.items():
            changed[key] = _replaced(value, others)
        return changed
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise TypeError(f"outputs: cannot be made anew with another tensor: {type(tree)}")


def _own_loss(outputs: Any) -> Tensor | None:
    found = getattr(outputs, "loss", None)
    if found is None and isinstance(outputs, dict):
        found = outputs.get("loss")
    if found is None and isinstance(outputs, tuple | list):
        scalars = [
            t for t in outputs if isinstance(t, Tensor) and t.dim() == 0
            and t.requires_grad
        ]  # fmt: skip
        found = scalars[0] if len(scalars) == 1 else None
    if isinstance(outputs, Tensor) and outputs.dim() == 0:
        found = outputs
    return found if isinstance(found, Tensor) and found.dim() == 0 else None


def _first_output(outputs: Any) -> Tensor | None:
    if isinstance(outputs, dict) and isinstance(outputs.get("logits"), Tensor):
        return outputs["logits"]
    logits = getattr(outputs, "logits", None)
    if isinstance(logits, Tensor):
        return logits
    floating = [t for t in tensors_in(outputs) if t.is_floating_point() and t.dim()]
    return floating[0] if floating else None


def _named_loss(loss: Any) -> str:
    name = getattr(loss, "__name__", type(loss).__name__).lower().replace("_", "")
    if "crossentropy" in name and "binary" not in name:
        return "cross_entropy"
    if "bcewithlogits" in name or "binarycrossentropywithlogits" in name:
        return "binary"
    return "mse" if name.startswith("mse") else "given"


def _guessed_loss(first: Tensor, target: Tensor) -> tuple[Tensor | None, str]:
    out = first.float()
    if not target.is_floating_point() and target.dtype != torch.bool:
        logits = _as_logits(out, target)
        if logits is not None:
            return functional.cross_entropy(*logits), "cross_entropy"
    if target.numel() == out.numel():
        goal = target.float().reshape(out.shape)
        if bool(((goal == 0) | (goal == 1)).all()):
            return functional.binary_cross_entropy_with_logits(out, goal), "binary"
        return functional.mse_loss(out, goal), "mse"
    return None, ""


def ignored_by(loss: Any) -> int | None:
    """Return the label that a loss leaves out, if it says so."""
    found = getattr(loss, "ignore_index", None)
    if found is None and isinstance(loss, partial):
        found = loss.keywords.get("ignore_index")
    return found if isinstance(found, int) else None


def _as_logits(
    out: Tensor, target: Tensor, ignored: int | None = None
) -> tuple[Tensor, Tensor] | None:
    """Return logits `(row, class)` and labels, whichever axis holds the classes.

    Args:
        out: Outputs.
        target: That may be labels.
        ignored: The label that a loss left out which has taken these targets: what is
            beyond the classes was left out, too. None: such targets are no labels.
    """
    rows = _rows(out, target)
    if rows is None or rows.shape[1] < 2:
        return None
    labels = target.long().reshape(-1)
    kept = labels >= 0
    if ignored is not None:
        kept &= (labels != ignored) & (labels < rows.shape[1])
    if not bool(kept.any()) or int(labels[kept].max()) >= rows.shape[1]:
        return None
    return rows[kept], labels[kept]


def _rows(out: Tensor, target: Tensor) -> Tensor | None:
    """Return outputs `(row, class)` with a row per target, or None."""
    if out.shape[:-1] == target.shape:
        return out.reshape(-1, out.shape[-1])
    if out.dim() > 1 and (out.shape[0], *out.shape[2:]) == tuple(target.shape):
        return out.movedim(1, -1).reshape(-1, out.shape[1])
    return None


def _misfit(out: Tensor, target: Tensor) -> str:
    """Return why no loss was found that takes outputs and targets, and what to do."""
    counted = not target.is_floating_point() and target.dtype != torch.bool
    rows = _rows(out, target) if counted else None
    if rows is None:
        return (
            f"shape {tuple(target.shape)} does not fit outputs of shape "
            f"{tuple(out.shape)}; one label per row of them, one number per output, or "
            "give a loss="
        )
    if not (target >= 0).any():
        return "all are negative, so that none counts; labels start at 0"
    return (
        f"labels up to {int(target.max())} do not fit outputs of {rows.shape[1]} "
        f"classes; labels from 0 to {rows.shape[1] - 1}, or give a loss="
    )


def shown(value: Any) -> str:
    """Return a value as it is written, if that is short, else its type."""
    text = repr(value)
    return text if len(text) < 40 else type(value).__name__


def _with_targets(
    value: Tensor | None,
    kind: str,
    first: Tensor | None,
    targets: Any,
    ignored: int | None = None,
) -> Loss:
    target = next(iter(tensors_in(targets)), None)
    of_one = first is not None and (first.dim() < _TWO or first.shape[-1] == 1)
    if kind == "cross_entropy" and of_one:
        kind = "given"  # of one logit it is the binary one, whatever its name says
    if value is not None and value.dim():
        value = value.reshape(())
    facts = _output_facts(first, value)
    if value is not None:
        facts |= {"loss_kind": kind, "loss": float(value.detach())}
    if target is not None and first is not None:
        facts |= _target_facts(first.detach().float(), target, kind, ignored)
    return Loss(value=value, reading=_reading(facts))


def _target_facts(
    first: Tensor, target: Tensor, kind: str, ignored: int | None
) -> dict[str, Any]:
    if not target.is_floating_point() and kind != "mse":
        pair = _as_logits(first, target, ignored)
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


def _output_facts(first: Tensor | None, loss: Tensor | None) -> dict[str, Any]:
    if first is None:
        return {}
    x = as_real(first.detach()).float()
    mask = _mask(x, loss)
    seen = x if mask is None else x[~mask]
    bad = int((~torch.isfinite(seen)).sum())
    facts: dict[str, Any] = {
        "shape": tuple(first.shape),
        "mean": float(seen.mean()),
        "rms": float(seen.square().mean().sqrt()),
        "std": float(seen.std(unbiased=False)),
        "examples": len(first) if first.dim() else 0,
        "nonfinite": bad,
        "masked": 0 if mask is None else int(mask.sum()),
    }
    axis = 1 if x.dim() > 3 else -1
    if x.dim() >= 2 and x.shape[axis] > 1:
        facts |= _as_logits_facts(x, mask, axis)
    return facts


def _as_logits_facts(x: Tensor, mask: Tensor | None, axis: int) -> dict[str, float]:
    """Return what logits say by themselves: of each row, of what is not masked."""
    if mask is None:
        excess = torch.logsumexp(x, dim=axis) - x.mean(dim=axis)
        return {
            "random_excess": float(excess.mean()) - math.log(x.shape[axis]),
            "std": float(x.std(dim=axis, unbiased=False).mean()),
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


def _reading(facts: dict[str, Any]) -> OutputReading:
    return OutputReading(**facts)
