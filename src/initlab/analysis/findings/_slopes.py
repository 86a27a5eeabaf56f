"""A check of leaky ReLUs that learn their slopes."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_parameter

# He et al. (2015) start them at .25, and learn none over 1.
_STEEPEST = 2.0
# What rounding leaves of two numbers that are the same.
_SAME = 1e-3


def steep_slopes(model: Model) -> Iterator[Finding]:
    """WI05: leaky ReLUs that learn their slope, and start with one far over 1."""
    steep = [
        use.negative_slope for use in model.fresh()
        if use.activation == "leaky_relu" and use.negative_slope > _STEEPEST
    ]  # fmt: skip
    named = {name for use in model.uses for name in (*use.sources, use.bias)}
    found = [
        p for p in model.facts.parameters
        if p.name not in named and not p.frozen
        and any(math.isclose(math.hypot(p.mean, p.std), one, rel_tol=_SAME)
                for one in steep)
    ]  # fmt: skip
    if found:
        yield at_parameter(
            found[0], "WI05", "error" if max(steep) > _STEEPEST**2 else "warning",
            "steep_slopes", measured=math.hypot(found[0].mean, found[0].std),
            expected=_STEEPEST, places=tuple(p.name for p in found),
        )  # fmt: skip
