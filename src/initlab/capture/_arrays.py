"""What was measured of every use, as arrays by the dataset's names."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from initlab.capture._records import DeltaSums, Records
from initlab.spec import WeightUse


def arrays_of(
    records: Records,
    facts: dict[str, dict[str, Any]],
    uses: tuple[WeightUse, ...],
) -> dict[str, np.ndarray]:
    """Return one array per variable, an entry per use."""
    names = dict.fromkeys(name for use in records.uses for name in use.values)
    found = {
        name: np.array([use.values.get(name, math.nan) for use in records.uses])
        for name in names
    }
    for pass_name, prefix in (("random", ""), ("loss", "loss_")):
        sums = [records.deltas.get((pass_name, u.number)) for u in records.uses]
        found |= _delta_measures(sums, prefix)
    for variable, key in (("gradient_norm", "random_norm"),
                          ("loss_gradient_norm", "gradient_norm")):  # fmt: skip
        found[variable] = np.array(
            [_norm_of(facts, use.sources, key) for use in uses], dtype=np.float64
        )
    found["chi"] = _chi(records, uses)
    return found


def _delta_measures(sums: list[DeltaSums | None], prefix: str) -> dict[str, np.ndarray]:
    def each(value: Callable[[DeltaSums], float]) -> np.ndarray:
        return np.array([value(s) if s and s.count else math.nan for s in sums])

    mean = each(lambda s: s.total / s.count)
    rms = each(lambda s: math.sqrt(s.squares / s.count))
    return {
        f"{prefix}delta_mean": mean,
        f"{prefix}delta_rms": rms,
        f"{prefix}delta_std": np.sqrt(np.maximum(rms**2 - mean**2, 0)),
        f"{prefix}delta_norm": each(lambda s: math.sqrt(s.squares)),
        f"{prefix}delta_subnormal": each(
            lambda s: s.subnormal / max(1, s.count - s.zeros)
        ),
    }


def _chi(records: Records, uses: tuple[WeightUse, ...]) -> np.ndarray:
    """Return the factor of squared gradients from the layers after to this one."""
    norms = [records.deltas.get(("random", u.index)) for u in uses]
    above: list[float] = [0.0] * len(uses)
    for use in uses:
        own = norms[use.index]
        if own is None:
            continue
        for below in use.plain:
            squares = own.squares
            if below in use.averaged:
                # A mean over positions shrinks squared gradients by their number,
                # which is no fault of the weights.
                here, there = (
                    records.uses[u].values.get("output_positions", 1.0)
                    for u in (use.index, below)
                )
                squares *= here / there
            above[below] += squares
    return np.array(
        [
            own.squares / total if own is not None and total > 0 else math.nan
            for own, total in zip(norms, above, strict=True)
        ]
    )


def _norm_of(
    facts: dict[str, dict[str, Any]], sources: tuple[str, ...], key: str
) -> float:
    norms = [facts[s].get(key, math.nan) for s in sources if s in facts]
    return math.sqrt(sum(n * n for n in norms)) if norms else math.nan
