"""Linters of trainings that pip offers, each given a model as its own page says.

None of them knows starting weights by name. A finding counts for every check that it
could be about, so that a tool is credited for any right hint; what is about other
things (weight decay, layouts, tensor cores) counts neither for nor against it.
"""

import contextlib
import importlib
import io
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import ClassVar

import torch
from torch import nn

from check.subject import Batch, Subject, seeded
from check.tools import Flag, Tool

SEVERITIES = {
    "INFO": "info", "WARN": "warning", "WARNING": "warning",
    "ERROR": "error", "FATAL": "error", "CRITICAL": "error",
}  # fmt: skip
_EXPLODES = ("WI01", "WI05", "WI07", "WI09", "WI10", "WI14", "WI16")
_VANISHES = ("WI03", "WI05", "WI07", "WI08", "WI10", "WI17", "WI22")
_DEAD = ("WI03", "WI12", "WI13", "WI17")


@dataclass(frozen=True, kw_only=True)
class Linter:
    """What the adapters share.

    Attributes:
        name: The package's, as pip knows it.
        package: To import.
        checks: By the tool's own word for a finding, what it could be about.
    """

    repair = None
    name: ClassVar[str]
    package: ClassVar[str]
    checks: ClassVar[Mapping[str, tuple[str, ...]]]

    @property
    def version(self) -> str:
        return metadata.version(self.name)

    def flags(
        self, word: str, severity: str, module: str | None, parameter: str | None = None
    ) -> Iterable[Flag]:
        """A flag for every check that a finding could be about."""
        for check in self.checks.get(word, ()):
            yield Flag(
                check=check,
                severity=SEVERITIES[severity],
                module=module,
                parameter=parameter,
            )


class TorchAudit(Linter):
    """One audited step, with the static and the initial audit before it."""

    name, package = "torch-audit", "torch_audit"
    checks: ClassVar = {
        "TA100": ("WI01", "WI22"),
        "TA102": _EXPLODES,
        "TA103": _DEAD,
        "TA104": ("WI03", "WI21"),
        "TA105": _DEAD,
        "TA405": ("WI03",),
        "TA500": ("WI21",),
    }

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        optimizer = _optimizer(subject, model)
        auditor = _module(self).Auditor(model, optimizer=optimizer)
        with auditor, seeded(0):
            auditor.audit_static()
            auditor.audit_init()
            optimizer.zero_grad(set_to_none=True)
            loss = subject.loss(auditor.forward(*batch.inputs), batch.targets)
            auditor.backward(loss)
            auditor.optimizer_step()
        found = auditor.finish(report=False).findings
        return [
            flag
            for one in found
            for flag in self.flags(one.rule_id, one.severity.value, one.module_path)
        ]


class TorchMortem(Linter):
    """An autopsy of the first steps of a training, all of them sampled."""

    name, package = "torchmortem", "torchmortem"
    steps: ClassVar[int] = 30
    checks: ClassVar = {
        "Vanishing gradients": _VANISHES,
        "Exploding gradients": _EXPLODES,
        "Gradient stalling": _VANISHES,
        "Dead units": _DEAD,
        "Activation saturation": ("WI13", "WI05", "WI19"),
        "Rank collapse": ("WI02", "WI04", "WI11", "WI23"),
        "Update ratio too": ("WI24", "WI05", "WI08", "WI09"),
        "Weight norm explosion": ("WI05", "WI09"),
        "Inter-layer weight norm imbalance": ("WI05", "WI06", "WI18"),
        "Training divergence": ("WI01", "WI05", "WI09", "WI14", "WI16", "WI19"),
    }

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        optimizer = _optimizer(subject, model)
        autopsy = _module(self).Autopsy(model, optimizer=optimizer, sampling="thorough")
        with autopsy, seeded(0):
            for step in range(self.steps):
                here = batch if step == 0 else subject.batch(step, subject.size)
                optimizer.zero_grad()
                loss = subject.loss(model(*here.inputs), here.targets)
                loss.backward()
                optimizer.step()
                autopsy.step(loss=float(loss.detach()))
        return [
            flag
            for one in autopsy.get_report().findings
            for word in self.checks
            if one.title.startswith(word)
            for layer in one.affected_layers or [None]
            for flag in self.flags(word, one.severity.name, layer)
        ]


class TorchDiag(Linter):
    """Its checks of gradients and of dead neurons."""

    name, package = "torchdiag", "torchdiag"
    checks: ClassVar = {
        "EXPLODE": _EXPLODES,
        "VANISH": _VANISHES,
        "no_grad": ("WI03", "WI21"),
        "dead": _DEAD,
    }

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        tool = _module(self)
        with seeded(0):
            model.zero_grad()
            subject.loss(model(*batch.inputs), batch.targets).backward()
            gradients = tool.check_gradients(model)
            dead = {}
            if len(batch.inputs) == 1:  # it takes one input
                dead = tool.check_dead_neurons(model, *batch.inputs)
        model.zero_grad()
        flags = [
            flag
            for name, one in gradients.items()
            for flag in self.flags(
                one["status"], "WARNING", name.rpartition(".")[0], name
            )
        ]
        for module, one in dead.items():
            if one["dead_pct"] > 20:
                severity = "CRITICAL" if one["dead_pct"] > 50 else "WARNING"
                flags += self.flags("dead", severity, module)
        return flags


class ModelClinic(Linter):
    """Its diagnosis of the weights alone."""

    name, package = "model-clinic", "model_clinic"
    checks: ClassVar = {
        "nan_inf": ("WI01",),
        "identical_rows": ("WI02",),
        "dead_neurons": ("WI03", "WI12"),
        "exploding_norm": ("WI05", "WI06", "WI09", "WI13", "WI18", "WI23"),
        "vanishing_norm": ("WI03", "WI05", "WI06", "WI08"),
        "norm_drift": ("WI17",),
        "token_collapse": ("WI23", "WI18"),
        "attention_imbalance": ("WI23",),
        "moe_router_collapse": ("WI23",),
        "saturated_weights": ("WI05", "WI13"),
        "layer_isolation": ("WI05", "WI06"),
        "causal_outlier": ("WI05", "WI06"),
    }

    def judge(self, _: Subject, model: nn.Module, __: Batch) -> list[Flag]:
        found = _module(self).diagnose(model.state_dict())
        return [
            flag
            for one in found
            for flag in self.flags(
                one.condition,
                one.severity,
                one.param_name.rpartition(".")[0],
                one.param_name,
            )
        ]


class Quiet:
    """A linter that prints and logs nothing while it judges."""

    repair = None

    def __init__(self, linter: Linter) -> None:
        self.name, self.version, self._linter = linter.name, linter.version, linter

    def judge(self, subject: Subject, model: nn.Module, batch: Batch) -> list[Flag]:
        logging.getLogger(self._linter.package).setLevel(logging.CRITICAL)
        with contextlib.redirect_stdout(io.StringIO()):
            return self._linter.judge(subject, model, batch)


def _module(linter: Linter) -> ModuleType:
    return importlib.import_module(linter.package)


def _optimizer(subject: Subject, model: nn.Module) -> torch.optim.Optimizer:
    return subject.optimizer([one for one in model.parameters() if one.requires_grad])


LINTERS = (TorchAudit(), TorchMortem(), TorchDiag(), ModelClinic())


def installed_linters() -> list[Tool]:
    """The linters that are here: the extra `linters` installs them."""
    found = []
    for linter in LINTERS:
        with contextlib.suppress(ImportError):
            _module(linter)
            found.append(Quiet(linter))
    return found
