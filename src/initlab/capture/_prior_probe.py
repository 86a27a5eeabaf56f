"""Which outputs a loss would rather have elsewhere, asked one output at a time.

A model may give several outputs to a loss that we do not know. Where a target is far
from what an output can be at the start, the loss is asked whether it minds: once with
that output moved to the prior, once with it at the targets. What other outputs add to
the loss is in neither difference.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from initlab.spec import PriorReading

Ask = Callable[[Mapping[int, Tensor]], Tensor]

# Gates, below which a loss is not asked at all.
_SHARE, _SPREADS, _AWAY, _LOG_AWAY = 0.9, 3.0, 1.0, 3.0
_GAIN = 0.5
# A candidate costs one evaluation of the loss, and two more where the loss falls.
_MOST_CANDIDATES, _MOST_HEADS, _MOST_TENSORS = 6, 4, 8
# Share of the loss that falls, at least. Not all tensors of the targets are targets: a
# mean that is another's must not be taken for this output's.
_LEAST_FALL = {"identity": 0.5, "log": 0.5, "logit": 0.1, "classes": 0.1}
# The logit of a certain answer.
_SURE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """One output, moved to where one target would have it.

    The tensors are made when they are needed: logits may be large.
    """

    output: int
    reading: PriorReading
    moved: Callable[[], Tensor]
    ideal: Callable[[], Tensor]


def probe_priors(
    ask: Ask, before: float, outputs: Sequence[Tensor], targets: Sequence[Tensor]
) -> tuple[tuple[Tensor, PriorReading], ...]:
    """Return outputs whose prior a loss asks for, with what it said.

    The output that matters most comes first; others are asked with it in its place, so
    that a scale which makes up for a wrong mean is not taken for wrong itself.

    Args:
        ask: The loss, of tensors in the place of outputs, by these outputs' `id`.
        before: The loss of the model's own outputs.
        outputs: Of the model.
        targets: Of the batch.

    Example:
        >>> outputs = [torch.zeros(9, 1), torch.ones(9, 1)]
        >>> goal = torch.linspace(-1, 1, 9)[:, None]
        >>> def ask(other):
        ...     mean, scale = (other.get(id(one), one) for one in outputs)
        ...     return (((mean - goal - 50) / scale) ** 2 / 2 + scale.log()).mean()
        >>> [(output is outputs[0], round(found.wanted))
        ...  for output, found in probe_priors(ask, 1300.0, outputs, [goal + 50])]
        [(True, 50)]
    """
    given = [output.detach() for output in outputs[:_MOST_TENSORS]]
    asked = [
        (index, target.detach())
        for index, target in enumerate(targets[:_MOST_TENSORS])
        if not any(_is_at(output, target) for output in given)
    ]
    candidates = [
        one
        for number, output in enumerate(given)
        for index, target in asked
        for one in _candidates(number, output, index, target)
    ]
    if not math.isfinite(before):
        return ()
    lower = []
    for one in candidates[:_MOST_CANDIDATES]:
        after = _value(ask, {id(outputs[one.output]): one.moved()})
        if after < before:
            lower.append((after, one))
    placed: dict[int, Tensor] = {}
    found = []
    lower.sort(key=lambda pair: pair[0])
    for after, one in lower[:_MOST_HEADS]:
        key = id(outputs[one.output])
        if key in placed:
            continue
        if placed:
            after = _value(ask, placed | {key: one.moved()})
        if not before - after > _LEAST_FALL[one.reading.link] * abs(before):
            continue
        goal = one.ideal()
        ideal = _value(ask, placed | {key: goal})
        if not ideal < before:
            continue
        if one.reading.link in ("identity", "log"):
            # A loss that keeps falling beyond, as a critic's, has no best place for it.
            beyond = 2 * one.moved() - outputs[one.output].detach()
            if _value(ask, placed | {key: beyond}) < after:
                continue
            # Nor has one that would have outputs louder than the targets: of signs.
            if _value(ask, placed | {key: 2 * goal}) < ideal:
                continue
        if one.reading.link == "logit":
            # A mask among the targets is rare, too, but of no use as an answer.
            always = torch.full_like(goal, float(goal.median()))
            if not ideal < _value(ask, placed | {key: always}):
                continue
        said = replace(
            one.reading, loss=before, shifted=after,
            explained=(before - after) / (before - ideal),
        )  # fmt: skip
        found.append((outputs[one.output], said))
        placed[key] = one.moved()
        before = after
    return tuple(found)


def _value(ask: Ask, others: Mapping[int, Tensor]) -> float:
    try:
        with torch.no_grad():
            # Copies, since a loss may work in place.
            return float(ask({key: t.clone() for key, t in others.items()}).mean())
    except Exception:  # a loss may refuse what no model gives it
        return math.nan


def _candidates(
    number: int, output: Tensor, index: int, target: Tensor
) -> list[_Candidate]:
    """Return where a target would have an output, if that is far from where it is."""
    if not output.is_floating_point() or output.numel() < 2 or target.numel() < 2:
        return []
    if not target.is_floating_point() and target.dtype != torch.bool:
        axis = _class_axis(output, target)
        if axis is not None:
            return _of_classes(number, output, index, target.long(), axis)
    goal = _like(target, output)
    if goal is None or not bool(torch.isfinite(goal).all()):
        return []
    if bool((goal == goal.flatten()[0]).all()):
        return []  # one constant is how a loss is built, as of generators: no prior
    if bool(((goal == 0) | (goal == 1)).all()):
        return _of_yes_and_no(number, output, index, goal)
    found = _of_mean(number, output, index, goal, "identity")
    if bool((goal >= 0).all()):
        found += _of_mean(number, output, index, goal, "log")
    return found


def _is_at(output: Tensor, target: Tensor) -> bool:
    """Whether an output starts where far targets are: it is the one that answers them.

    A variance, which is far from them, must not be taken for their mean.
    """
    if not (output.is_floating_point() and target.is_floating_point()):
        return False
    goal = _like(target, output)
    if goal is None or goal.numel() < 2:
        return False
    wanted, spread = float(goal.mean()), float(goal.std())
    far = abs(wanted) > max(_SPREADS * spread, _AWAY)
    return far and abs(float(output.mean()) - wanted) < _SPREADS * spread


def _made(
    number: int,
    index: int,
    reading: dict[str, Any],
    moved: Callable[[], Tensor],
    ideal: Callable[[], Tensor],
) -> list[_Candidate]:
    about = PriorReading(target=index, **reading)
    return [_Candidate(output=number, reading=about, moved=moved, ideal=ideal)]


def _like(target: Tensor, output: Tensor) -> Tensor | None:
    """Return a target in the shape of an output that several numbers may belong to."""
    goal = target.to(output.dtype)
    if goal.numel() == output.numel():
        return goal.reshape(output.shape)
    if goal.dim() == output.dim() - 1:
        goal = goal.unsqueeze(-1)
    if goal.dim() != output.dim() or goal.shape[0] != output.shape[0]:
        return None
    fits = all(a in (1, b) for a, b in zip(goal.shape, output.shape, strict=True))
    return goal.expand(output.shape) if fits else None


def _of_mean(
    number: int, output: Tensor, index: int, goal: Tensor, link: str
) -> list[_Candidate]:
    wanted = float(goal.mean())
    if link == "log":
        # A count of 0 has no logarithm: far below the mean does as well.
        goal = goal.clamp(min=0.01 * wanted).log()
        wanted = math.log(wanted)
    # A mean that is far off must not make room for itself.
    mean, size = float(output.mean()), float(output.std())
    spread = float(goal.std())
    away = abs(wanted - mean)
    least = _AWAY if link == "identity" else _LOG_AWAY
    if not away > max(_SPREADS * max(spread, size), least):
        return []
    reading: dict[str, Any] = {
        "link": link, "mean": mean, "wanted": wanted, "spread": spread,
    }  # fmt: skip
    shift = wanted - mean
    return _made(number, index, reading, lambda: output + shift, lambda: goal)


def _of_yes_and_no(
    number: int, output: Tensor, index: int, goal: Tensor
) -> list[_Candidate]:
    """Return logits moved to the share, or probabilities by as many logits."""
    share = float(goal.float().mean())
    wanted = math.log(share / (1 - share))
    reading: dict[str, Any] = {
        "link": "logit", "share": max(share, 1 - share), "wanted": wanted,
    }  # fmt: skip
    if bool(((output >= 0) & (output <= 1)).all()):
        logits = torch.logit(output.float(), eps=1e-6)
        back: Callable[[Tensor], Tensor] = torch.sigmoid
    else:
        logits, back = output, torch.clone
    mean = float(logits.mean())
    far = abs(mean - wanted) > max(_LOG_AWAY, _SPREADS * float(logits.std()))
    if not (max(share, 1 - share) > _SHARE or far):
        return []

    def moved() -> Tensor:
        return back(logits + (wanted - mean)).to(output.dtype)

    def ideal() -> Tensor:
        return back((2 * goal - 1) * _SURE)

    return _made(number, index, reading | {"mean": mean}, moved, ideal)


def _class_axis(output: Tensor, target: Tensor) -> int | None:
    """Return the axis of an output that whole numbers are labels of, or None."""
    if output.dim() < 2:
        return None
    axis = output.dim() - 1 if output.shape[:-1] == target.shape else 1
    classes = output.shape[axis]
    if output.shape[:axis] + output.shape[axis + 1 :] != target.shape or classes < 2:
        return None
    beyond = target[target >= classes]
    if len(beyond) and not bool((beyond == beyond[0]).all()):
        return None  # one such may be what the loss leaves out
    return axis


def _of_classes(
    number: int, output: Tensor, index: int, labels: Tensor, axis: int
) -> list[_Candidate]:
    """Return logits at the shares of labels; nothing is asked of even ones."""
    classes = output.shape[axis]
    kept = (labels >= 0) & (labels < classes)
    counts = torch.bincount(labels[kept], minlength=classes).to(torch.float64)
    total, frequent = float(counts.sum()), float(counts.max())
    if total < 2 * classes or frequent == total:
        return []
    shares = counts[counts > 0] / total
    entropy = float(-(shares * shares.log()).sum())
    # Labels drawn uniformly look uneven by about this much.
    gain = math.log(classes) - entropy - (classes - 1) / (2 * total)
    if not (gain > _GAIN or (classes == 2 and frequent > _SHARE * total)):
        return []
    along = [-1 if place == axis else 1 for place in range(output.dim())]
    others = [place for place in range(output.dim()) if place != axis]
    logs = ((counts + 0.5) / (total + 0.5 * classes)).log().to(output.dtype)

    # Logarithms of probabilities: some losses take nothing else, the others do not
    # care.
    def moved() -> Tensor:
        logits = output - output.mean(dim=others, keepdim=True) + logs.reshape(along)
        return logits.log_softmax(dim=axis)

    def ideal() -> Tensor:
        places = labels.clamp(0, classes - 1).unsqueeze(axis)
        logits = torch.zeros_like(output).scatter_(axis, places, _SURE)
        return logits.log_softmax(dim=axis)

    reading = {
        "link": "classes", "share": frequent / total,
        "gain": gain / math.log(classes), "classes": classes,
    }  # fmt: skip
    return _made(number, index, reading, moved, ideal)
