"""Ways from a model's inputs to its heads, and layers that nothing bends behind."""

from initlab.analysis.findings._model import Model
from initlab.spec import WeightUse

# Spread of float32 sums of what does not depend on inputs.
THE_SAME = 1e-6


def leads_around(model: Model, blocked: set[int]) -> bool:
    """Whether a way from the inputs to some head passes none of these uses."""
    arrived: set[int] = set()
    for use in model.uses:
        passing = set(use.previous) - blocked
        starts = use.index not in blocked and (use.stem or not use.previous)
        if use.previous and _hears_nothing(model, use):
            starts = False  # the model's inputs are multiplied by zeros, or choose rows
        if starts or passing & arrived:
            arrived.add(use.index)
    return any(use.head and use.index in arrived for use in model.uses)


def _hears_nothing(model: Model, use: WeightUse) -> bool:
    """Whether a layer is given zeros, or the same for every example."""
    size, spread = (model.of(f"given_{of}", use.index) for of in ("rms", "spread"))
    return size == 0 or spread < THE_SAME


def ends_in_linear_layers(model: Model, use: WeightUse) -> bool:
    """Whether a layer's outputs only pass linear layers, as scores that are enlarged.

    Zeros there are those of a head, as FCN's (Long et al., 2015) are.
    """
    above = [one for one in model.uses if use.index in one.previous]
    linear = use.activation == "identity" and not use.normed
    return linear and all(
        one.index > use.index and not one.attends
        and (one.head or ends_in_linear_layers(model, one))
        for one in above
    )  # fmt: skip
