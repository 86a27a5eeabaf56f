"""One repair, finding by finding: change, check again, keep or take back."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from initlab import capture
from initlab.analysis.findings import Finding, rank
from initlab.pytorch._check import check
from initlab.pytorch._diagnosis import Diagnosis
from initlab.pytorch.repair._change import Change, Undo
from initlab.pytorch.repair._patient import Patient
from initlab.pytorch.repair._remedies import (
    ELSEWHERE,
    ELSEWHERE_OF_CAUSES,
    NOTHING_TO_CHANGE,
    OF_CAUSES,
    OF_FACTORS,
    REMEDIES,
    TRIED_FIRST,
    Remedy,
)
from initlab.pytorch.repair._unrepaired import Unrepaired

# Root causes that hide others are repaired in turn; more rounds have never been needed.
_ROUNDS = 12
# A repair may uncover what the fault hid; so many more are repaired along with it.
_FOLLOWING = 3


class Surgery:
    """One repair: changes made so far, and how to take them back.

    Attributes:
        changes: Made and kept, in order.
        undos: What takes each of them back.
        unrepaired: What was left, by check and place.
    """

    def __init__(
        self,
        model: nn.Module,
        batch: Any,
        loss: Any,
        targets: Any,
        optimizer: Any,
        seed: int,
        ignored: Sequence[str] = (),
    ) -> None:
        self._model, self._batch, self._seed = model, batch, seed
        self._ignored = ignored
        self._options = {"loss": loss, "targets": targets, "optimizer": optimizer}
        call = capture.as_call(model, batch, targets, with_loss=loss is not None)
        self._targets = call.targets
        given = (*call.args, *call.kwargs.values())
        self._inputs = tuple(one for one in given if isinstance(one, torch.Tensor))
        self.changes: list[Change] = []
        self.undos: list[Undo] = []
        # Which changes were made together, as a remedy's number.
        self._together: list[int] = []
        self.unrepaired: dict[tuple[str, str], Unrepaired] = {}
        # How many changes there were when a finding was left.
        self._left_after: dict[tuple[str, str], int] = {}

    def check(self) -> Diagnosis:
        """Return the verdict on the model as it is, without what is ignored."""
        found = check(self._model, self._batch, seed=self._seed, **self._options)
        return found.without(self._ignored)

    def run(self, diagnosis: Diagnosis) -> Diagnosis:
        """Repair one finding after another; return the last diagnosis."""
        for _ in range(_ROUNDS):
            finding = self._next(diagnosis)
            if finding is None:
                break
            diagnosis = self._repaired(finding, diagnosis)
        for finding in _blaming(diagnosis):
            if _key(finding) not in self.unrepaired:
                self._leave(finding, "more root causes than rounds")
        diagnosis = self._spared(diagnosis)
        # A finding that was left at first, and that another repair mended, is not left.
        open_ones = {_key(finding) for finding in _blaming(diagnosis)}
        self.unrepaired = {
            key: one for key, one in self.unrepaired.items() if key in open_ones
        }
        return diagnosis

    def _next(self, diagnosis: Diagnosis) -> Finding | None:
        """Return the worst finding that was not left; else one that may do better now.

        What another finding hid can be mended after it.
        """
        blaming = _blaming(diagnosis)
        open_ones = [one for one in blaming if _key(one) not in self.unrepaired] or [
            one for one in blaming if self._left_after[_key(one)] < len(self.changes)
        ]
        return max(open_ones, key=_urgency, default=None)

    def _repaired(self, finding: Finding, before: Diagnosis) -> Diagnosis:
        """Change what a finding asks for; keep it if that helps and harms nothing."""
        gentle = TRIED_FIRST.get(finding.cause)
        after = None if gentle is None else self._tried(finding, before, gentle)
        if after is None:
            after = self._tried(finding, before)
        return after or before

    def _tried(
        self, finding: Finding, before: Diagnosis, remedy: Remedy | None = None
    ) -> Diagnosis | None:
        """Return the diagnosis after a change; None if it was taken back, or none."""
        start, left = len(self.undos), dict(self.unrepaired)
        if not self._change(finding, remedy):
            return None
        alone, mark = self.check(), len(self.undos)
        after = self._followed(finding, before, alone)
        if not _objection(finding, before, after):
            self.unrepaired = left  # nothing stays of what was tried along the way
            return after
        self.take_back(mark)  # what followed did not help
        self.unrepaired = left
        changed = {one.parameter for one in self.changes[start:]}
        if _is_milder(finding, before, alone, changed):
            return alone
        self.take_back(start)
        self._leave(finding, _objection(finding, before, after))
        return None

    def _spared(self, diagnosis: Diagnosis) -> Diagnosis:
        """Take back what proves needless now; return the last diagnosis.

        What was found first may have been done by what was found later. Copies are none
        the less copies where something else tells them apart.
        """
        remedies = list(dict.fromkeys(self._together))
        for remedy in remedies[-2::-1]:
            made = [n for n, one in enumerate(self._together) if one == remedy]
            if self.changes[made[0]].finding != "WI02":
                diagnosis = self._without(made, diagnosis)
        return diagnosis

    def _without(self, numbers: Sequence[int], before: Diagnosis) -> Diagnosis:
        """Take back changes of these numbers if the model is as sound without them."""
        names = {self.changes[number].parameter for number in numbers}
        changed = [one.parameter for one in self.changes]
        if not names or any(changed.count(name) > 1 for name in names):
            return before
        now = {name: self._model.get_parameter(name).detach().clone() for name in names}
        for number in numbers:
            self.undos[number].run(self._model)
        after = self.check()
        if _worse(before, after, {self.changes[number].finding for number in numbers}):
            for name, values in now.items():
                Undo(name, values).run(self._model)
            return before
        for number in sorted(numbers, reverse=True):
            self._forget(number)
        return after

    def _followed(
        self, finding: Finding, before: Diagnosis, after: Diagnosis
    ) -> Diagnosis:
        """Repair what a change uncovered, too; return the last diagnosis."""
        for _ in range(_FOLLOWING):
            new = _new(before, after)
            if not new or finding.id == "WI01" or not self._change(new[0]):
                break
            after = self.check()
        return after

    def _change(self, finding: Finding, gentle: Remedy | None = None) -> bool:
        """Apply a finding's remedy, or a gentler one; return whether there was one."""
        remedy = REMEDIES.get(finding.id)
        if finding.cause in ELSEWHERE_OF_CAUSES:
            remedy = None
        remedy = gentle or OF_CAUSES.get(finding.cause, remedy)
        if remedy is None:
            reason = ELSEWHERE.get(finding.id, "no remedy is known")
            self._leave(finding, ELSEWHERE_OF_CAUSES.get(finding.cause, reason))
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
        factors = {norm.parameter for norm in patient.reading.norms}
        if finding.parameter in factors and gentle is None:
            remedy = OF_FACTORS.get(finding.id, remedy)
        # A weight that is used twice is changed once, and a frozen one never.
        changes = list(
            {
                one.parameter: one
                for one in remedy(patient, finding)
                if not self._is_frozen(one.parameter)
            }.values()
        )
        remedy_number = self._together[-1] + 1 if self._together else 0
        for change in changes:
            self.undos.append(change.apply(self._model))
            self.changes.append(change)
            self._together.append(remedy_number)
        if not changes:
            self._leave(finding, self._why_nothing(finding))
        return bool(changes)

    def _why_nothing(self, finding: Finding) -> str:
        if self._is_frozen(finding.parameter):
            return "it is frozen, and stays as it is"
        return ELSEWHERE_OF_CAUSES.get(finding.cause) or NOTHING_TO_CHANGE.get(
            finding.id, "nothing that may be changed explains it"
        )

    def _is_frozen(self, name: str | None) -> bool:
        known = dict(self._model.named_parameters())
        return name in known and not known[name].requires_grad

    def _leave(self, finding: Finding, reason: str) -> None:
        where = finding.parameter or finding.module or "the model"
        left = Unrepaired(id=finding.id, where=where, reason=reason)
        self.unrepaired[_key(finding)] = left
        self._left_after[_key(finding)] = len(self.changes)

    def take_back(self, start: int) -> None:
        """Undo all changes from the one of that number on."""
        take_back_all(self._model, self.undos[start:])
        del self.undos[start:], self.changes[start:], self._together[start:]

    def _forget(self, number: int) -> None:
        """Strike a change that was taken back off the list."""
        del self.undos[number], self.changes[number], self._together[number]


