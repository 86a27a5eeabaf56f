"""A model under repair, with what was read of it."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from initlab import catalog
from initlab.activations import akin
from initlab.analysis.findings import Finding, wanted_factor
from initlab.capture import Reading
from initlab.pytorch._counter import standardized
from initlab.pytorch._padding import padding_rows
from initlab.pytorch._variances import variances
from initlab.pytorch.repair._change import Change, Kind
from initlab.spec import ACTIVATION_NAMES, WeightUse

# Draws of one deviation, by so many layers of so many different fans at least.
_ONE_STD, _LAYERS, _FANS = 1.2, 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The model, its reading, and the targets of the batch.

    Attributes:
        model: Out of its wrappers.
        reading: Of the batch.
        inputs: Tensors of the batch, in order.
        targets: Of the batch; None without.
        seed: Of what is redrawn.
    """

    model: nn.Module
    reading: Reading
    inputs: tuple[Tensor, ...] = ()
    targets: Any = None
    seed: int = 0

    def tensor(self, name: str) -> Tensor:
        """A parameter's values, detached."""
        return self.model.get_parameter(name).detach()

    def uses(self, finding: Finding) -> list[WeightUse]:
        """The uses that a finding names: by parameter, places or module."""
        named = {finding.parameter, *finding.places}
        found = [
            use
            for use in self.reading.uses
            if named & {use.parameter, use.bias, *use.sources, use.module}
        ]
        return found or [u for u in self.reading.uses if u.module == finding.module]

    def can_change(self, use: WeightUse) -> bool:
        """Whether a use's weight may be changed: it is neither frozen nor computed.

        With weight norm, the norms can be scaled.
        """
        if use.frozen or not use.parameter:
            return False
        return use.sized

    def by_unit(self, use: WeightUse, values: Tensor) -> Tensor:
        """A weight's numbers with units first, or such numbers as they are stored."""
        return values.T if use.stored_transposed else values

    def gates(self, use: WeightUse) -> int:
        """How many gates a layer's output is cut into; 1 where it is not cut.

        Of layers that are added the activation belongs to one.
        """
        whole = self._measure("units", use)
        bent = [use, *(one for one in self.reading.uses if use.index in one.joined)]
        parts = [self._measure("activation_units", one) for one in bent]
        part = next((part for part in parts if part > 0), 0.0)
        return round(whole / part) if part > 0 and whole % part == 0 else 1

    def variance(self, use: WeightUse) -> float:
        """Weight variance, fan_in times an entry's, of a use as it is."""
        if use.derived:
            measured = self.reading.measures["weight_std"][use.index]
            return float(measured**2) * self.fan_in(use)
        weight = self.tensor(use.parameter).double()
        return float(weight.pow(2).mean()) * self.fan_in(use)

    def fan_in(self, use: WeightUse) -> float:
        """The true fan_in of a use."""
        return float(catalog.fans(use.layer).fan_in)

    def std(self, use: WeightUse) -> float:
        """Deviation for a weight that is drawn anew: its siblings', or the law's.

        Siblings have the same shape and part in the model, as in other blocks: a
        model that starts at .02 throughout does so for its author's reasons.
        """
        # A weight that is also used transposed has two laws: the quieter one.
        laws = [
            math.sqrt(self.target(one)[0] / self.fan_in(one))
            for one in self.reading.uses
            if one.parameter == use.parameter and one.layer.kind == use.layer.kind
        ]
        law = min(laws)
        sizes: dict[str, float] = {}
        siblings = []
        for one in self.reading.uses:
            if one.parameter == use.parameter or one.zero or one.derived:
                continue
            if self._measure("constant_weight", one) == 1:  # nobody's reasons
                continue
            rms = float(self.tensor(one.parameter).double().pow(2).mean().sqrt())
            if not (math.isfinite(rms) and law / 30 < rms < 30 * law):
                continue
            if one.layer.kind == use.layer.kind:
                sizes[one.parameter] = rms
            alike = one.layer == use.layer and one.attends == use.attends
            alike &= one.activation == use.activation
            if alike and one.branch_end == use.branch_end:
                siblings.append(rms)
        return statistics.median(siblings) if siblings else self._one_std(sizes) or law

    def _one_std(self, sizes: Mapping[str, float]) -> float | None:
        """The deviation that layers of several fans share, as BERT's; None if none."""
        fans = {self.fan_in(u) for u in self.reading.uses if u.parameter in sizes}
        if len(fans) < _FANS or len(sizes) < _LAYERS:
            return None
        low, high = min(sizes.values()), max(sizes.values())
        return statistics.median(sizes.values()) if high < _ONE_STD * low else None

    def target(self, use: WeightUse) -> tuple[float, float]:
        """Weight and bias variance that the activation after a use asks for.

        The weight's is what findings print, so that a change does what they say.
        An activation that is given a multiple, as sin(30 z), asks for that much less.
        """
        weight, bias = wanted_factor(use), 0.0
        if akin(use.activation) is not None:
            _, bias, _ = variances(use.activation, negative_slope=use.negative_slope)
        given = self._measure("entering_rms", use)
        put_out = self._measure("preactivation_rms", use)
        known = use.activation in ACTIVATION_NAMES and self.gates(use) == 1
        alone = known and put_out > 0 and not (use.normed or use.joined)
        factor = given / put_out if alone else math.nan
        if not math.isfinite(factor) or not factor > 0 or 0.5 < factor < 2:
            factor = 1.0
        return weight / factor**2, bias / factor**2

    def _measure(self, name: str, use: WeightUse) -> float:
        values = self.reading.measures.get(name)
        return math.nan if values is None else float(values[use.index])

    def normal(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Standard normal draws of a repair of that name."""
        count = int(np.prod(shape))
        drawn = standardized("normal", self.seed, f"{name}/repair", 0, count)
        return torch.from_numpy(drawn.reshape(shape))

    def change(
        self, name: str, values: Tensor, *, kind: Kind, amount: str, finding: Finding
    ) -> Change:
        """A change of a parameter to these values, in its own type; padding stays."""
        own = self.tensor(name)
        values = values.to(own.device, own.dtype).reshape(own.shape)
        for row in padding_rows(self.model, self.model.get_parameter(name)):
            values[row] = own[row].nan_to_num(0.0, 0.0, 0.0)
        assert torch.isfinite(values).all(), name
        return Change(
            parameter=name,
            kind=kind,
            amount=amount,
            finding=finding.id,
            values=values,
        )

    def rescaled(self, name: str, factor: float, finding: Finding) -> Change:
        """A parameter times a factor."""
        values = self.tensor(name).double() * factor
        return self.change(
            name, values, kind="rescaled", amount=f"x {factor:.3g}", finding=finding
        )

    def filled(self, name: str, value: float, finding: Finding) -> Change:
        """A parameter set to one value."""
        values = torch.full_like(self.tensor(name), value)
        return self.change(
            name, values, kind="set", amount=f"{value:g}", finding=finding
        )
