"""The remedy of attention whose softmaxes are sharp at the start."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from initlab.analysis.findings import Finding
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient
from initlab.spec import AttentionUse, WeightUse

# Logits of a smaller deviation are left as they are.
_SHARP = 1.5
# One side that is so many times the other's size is the one at fault.
_ALONE = 3.0


@dataclass(frozen=True, slots=True)
class _Side:
    """A weight, or a part of one, that makes queries, keys or both.

    Attributes:
        use: Of the weight.
        part: Which of the packed parts; None: all of the weight.
        name: Of the part.
        size: Root of fan_in times the mean square of its numbers.
        power: Of it in the logits: 2 where one layer makes both.
    """

    use: WeightUse
    size: float
    part: int | None = None
    name: str = ""
    power: int = 1


def quiet_attention(patient: Patient, finding: Finding) -> list[Change]:
    """Rescale queries and keys to logits of deviation 1, or the side that is loud."""
    found: dict[str, Change] = {}
    for attention in patient.reading.attentions:
        if not (math.isfinite(attention.logit_std) and attention.logit_std > _SHARP):
            continue
        sides = [
            side for side in _sides(patient, attention)
            if side.use.parameter not in found
        ]  # fmt: skip
        largest = max((side.size for side in sides), default=0.0)
        loud = [side for side in sides if _ALONE * side.size > largest]
        factor = attention.logit_std ** (-1 / max(1, sum(side.power for side in loud)))
        for use in dict.fromkeys(side.use for side in loud):
            own = [side for side in loud if side.use is use]
            found[use.parameter] = _rescaled(patient, own, factor, finding)
    return list(found.values())


def _sides(patient: Patient, attention: AttentionUse) -> Iterator[_Side]:
    uses = [patient.reading.uses[number] for number in attention.uses]
    # Beside queries of their own, what is packed are keys and values.
    apart = any(use.attends == "query" for use in uses)
    names = ("keys",) if apart else ("queries", "keys")
    for use in filter(patient.can_change, uses):
        packed = use.layer.packed if use.attends == "packed" else 1
        rows = patient.by_unit(use, patient.tensor(use.parameter).double())
        if packed > 1:
            parts = rows.chunk(packed)
            for part, name in enumerate(names):
                yield _Side(use, _size(patient, use, parts[part]), part, name)
        else:
            power = 2 if use.attends == "packed" else 1
            yield _Side(use, _size(patient, use, rows), power=power)


def _size(patient: Patient, use: WeightUse, rows: Tensor) -> float:
    return math.sqrt(patient.fan_in(use) * float(rows.pow(2).mean()))


def _rescaled(
    patient: Patient, sides: Sequence[_Side], factor: float, finding: Finding
) -> Change:
    """Rescale the sides that one weight makes."""
    use = sides[0].use
    if sides[0].part is None:
        return patient.rescaled(use.parameter, factor, finding)
    values = patient.tensor(use.parameter).double().clone()
    parts = patient.by_unit(use, values).chunk(use.layer.packed)
    for side in sides:
        assert side.part is not None
        parts[side.part].mul_(factor)
    named = " and ".join(side.name for side in sides)
    return patient.change(
        use.parameter, values, kind="rescaled", amount=f"{named} x {factor:.3g}",
        finding=finding,
    )  # fmt: skip
