"""A model's starting weights repaired: the smallest change per root cause, proven."""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import nn

from initlab import capture, reports
from initlab.errors import InvalidValueError
from initlab.messages import as_checks, shown_name
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch._numbers import as_count, as_flag, as_seed
from initlab.pytorch.repair._change import Change, Undo
from initlab.pytorch.repair._checkpoint import save_weights
from initlab.pytorch.repair._surgery import Surgery, take_back_all
from initlab.pytorch.repair._training import (
    Trained,
    batches_of,
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
            InvalidValueError: After a dry run, when nothing is repaired; or if the path
                ends in something else than .safetensors.
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
            changes=[
                (one.finding, shown_name(one.parameter), one.kind, one.amount)
                for one in self.changes
            ],
            left=[
                (one.id, shown_name(one.where), self._why(one))
                for one in self.unrepaired
            ],
        )
        return reports.finding_report(
            path,
            self.before.dataset,
            self.before.findings,
            repaired=repaired,
            command=command,
        )

    def _why(self, one: Unrepaired) -> str:
        changed = {change.parameter for change in self.changes}
        still = "changed as said, and still found: " if one.where in changed else ""
        return f"{still}{one.reason}"

    def __str__(self) -> str:
        """Return a line per kind of change, and one per finding that stays."""
        lines = _listed(self.changes)
        changed = {one.parameter for one in self.changes}
        lines += [
            f"{one.id}  {shown_name(one.where)}: "
            f"{'' if one.where in changed else 'left, '}{self._why(one)}"
            for one in self.unrepaired
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
    data: Iterable[Any] | None = None,
    ignore: str | Sequence[str] = (),
) -> Repair:
    """Repair a model's starting weights: the smallest change per root cause.

    The model is checked, and each finding answered by one change: a tensor rescaled,
    units that are copies redrawn, a bias set, a norm opened. Then it is checked again.
    A change stays only if its finding is gone and no new one came, or of an error no
    more than one warning, elsewhere or of what the error did; otherwise it is taken
    back, and tried once more after whatever else is mended, or the finding left with
    the reason. In the end changes are taken back without which the model is as sound.
    Warnings and errors are repaired, infos are not: packed projections and gains that
    were chosen stay. A healthy model comes back bit-equal. Shapes, types, devices,
    ties, gradients and buffers are kept.

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
        data: Batches for them, each as `batch`, or with targets of its own at the end:
            a list or a DataLoader, of which the first are taken; None: the batch again
            and again.
        ignore: Ids of checks whose findings are left as they are, as `"WI15"`.

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
    seed, dry_run = as_seed(seed), as_flag("dry_run", dry_run)
    train_steps = as_count("train_steps", train_steps, least=0)
    ignored = as_checks(ignore, "ignore")
    own = capture.unwrapped(model)
    capture.refuse_lazy(own)
    batches: list[Any] = []
    if train_steps:
        refuse_untrained(own, optimizer)
        batches = batches_of(data, batch, train_steps)
    surgery = Surgery(own, batch, loss, targets, optimizer, seed, ignored)
    untouched = copy.deepcopy(own) if train_steps else own
    before = surgery.check()
    if train_steps:
        refuse_without_loss(before, own, batches)
    training = None
    try:
        after = surgery.run(before)
        if train_steps:
            training = compare_training(
                untouched, own, batches, loss, targets, optimizer, train_steps
            )
    except BaseException:
        surgery.take_back(0)
        raise
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
    """Return a line per parameter; of many that were changed alike, one for all."""
    of_parameter: dict[str, list[Change]] = {}
    for one in changes:
        of_parameter.setdefault(shown_name(one.parameter), []).append(one)
    lines = []
    for (findings, kinds), found in groupby(of_parameter.values(), _what):
        group = list(found)
        start, name = ", ".join(findings), shown_name(group[0][0].parameter)
        if len(group) > _LISTED and len(kinds) == 1:
            amounts = [one.amount for (one, *_) in group]
            lines.append(
                f"{start}  {name} and {len(group) - 1} more: {kinds[0]}, "
                f"{_together(amounts)}"
            )
        else:
            lines += [
                f"{start}  {shown_name(each[0].parameter)}: "
                + ", then ".join(f"{one.kind}, {one.amount}" for one in each)
                for each in group
            ]
    return lines


def _what(changes: Sequence[Change]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which findings a parameter's changes answer, and of what kinds."""
    findings = tuple(dict.fromkeys(one.finding for one in changes))
    return findings, tuple(one.kind for one in changes)


def _together(amounts: Sequence[str]) -> str:
    """Return amounts in short: the one that all have, or the least and largest factor.

    Example:
        >>> _together(["x 1.73", "x 6.56", "x 4.62"])
        'x 1.73 to x 6.56'
    """
    if len(set(amounts)) == 1:
        return amounts[0]
    if all(amount.startswith("x ") for amount in amounts):
        ordered = sorted(amounts, key=lambda amount: float(amount[2:]))
        return f"{ordered[0]} to {ordered[-1]}"
    return f"{amounts[0]}, ..."