def take_back_all(model: nn.Module, undos: Sequence[Undo]) -> None:
    """Undo changes, the last one first."""
    for undo in reversed(undos):
        undo.run(model)


def _blaming(diagnosis: Diagnosis) -> list[Finding]:
    return [one for one in diagnosis.findings if one.severity != "info"]


def _key(finding: Finding) -> tuple[str, str]:
    return finding.id, finding.parameter or finding.module


def _urgency(finding: Finding) -> tuple[int, bool]:
    """Rank findings; constants whose units learn alike may do so for other copies."""
    return rank(finding), finding.cause != "twins_for_ever"


def _objection(finding: Finding, before: Diagnosis, after: Diagnosis) -> str:
    """Return why a change is not kept as it is; empty if nothing speaks against it."""
    if _is_there(finding, after):
        return "the change that should mend it did not"
    # Nobody could have found before what a non-finite number hid.
    new = [] if finding.id == "WI01" else _new(before, after)
    return f"mending it brings {new[0].id} on" if new else ""


def _is_there(finding: Finding, after: Diagnosis) -> bool:
    """Whether a finding is blamed still, if under the name of another of its places."""
    return any(
        _key(one) == _key(finding)
        or (
            (one.id, one.cause) == (finding.id, finding.cause)
            and finding.parameter in one.places
        )
        for one in _blaming(after)
    )


def _is_milder(
    finding: Finding, before: Diagnosis, after: Diagnosis, changed: set[str]
) -> bool:
    """Whether an error is gone, and at most one warning came up, and came up elsewhere.

    A new finding about a changed tensor means that the change was wrong, unless it says
    what the error did, too, and does less now.
    """
    new = _new(before, after)
    mended = not _is_there(finding, after)
    mended &= len(after.of("error")) < len(before.of("error"))
    elsewhere = all(
        one.severity == "warning"
        and (one.id in finding.consequences
             or not changed & {one.parameter, *one.places})
        for one in new
    )  # fmt: skip
    return finding.severity == "error" and mended and elsewhere and len(new) <= 1


def _worse(before: Diagnosis, after: Diagnosis, answered: set[str]) -> bool:
    """Whether more is found than before, or what was answered, if as information."""
    known = {(one.id, one.severity) for one in before.findings}
    came = [one for one in after.findings if (one.id, one.severity) not in known]
    return (
        len(_blaming(after)) > len(_blaming(before))
        or bool(_new(before, after))
        or any(one.severity != "info" or one.id in answered for one in came)
    )


def _new(before: Diagnosis, after: Diagnosis) -> list[Finding]:
    """Return what is blamed after and was not before.

    A finding that moved to another layer of its chain is the same one: a check must
    blame more than it did.
    """
    known = {_key(one) for one in _blaming(before)}
    already = Counter(one.id for one in _blaming(before))
    now = Counter(one.id for one in _blaming(after))
    return [
        one
        for one in _blaming(after)
        if _key(one) not in known and now[one.id] > already[one.id]
    ]
