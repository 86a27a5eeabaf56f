"""A model's starting weights repaired: the smallest change per root cause, proven."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import nn

from initlab import capture
from initlab.errors import InvalidValueError
from initlab.pytorch._check import check
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch.repair._change import Change, Undo
from initlab.pytorch.repair._checkpoint import save_weights
from initlab.pytorch.repair._patient import Patient
from initlab.pytorch.repair._remedies import ELSEWHERE, REMEDIES
from initlab.pytorch.repair._training import Trained, compare_training

# Root causes that hide others are repaired in turn; more rounds have never been needed.
_ROUNDS = 12
# A repair may uncover what the fault hid; so many more are repaired along with it.
_FOLLOWING = 3
# Changes of a kind that are printed one by one.
_LISTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrepaired:
    """A finding that stays, and why.

    Attributes:
        id: Of the check.
        where: Parameter or module.
        reason: Why no change was made.
    """

    id: str
    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What was changed, and what was measured before and after.

    Attributes:
        before: The diagnosis of the model as it came.
        after: Of the model repaired; the same as before where nothing was changed.
        changes: In order; a parameter may be changed more than once.
        unrepaired: What was found and left.
        dry_run: Whether the model was left as it came.
        training: Losses of short trainings before and after, where asked for.
    """

    before: Diagnosis
    after: Diagnosis
    changes: tuple[Change, ...] = ()
    unrepaired: tuple[Unrepaired, ...] = ()
    dry_run: bool = False
    training: Trained | None = None
    _model: nn.Module | None = field(default=None, repr=False, compare=False)
    _undos: list[Undo] = field(default_factory=list, repr=False, compare=False)

    def undo(self) -> None:
        """Give the model back every bit that was changed; once.

        Example:
            >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
            >>> repair = repair_(model, torch.randn(16, 4))
            >>> repair.undo()
        """
        if self._model is not None:
            _undo(self._model, self._undos)
            self._undos.clear()

    def save(self, path: str | Path) -> Path:
        """Write the repaired model's tensors as safetensors, and return the path.

        Raises:
            InvalidValueError: After a dry run, when nothing is repaired.
            OutputError: If the file cannot be written.
        """
        if self._model is None:
            raise InvalidValueError("save: a dry run repaired nothing; run repair_")
        return save_weights(self._model, path)

    def __str__(self) -> str:
        """Return a line per kind of change, and one per finding that stays."""
        lines = _listed(self.changes)
        lines += [
            f"{one.id}  {one.where}: left, {one.reason}" for one in self.unrepaired
        ]
        if self.dry_run:
            lines.insert(0, "dry run: the model is as it was")
        if self.training is not None:
            lines.append(str(self.training))
        return "\n".join(lines) or "nothing to repair"


def repair_(
    model: nn.Module,
    batch: Any,
    *,
    loss: Callable[..., torch.Tensor] | None = None,
    targets: Any = None,
    optimizer: Any = None,
    seed: int = 0,
    dry_run: bool = False,
    train_steps: int = 0,
    data: Sequence[Any] | None = None,
) -> Repair:
    """Repair a model's starting weights: the smallest change per root cause.

    The model is checked, and each finding answered by one change: a tensor rescaled,
    units that are copies redrawn, a bias set, a norm opened. Then it is checked again.
    A change stays only if its finding is gone and no new one came; otherwise it is
    taken back and the finding left, with the reason. Warnings and errors are repaired,
    infos are not: packed projections and gains that were chosen stay. A healthy model
    comes back bit-equal. Shapes, types, devices, ties, gradients and buffers are kept.

    Args:
        model: Any module; changed in place.
        batch: As for `check`.
        loss: As for `check`.
        targets: As for `check`.
        optimizer: As for `check`; short trainings need a function that makes one of
            parameters.
        seed: Of what is redrawn.
        dry_run: Whether to find and try the changes, and take all of them back.
        train_steps: Steps of two short trainings, of copies of the model as it came
            and repaired; 0: none.
        data: Batches for them, as `batch`; None: the batch again and again.

    Raises:
        InvalidValueError: As `check` does.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> _ = nn.init.zeros_(model[2].weight)
        >>> before = model[0].weight.clone()
        >>> _ = repair_(model, torch.randn(16, 4))
        >>> torch.equal(model[0].weight, before)
        True
    """
    own = capture.unwrapped(model)
    surgery = _Surgery(own, batch, loss, targets, optimizer, seed)
    untouched = copy.deepcopy(own) if train_steps else own
    before = surgery.check()
    try:
        after = surgery.run(before)
    except BaseException:
        surgery.take_back(0)
        raise
    training = None
    if train_steps:
        training = compare_training(
            untouched, own, data or [batch], loss, targets, optimizer, train_steps
        )
    changes = tuple(surgery.changes)
    if dry_run:
        surgery.take_back(0)
    return Repair(
        before=before,
        after=after,
        changes=changes,
        unrepaired=tuple(surgery.unrepaired.values()),
        dry_run=dry_run,
        training=training,
        _model=None if dry_run else own,
        _undos=surgery.undos,
    )


