"""A model's starting weights repaired: the smallest change per root cause, proven."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import nn

from initlab import capture, reports
from initlab.errors import InvalidValueError
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch._numbers import as_count, as_seed
from initlab.pytorch.repair._change import Change, Undo
from initlab.pytorch.repair._checkpoint import save_weights
from initlab.pytorch.repair._surgery import Surgery, take_back_all
from initlab.pytorch.repair._training import (
    Trained,
    compare_training,
    refuse_untrained,
    refuse_without_loss,
)
from initlab.pytorch.repair._unrepaired import Unrepaired

# Changes of a kind that are printed one by one.
_LISTED = 3


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
            take_back_all(self._model, self._undos)
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

    def report(self, path: str | Path, *, command: str | None = None) -> Path:
        """Write one self-contained HTML page, before beside after; return its path.

        Raises:
            OutputError: If the page cannot be written.
        """
        if not self.changes and not self.unrepaired:
            return self.before.report(path, command=command)
        repaired = reports.Repaired(
            dataset=self.after.dataset,
            findings=self.after.findings,
            changes=[(c.finding, c.parameter, c.kind, c.amount) for c in self.changes],
            left=[(one.id, one.where, one.reason) for one in self.unrepaired],
        )
        return reports.finding_report(
            path,
            self.before.dataset,
            self.before.findings,
            repaired=repaired,
            command=command,
        )

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
    A change stays only if its finding is gone and no new one came, or of an error no
    more than one warning elsewhere; otherwise it is taken back and the finding left,
    with the reason. Warnings and errors are repaired, infos are not: packed projections
    and gains that were chosen stay. A healthy model comes back bit-equal. Shapes,
    types, devices, ties, gradients and buffers are kept.

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
        InvalidValueError: As `check` does; or if a parameter is still lazy.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> _ = nn.init.zeros_(model[2].weight)
        >>> before = model[0].weight.clone()
        >>> _ = repair_(model, torch.randn(16, 4))
        >>> torch.equal(model[0].weight, before)
        True
    """
    seed = as_seed(seed)
    train_steps = as_count("train_steps", train_steps, least=0)
    own = capture.unwrapped(model)
    capture.refuse_lazy(own)
    if train_steps:
        refuse_untrained(own, optimizer)
    surgery = Surgery(own, batch, loss, targets, optimizer, seed)
    untouched = copy.deepcopy(own) if train_steps else own
    before = surgery.check()
    if train_steps:
        refuse_without_loss(before)
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
