"""One member of a checked model, as the rules read it."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from initlab.spec import (
    ModelFacts,
    NormUse,
    ParameterReading,
    WeightUse,
    facts_from_json,
)

# Dimensions of a signal's dataset; a check has one init, at its start.
_SINGLE = frozenset({"init", "step"})
# Of 307 public models no normalization starts with a factor over 1.05.
_LOUD_FACTOR = 5.0
_OF_LENGTH = frozenset({"normalize", "rms_norm"})


@dataclass(frozen=True, slots=True)
class Model:
    """Facts and measures of one member.

    Attributes:
        facts: From its reading.
        measures: One number per use and variable.
        by_name: Parameters by name.
    """

    facts: ModelFacts
    measures: Mapping[str, np.ndarray]
    by_name: Mapping[str, ParameterReading] = field(default_factory=dict)

    @property
    def uses(self) -> tuple[WeightUse, ...]:
        """Weights in order of execution."""
        return self.facts.uses

    def of(self, name: str, use: int) -> float:
        """Return a measure of a use; nan where there is none."""
        values = self.measures.get(name)
        return math.nan if values is None else float(values[use])

    def fan_in(self, use: int) -> float:
        """Return the true fan_in of a use."""
        return self.of("fan_in", use)

    def weight_factor(self, use: int) -> float:
        """Return fan_in times the second moment of the weight's entries."""
        second = self.of("weight_std", use) ** 2 + self.of("weight_mean", use) ** 2
        return self.fan_in(use) * second

    def parameter(self, name: str) -> ParameterReading | None:
        """Return a parameter by name."""
        return self.by_name.get(name)

    def fresh(self) -> Iterator[WeightUse]:
        """Yield uses that laws about fresh weights apply to."""
        if self.facts.trained:
            return
        for use in self.uses:
            if not (use.frozen or use.adapter):
                yield use

    def chain(self, segment: int) -> list[WeightUse]:
        """Return the longest plain chain of a segment, in order."""
        members = [use for use in self.uses if use.segment == segment]
        last = max(members, key=lambda use: use.depth)
        chain = [last]
        while chain[-1].plain:
            below = max(chain[-1].plain, key=lambda u: self.uses[u].depth)
            chain.append(self.uses[below])
        return chain[::-1]

    def loud_factor(self, norms: Iterable[NormUse]) -> str | None:
        """Return the factor of one of these normalizations that is far over 1."""
        for norm in norms:
            known = self.parameter(norm.parameter) if norm.parameter else None
            if known and not known.frozen and norm.gamma_rms > _LOUD_FACTOR:
                return norm.parameter
        return None

    def is_read_both_ways(self, use: WeightUse) -> bool:
        """Whether a weight is used as it is and transposed: it has two fans.

        As of autoencoders with tied weights. A scale made for one of the two, or for
        anything between, is sound.
        """
        fan_out, fan_in, *_ = use.layer.shape
        return fan_in != fan_out and any(
            other.parameter == use.parameter
            and other.layer.shape[:2] == (fan_in, fan_out)
            for other in self.uses
        )

    def is_divided_by_its_size(self, use: WeightUse) -> bool:
        """Whether what a use gives is brought to one length, however little it is.

        Before that, 3 and 4 layers with std .02 to .05 learn with Adam as fast as with
        He's; where less than a thousandth arrives, slower.
        """
        return any(
            norm.kind in _OF_LENGTH and use.index in norm.before
            for norm in self.facts.norms
        )

    def added_up(self, use: WeightUse) -> list[WeightUse]:
        """Return the uses whose sum an activation is given."""
        return [use, *(self.uses[number] for number in use.joined)]

    def chains(self) -> list[list[WeightUse]]:
        """Return the longest plain chain of every segment."""
        return [self.chain(s) for s in dict.fromkeys(use.segment for use in self.uses)]


def models_of(dataset: xr.Dataset) -> list[Model]:
    """Return the members of a checked model's dataset."""
    every = facts_from_json(dataset.attrs["facts"])
    # Read as plain arrays: looking up xarray's labels takes longer than all rules.
    by_layer, by_member = {}, {}
    for name in map(str, dataset.data_vars):
        variable = dataset.variables[name]
        dims = tuple(dim for dim in variable.dims if dim not in _SINGLE)
        only = tuple(0 if dim in _SINGLE else slice(None) for dim in variable.dims)
        if dims == ("layer",) and variable.dtype.kind == "f":
            by_layer[name] = variable.values[only]
        elif dims == ("member", "layer"):
            by_member[name] = variable.values[only]
    found = []
    for member, facts in enumerate(every):
        measures = by_layer | {
            name: values[member] for name, values in by_member.items()
        }
        if "use" in measures:
            order = measures["use"]
            ran = np.flatnonzero(~np.isnan(order))
            ran = ran[np.argsort(order[ran])]
            measures = {name: values[ran] for name, values in measures.items()}
        names = {
            name: parameter
            for parameter in facts.parameters
            for name in (parameter.name, *parameter.aliases)
        }
        found.append(Model(facts, measures, names))
    return found
