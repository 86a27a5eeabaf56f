"""The tools that are scored, behind one interface.

A tool is given a model as its user would: the model, a batch, the loss, the optimizer.
To score another one, write an adapter like `Initlab` and add it to `installed`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from torch import nn

from check.subject import Batch, Subject

SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One finding of a tool.

    Attributes:
        check: Id as in the issue, WI01 to WI25; the adapter translates.
        severity: `"info"`, `"warning"` or `"error"`; only the last two blame.
        module: Name of the layer that is blamed; None where the tool names none.
        parameter: Name of the parameter, if any.
    """

    check: str
    severity: str = "warning"
    module: str | None = None
    parameter: str | None = None

    def blames(self) -> bool:
        return self.severity in ("warning", "error")

    def is_at(self, where: set[str]) -> bool:
        """Whether it names one of these modules, or a parameter that one holds."""
        owner = (self.parameter or "").rpartition(".")[0]
        places = {self.module, self.parameter} | ({owner} if self.parameter else set())
        return bool(places & where)


class Tool(Protocol):
    """What is scored."""

    name: str
    version: str

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        """What the tool finds."""

    # Repairs the model in place, and says whether anything was changed; or None.
    repair: Callable[[Subject, nn.Module, Batch], bool] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Initlab:
    """`initlab.pytorch.check` and `repair_`."""

    name: str = "initlab"
    version: str = field(default_factory=lambda: _version("initlab"))

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        from initlab import pytorch

        diagnosis = pytorch.check(
            subject.construct if subject.factory else model,
            batch.inputs,
            loss=subject.loss,
            targets=batch.targets,
            optimizer=subject.optimizer if subject.factory else _made(subject, model),
        )
        return [
            Flag(
                check=one.id,
                severity=one.severity,
                module=one.module,
                parameter=one.parameter,
            )
            for one in diagnosis.findings
        ]

    def repair(self, subject: Subject, model: nn.Module, batch: Batch) -> bool:
        from initlab import pytorch

        done = pytorch.repair_(
            model, batch.inputs, loss=subject.loss, targets=batch.targets
        )
        return bool(done.changes)


def _made(subject: Subject, model: nn.Module):
    return subject.optimizer([one for one in model.parameters() if one.requires_grad])


def _version(package: str) -> str:
    from importlib import metadata

    return metadata.version(package)


def installed() -> list[Tool]:
    """The tools that can run here, the naive ones always."""
    from check.linters import installed_linters
    from check.naive import ThresholdLinter, WeightLinter

    tools: list[Tool] = [ThresholdLinter(), WeightLinter(), *installed_linters()]
    try:
        from initlab.pytorch import check  # noqa: F401 -- whether it is there
    except ImportError:
        return tools
    return [Initlab(), *tools]
