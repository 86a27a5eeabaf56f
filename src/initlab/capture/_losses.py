"""The loss of a model's outputs: the user's, the model's own, or one that fits."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from initlab.capture._batch import tensors_held, tensors_in
from initlab.capture._output_facts import (
    as_logits,
    is_squashed_twice,
    output_facts,
    rows_of,
    target_facts,
)
from initlab.capture._own_loss import loss_of
from initlab.errors import InvalidValueError
from initlab.spec import OutputReading

# What holds tensors in plain sight, if it holds any.
_PLAIN = (bool, int, float, str, tuple, list, dict)


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
            f"forward returns no tensor, got {shown(outputs)}; is there a "
            "return missing?",
            argument="model",
        )
    for odd in tensors_in(outputs):
        if odd.is_nested or odd.layout != torch.strided:
            kind, dense = ("nested", "to_padded_tensor(0.0)") if odd.is_nested else (
                "sparse", "to_dense()"
            )  # fmt: skip
            raise InvalidValueError(
                f"forward returns a {kind} tensor, which cannot be measured; return "
                f".{dense} of it",
                argument="model",
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
    if strict and target is None and targets is not None:
        raise TargetsError(
            f"tensors, got {shown(targets)}",
            argument="targets",
            fix="give torch.as_tensor(targets), or a loss= that takes them",
        )
    if target is None or first is None:
        return Loss(
            value=None, reading=OutputReading(**output_facts(first, None)), output=first
        )
    value, kind = _guessed_loss(first, target)
    if value is None and strict and isinstance(targets, Tensor):
        misfit, fix = _misfit(first, target)
        raise TargetsError(misfit, argument="targets", fix=fix)
    found = _with_targets(value, kind, first, target, guessed=True)
    return replace(found, output=first)


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
        logits = as_logits(out, target)
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


def _misfit(out: Tensor, target: Tensor) -> tuple[str, str]:
    """Return why no loss was found that takes outputs and targets, and what to do."""
    counted = not target.is_floating_point() and target.dtype != torch.bool
    rows = rows_of(out, target) if counted else None
    if rows is None:
        return (
            f"shape {tuple(target.shape)} does not fit outputs of shape "
            f"{tuple(out.shape)}",
            "one label per row of them, one number per output, or give a loss=",
        )
    if not (target >= 0).any():
        return "all are negative, so that none counts", "labels start at 0"
    return (
        f"labels up to {int(target.max())} do not fit outputs of {rows.shape[1]} "
        "classes",
        f"labels from 0 to {rows.shape[1] - 1}, or give a loss=",
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
    *,
    guessed: bool = False,
) -> Loss:
    target = next(iter(tensors_in(targets)), None)
    of_one = first is not None and (first.dim() < 2 or first.shape[-1] == 1)
    if kind == "cross_entropy" and of_one:
        kind = "given"  # of one logit it is the binary one, whatever its name says
    if value is not None and value.dim():
        value = value.reshape(())
    facts = output_facts(first, value, target)
    if value is not None:
        facts |= {"loss_kind": kind, "loss": float(value.detach())}
    if target is not None and first is not None:
        out = first.detach().float()
        facts |= target_facts(out, target, kind, ignored)
        if value is not None and not guessed:
            facts["squashed_twice"] = is_squashed_twice(
                out, target, float(value.detach()), kind, ignored
            )
    return Loss(value=value, reading=OutputReading(**facts))