def _listed(changes: Sequence[Change]) -> list[str]:
    """Return a line per change; of many of a kind one line for all."""
    lines = []
    for (finding, kind), found in groupby(changes, lambda one: (one.finding, one.kind)):
        group = list(found)
        if len(group) > _LISTED:
            first = group[0]
            lines.append(
                f"{finding}  {first.parameter} and {len(group) - 1} more: {kind}, "
                f"{first.amount}, ..."
            )
        else:
            lines += [f"{finding}  {c.parameter}: {kind}, {c.amount}" for c in group]
    return lines


class _Surgery:
    """One repair: changes made so far, and how to take them back."""

    def __init__(
        self,
        model: nn.Module,
        batch: Any,
        loss: Any,
        targets: Any,
        optimizer: Any,
        seed: int,
    ) -> None:
        self._model, self._batch, self._seed = model, batch, seed
        self._options = {"loss": loss, "targets": targets, "optimizer": optimizer}
        call = capture.as_call(model, batch, targets, with_loss=loss is not None)
        self._targets = call.targets
        given = (*call.args, *call.kwargs.values())
        self._inputs = tuple(one for one in given if isinstance(one, torch.Tensor))
        self.changes: list[Change] = []
        self.undos: list[Undo] = []
        self.unrepaired: dict[tuple[str, str], Unrepaired] = {}

    def check(self) -> Diagnosis:
        return check(self._model, self._batch, seed=self._seed, **self._options)

    def run(self, diagnosis: Diagnosis) -> Diagnosis:
        """Repair one finding after another; return the last diagnosis."""
        for _ in range(_ROUNDS):
            finding = self._next(diagnosis)
            if finding is None:
                break
            diagnosis = self._repaired(finding, diagnosis)
        for finding in _blaming(diagnosis):
            self._leave(finding, "more root causes than rounds")
        return diagnosis

    def _next(self, diagnosis: Diagnosis) -> Any:
        open_ones = [f for f in _blaming(diagnosis) if _key(f) not in self.unrepaired]
        order = {"error": 0, "warning": 1}
        return min(open_ones, key=lambda f: order[f.severity], default=None)

    def _repaired(self, finding: Any, before: Diagnosis) -> Diagnosis:
        """Change what a finding asks for; keep it if that helps and harms nothing."""
        start, left = len(self.undos), dict(self.unrepaired)
        if not self._change(finding):
            return before
        after = self.check()
        for _ in range(_FOLLOWING):
            new = _new(before, after)
            if not new or finding.id == "WI01" or not self._change(new[0]):
                break
            after = self.check()
        # What a number that is not finite hid, nobody could find before.
        new = [] if finding.id == "WI01" else _new(before, after)
        self.unrepaired = left  # of what was tried along the way, nothing stays
        if _key(finding) in {_key(one) for one in _blaming(after)}:
            self._leave(finding, "the change that should mend it did not")
        elif new:
            self._leave(finding, f"mending it brings {new[0].id} on")
        else:
            return after
        self.take_back(start)
        return before

    def _change(self, finding: Any) -> bool:
        """Apply a finding's remedy; whether there was one."""
        if finding.id not in REMEDIES:
            self._leave(finding, ELSEWHERE.get(finding.id, "no remedy is known"))
            return False
        reading = capture.read(
            self._model,
            self._batch,
            loss=self._options["loss"],
            targets=self._options["targets"],
            step=False,
        )
        patient = Patient(
            model=self._model,
            reading=reading,
            inputs=self._inputs,
            targets=self._targets,
            seed=self._seed,
        )
        changes = REMEDIES[finding.id](patient, finding)
        for change in changes:
            self.undos.append(change.apply(self._model))
            self.changes.append(change)
        if not changes:
            self._leave(finding, "nothing that may be changed explains it")
        return bool(changes)

    def _leave(self, finding: Any, reason: str) -> None:
        where = finding.parameter or finding.module or "the model"
        self.unrepaired.setdefault(
            _key(finding), Unrepaired(id=finding.id, where=where, reason=reason)
        )

    def take_back(self, start: int) -> None:
        """Undo all changes from the one of that number on."""
        _undo(self._model, self.undos[start:])
        del self.undos[start:], self.changes[start:]


def _undo(model: nn.Module, undos: Sequence[Undo]) -> None:
    for undo in reversed(undos):
        undo.run(model)


def _blaming(diagnosis: Diagnosis) -> list[Any]:
    return [one for one in diagnosis.findings if one.severity != "info"]


def _key(finding: Any) -> tuple[str, str]:
    return finding.id, finding.parameter or finding.module


def _new(before: Diagnosis, after: Diagnosis) -> list[Any]:
    """Return what is blamed after and was not before, by check."""
    known = {one.id for one in _blaming(before)}
    return [one for one in _blaming(after) if one.id not in known]
