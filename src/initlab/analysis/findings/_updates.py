"""WI04: first updates of one direction, where more are possible."""

from collections.abc import Iterator

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import is_narrow
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_use
from initlab.spec import WeightUse

_RANK_ONE = 0.9999
# The square of it is what _RANK_ONE leaves to other directions.
_ONE_DIRECTION = 0.01
# Of the size of what a layer gives, that a function changes on its way.
_BENT = 0.05
_FEWEST_CLASSES = 3
_FEWEST_ROWS = 3


def symmetric_update(model: Model) -> Iterator[Finding]:
    """WI04: the units of a layer all learn the same."""
    output = model.facts.output
    if output.classes < 3 or min(output.examples, output.loss_rows) < 3:
        return
    # If most examples are of one class, all rows ask the units for about the same.
    if output.classes_met < _FEWEST_CLASSES:
        return
    for use in model.fresh():
        facts = model.parameter(use.parameter)
        small = min(use.layer.shape[0], model.fan_in(use.index)) < 3
        if facts is None or use.head or small or use.role:
            continue
        if _has_few_rows(model, use) or _is_averaged(model, use):
            continue
        # Given one vector, as a class token is in all examples, rank 1 is algebra.
        if model.of("given_spread", use.index) < _ONE_DIRECTION:
            continue
        if model.facts.attentions and not has_targets_of_its_own(model, use):
            continue
        if facts.gradient_rank_one > _RANK_ONE:
            excused = is_narrow(model, use) or _bends_as_nothing_known(model, use)
            yield at_use(
                use, "WI04", "info" if excused else "warning", "rank_one_update",
                measured=facts.gradient_rank_one, expected=_RANK_ONE,
            )  # fmt: skip
            return


def _bends_as_nothing_known(model: Model, use: WeightUse) -> bool:
    """Whether an activation before a layer or after it is none that we know.

    Networks of cosines or of Gaussian bells start with updates of rank 1 under
    PyTorch's own start, and train.
    """
    way = {use.index}
    for one in model.uses[use.index + 1 :]:
        way |= {one.index} if way & {*one.previous} else set()
    below = {use.index}
    for one in reversed(model.uses[: use.index + 1]):
        below |= {*one.previous} if one.index in below else set()
    return any(_is_unknown(model, model.uses[number]) for number in way | below)


def _is_unknown(model: Model, use: WeightUse) -> bool:
    """Whether an unknown function bends what a layer gives: sizes tell, if no name."""
    if use.activation != "identity":
        return use.activation == "unknown"
    made = model.of("preactivation_rms", use.index)
    given = [
        model.of("given_rms", one.index) for one in model.uses
        if use.index in one.plain and use.index not in one.averaged
    ]  # fmt: skip
    return made > 0 and any(abs(size / made - 1) > _BENT for size in given)


def _has_few_rows(model: Model, use: WeightUse) -> bool:
    """Whether no update can have rank 2: of few rows, of one logit, of a mean of units.

    A head with one unit gives logits where each position is a class; a layer that only
    feeds one unit, as the energies of an attention, learns along that unit's weights
    where its activation is about linear.
    """
    head = model.facts.output.head
    pointing = head >= 0 and model.of("units", head) == 1
    rows = model.of("output_positions", use.index)
    fed = [model.of("units", u.index) for u in model.uses if use.index in u.previous]
    to_one_unit = bool(fed) and max(fed) == 1
    averaged = model.of("averaged_units", use.index) > 0
    return pointing or to_one_unit or averaged or rows < _FEWEST_ROWS


def _is_averaged(model: Model, use: WeightUse) -> bool:
    """Whether gradients are means over neighbours, which layer after layer are alike.

    In sound graph networks of 32 layers all updates have rank 1.
    """
    return any(later.mixed and use.index in later.previous for later in model.uses)


def has_targets_of_its_own(model: Model, use: WeightUse) -> bool:
    """Whether a layer beside attentions works on tokens that each have a target.

    A token of the model's own is the same in all examples, and what an attention gives
    is a mean over positions that may differ little: in sound vision transformers and in
    Whisper's encoder updates have rank 1. Those of the layers between the attentions of
    a language model have not.
    """
    output = model.facts.output
    per_token = len(output.shape) > 2 and output.loss_rows >= 2 * output.examples
    heads = [one for one in model.uses if one.head]
    if not per_token or not heads or use.layer.kind == "embedding":
        return False
    positions = [model.of("output_positions", u.index) for u in (use, heads[-1])]
    mixes = use.attends or any(model.uses[b].attends for b in use.previous)
    return positions[0] == positions[1] and not mixes
