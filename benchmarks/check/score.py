"""How well a tool judges: right check, right layer, false alarms, flips, repairs."""

import copy
import math
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from check.faults import FAULTS, Case
from check.healthy import HEALTHY
from check.subject import Subject, seeded
from check.tools import Flag, Tool
from check.variants import VARIANTS

STEPS = 200
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a tool said of one model; `failed` if it raised."""

    flags: tuple[Flag, ...]
    seconds: float
    failed: str = ""

    def named(self) -> set[str]:
        """Checks that blame."""
        return {flag.check for flag in self.flags if flag.blames()}


def verdict(tool: Tool, subject: Subject, seed: int, variant: str = "") -> Verdict:
    """Build a model anew and have it judged."""
    model, batch = subject.build(seed), subject.batch(0, subject.size)
    if variant:
        model, batch = VARIANTS[variant](subject, model)
    started = time.perf_counter()
    try:
        flags, failed = tool.judge(subject, model, batch), ""
    except Exception as error:  # whatever a tool does, the others are scored
        flags, failed = [], f"{type(error).__name__}: {error}".splitlines()[0]
    seconds = time.perf_counter() - started
    return Verdict(flags=tuple(flags), seconds=seconds, failed=failed)


def score_case(tool: Tool, case: Case) -> Row:
    """Whether the tool names the planted fault, and where."""
    said = verdict(tool, case.subject, case.seed)
    right = [one for one in said.flags if one.check in FAULTS[case.fault].checks]
    blaming = [one for one in right if one.blames()]
    where = case.where()
    return {
        "fault": case.fault,
        "model": case.host,
        "seed": case.seed,
        "check": bool(blaming),
        "layer": any(one.is_at(where) for one in blaming),
        "mentioned": bool(right),
        "named": sorted(said.named()),
        "seconds": round(said.seconds, 3),
        "failed": said.failed,
    }


def score_healthy(tool: Tool, subject: Subject, seed: int) -> Row:
    """What the tool finds wrong with a healthy model."""
    said = verdict(tool, subject, seed)
    blaming = [flag for flag in said.flags if flag.blames()]
    return {
        "model": subject.name,
        "family": subject.family,
        "seed": seed,
        "errors": sorted({one.check for one in blaming if one.severity == "error"}),
        "warnings": sorted({one.check for one in blaming if one.severity == "warning"}),
        "seconds": round(said.seconds, 3),
        "failed": said.failed,
    }


def score_flips(tool: Tool, subject: Subject, checks: set[str], seed: int) -> list[Row]:
    """In which guises the verdict on the model changes.

    Args:
        tool: That judges.
        subject: Healthy, or with a fault.
        checks: Of the fault; empty for a healthy model, where any check counts.
        seed: Of the weights.
    """

    def answer(variant: str) -> bool:
        named = verdict(tool, subject, seed, variant).named()
        return bool(named & checks if checks else named)

    plain = answer("")
    rows = []
    # Of a factory's model only the batch is the tester's to change.
    guises = [one for one in VARIANTS if "batch" in one or not subject.factory]
    for variant in guises:
        if VARIANTS[variant](subject, subject.build(seed)) is not None:
            flipped = answer(variant) != plain
            rows.append({"model": subject.name, "variant": variant, "flipped": flipped})
    return rows


def score_repair(tool: Tool, case: Case, steps: int = STEPS) -> Row:
    """Train the model as it is, repaired, and without the fault, on the same batches.

    A fault that costs nothing in so few steps has nothing to be repaired: `harmed` says
    whether the loss was a quarter higher for it.
    """
    subject = case.subject
    broken = subject.build(case.seed)
    repaired = copy.deepcopy(broken)
    try:
        batch = subject.batch(0, subject.size)
        changed, failed = tool.repair(subject, repaired, batch), ""
    except Exception as error:
        changed, failed = False, f"{type(error).__name__}: {error}".splitlines()[0]
    before = trained(subject, broken, steps)
    healthy = _trained_healthy(case.host, case.seed, steps)
    row = {
        "fault": case.fault,
        "model": case.host,
        "healthy": _short(healthy),
        "before": _short(before),
        # A loss that is not finite is higher than any.
        "harmed": not before <= 1.25 * healthy,
        "changed": changed,
        "failed": failed,
        "lower": False,
    }
    if changed:
        after = trained(subject, repaired, steps)
        lower = math.isfinite(after) and not after >= before
        row |= {"after": _short(after), "lower": lower}
    return row


@cache
def _trained_healthy(host: str, seed: int, steps: int) -> float:
    subject = HEALTHY[host]
    return trained(subject, subject.build(seed), steps)


def trained(subject: Subject, model: torch.nn.Module, steps: int) -> float:
    """The mean loss over the last tenth of so many steps; nan once one is not finite.

    One batch's loss, late in a training, says more of the batch than of the model.
    """
    optimizer = subject.optimizer(
        [one for one in model.parameters() if one.requires_grad]
    )
    losses = []
    with seeded(1):
        for step in range(steps):
            batch = subject.batch(1000 + step, subject.size)
            optimizer.zero_grad()
            loss = subject.loss(model(*batch.inputs), batch.targets)
            losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                return math.nan
            loss.backward()
            optimizer.step()
    late = losses[-max(steps // 10, 1) :]
    return sum(late) / len(late)


def _short(number: float) -> float | None:
    return float(f"{number:.4g}") if math.isfinite(number) else None
