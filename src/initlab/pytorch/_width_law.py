"""The coordinate check: do activations keep their size when the model gets wider?"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from initlab.analysis.findings import Finding
from initlab.capture import ALONE, as_call
from initlab.errors import InvalidValueError
from initlab.pytorch._build import build
from initlab.pytorch._numbers import as_count, as_seed

# Slopes of ln size against ln width that are no law, beside three standard errors.
_FLAT = 0.15
_ERRORS = 3.0
_CAPTION = "exponent of the width, with its standard error"


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthLaw:
    """How the activations of each layer grow with the width; printed, a table.

    Attributes:
        slopes: By layer and step: d ln(mean abs activation) / d ln(width), and its
            standard error.
        findings: WI25, for layers whose slope is above 0 by more than chance.
    """

    slopes: dict[str, list[tuple[float, float]]]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """Return a table with a line per layer, what grows, and the fix.

        Example:
            >>> print(WidthLaw(slopes={"0": [(0.0, 0.1), (0.4, 0.02)]}, findings=()))
            layer  at the start   after 1 step
            0      +0.00 +- 0.10  +0.40 +- 0.02
            exponent of the width, with its standard error
            no layer grows with the width
        """
        rows = [self._heads(), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, _CAPTION, *self._verdict()])

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{escape(cell)}</th>" for cell in self._heads())
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        said = "".join(f"<p>{escape(line)}</p>" for line in self._verdict())
        return f"<table><tr>{heads}</tr>{rows}</table><p>{_CAPTION}</p>{said}"

    def _heads(self) -> tuple[str, ...]:
        steps = max(map(len, self.slopes.values()), default=1)
        after = [f"after {n} step{'s' if n > 1 else ''}" for n in range(1, steps)]
        return ("layer", "at the start", *after)

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (name, *(f"{slope:+.2f} +- {error:.2f}" for slope, error in steps))
            for name, steps in self.slopes.items()
        ]

    def _verdict(self) -> list[str]:
        if not self.findings:
            return ["no layer grows with the width"]
        return [
            line
            for one in self.findings
            for line in (
                f"{one.id} {one.severity}: {one.sentence}",
                f"fix {one.id} {one.module}: {one.fix}",
            )
        ]


def width_law(
    make: Callable[[int], nn.Module],
    widths: Sequence[int],
    batch: Any,
    *,
    targets: Tensor,
    loss: Callable[..., Tensor] = nn.functional.cross_entropy,
    optimizer: Callable[..., Optimizer] = torch.optim.SGD,
    steps: int = 3,
    seeds: int = 3,
    seed: int = 0,
) -> WidthLaw:
    """Return how the size of activations depends on the width, from the start on.

    In the standard parametrization they grow from the first steps on; in muP they do
    not. Each width is built and trained for a few steps, from several seeds.

    Args:
        make: Builds the model of a width, with the same modules each time.
        widths: Two or more.
        batch: As for `check`.
        targets: Of the batch.
        loss: Of the model's output and the targets.
        optimizer: Called with the model's parameters.
        steps: Updates; sizes are taken before each and after the last.
        seeds: Members of each width, two or more.
        seed: Of the first one.

    Raises:
        InvalidValueError: If there are fewer than two widths, or modules differ.

    Example:
        >>> def make(width):
        ...     first, last = nn.Linear(8, width), nn.Linear(width, 3)
        ...     return nn.Sequential(first, nn.ReLU(), last)
        >>> batch = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
        >>> law = width_law(
        ...     make, (32, 64, 128), batch, targets=torch.arange(32) % 3,
        ...     optimizer=lambda p: torch.optim.Adam(p, lr=0.3),
        ... )
        >>> law.findings[0].id
        'WI25'

    References:
        Yang et al. (2022), appendix D.1, https://arxiv.org/abs/2203.03466
    """  # fmt: skip
    if not isinstance(widths, Iterable) or len(set(widths)) < 2:
        raise InvalidValueError(f"two or more, got {widths!r}", argument="widths")
    for name, given, example in (
        ("make", make, "lambda width: Model(width)"),
        ("loss", loss, "torch.nn.functional.cross_entropy"),
        ("optimizer", optimizer, "torch.optim.Adam"),
    ):
        if not callable(given):
            raise InvalidValueError(
                f"a function, such as {example}, got {given!r}", argument=name
            )
    if not isinstance(targets, Tensor):
        raise InvalidValueError(
            f"a tensor, of which the loss is, got {type(targets).__name__}",
            argument="targets",
        )
    seeds = as_count("seeds", seeds, least=2)  # of one there is no spread
    seed = as_seed(seed, seeds)
    steps = as_count("steps", steps, least=0)
    sizes: dict[str, np.ndarray] = {}
    for i, width in enumerate(widths):
        for member in range(seeds):
            model = build(partial(make, width), seed + member)
            found = _sizes(model, batch, targets, loss, optimizer, steps)
            for name, values in found.items():
                shape = (len(widths), seeds, steps + 1)
                sizes.setdefault(name, np.full(shape, np.nan))[i, member] = values
    if any(np.isnan(values).any() for values in sizes.values()):
        raise InvalidValueError(
            "the same modules are needed at every width", argument="make"
        )
    logs = np.log(np.asarray(widths, dtype=np.float64))
    slopes = {
        name: [_slope(logs, np.log(values[:, :, t])) for t in range(steps + 1)]
        for name, values in sizes.items()
    }
    return WidthLaw(slopes=slopes, findings=tuple(_findings(slopes)))


def _sizes(
    model: nn.Module,
    batch: Any,
    targets: Tensor,
    loss: Callable[..., Tensor],
    make_optimizer: Callable[..., Optimizer],
    steps: int,
) -> dict[str, list[float]]:
    """Return the mean absolute output of every layer, before each step and after."""
    call = as_call(model, batch, targets, with_loss=True)
    optimizer = make_optimizer(model.parameters())
    found: dict[str, list[float]] = {}
    calls: dict[str, list[float]] = {}
    with ALONE, _recorded(model, calls), torch.random.fork_rng(devices=[]):
        for step in range(steps + 1):
            torch.clear_autocast_cache()  # casts hold the weights before the step
            calls.clear()
            value = loss(model(*call.args, **call.kwargs), call.targets)
            for name, each in calls.items():
                found.setdefault(name, []).append(sum(each) / len(each))
            if step < steps:
                optimizer.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    return found


@contextmanager
def _recorded(model: nn.Module, found: dict[str, list[float]]) -> Iterator[None]:
    """Record the size of each layer's output, at each of its calls."""

    def record(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                size = float(output.detach().float().abs().mean())
                found.setdefault(name, []).append(max(size, 1e-30))

        return hook

    handles = [
        module.register_forward_hook(record(name))
        for name, module in model.named_modules()
        if name and any(p.dim() > 1 for p in module.parameters(recurse=False))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return a least-squares slope over widths, and its standard error over members."""
    centred = x - x.mean()
    each = centred @ y / (centred @ centred)
    error = each.std(ddof=1) / math.sqrt(len(each)) if len(each) > 1 else 0.0
    return float(each.mean()), float(error)


def _findings(slopes: dict[str, list[tuple[float, float]]]) -> Iterator[Finding]:
    grows = {
        name: max(steps, key=lambda s: s[0])
        for name, steps in slopes.items()
        if any(slope - _ERRORS * error > _FLAT for slope, error in steps)
    }
    if not grows:
        return
    name, (slope, error) = max(grows.items(), key=lambda item: item[1][0])
    step = [s for s, _ in slopes[name]].index(slope)
    yield Finding(
        id="WI25", severity="warning", cause="width_law", module=name, measured=slope,
        expected=_FLAT, evidence={"error": error, "step": step}, places=tuple(grows),
    )  # fmt: skip
