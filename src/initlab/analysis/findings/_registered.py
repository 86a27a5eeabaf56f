"""Checks of what is registered, or should be: initialized, used, given gradients."""

import math
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.analysis.findings._places import at_name, at_parameter, is_matrix

# Numbers that no initializer draws, and old memory has.
_HUGE, _HUGE_CONSTANT = 1e4, 1e8
# Of a copy, among the parts of a name.
_NUMBER = re.compile(r"(?<![^.])[0-9]+(?=\.)")


def not_initialized(model: Model) -> Iterator[Finding]:
    """WI21: memory as it was, a constant drawn over, parameters nothing uses."""
    build = model.facts.build
    for name, share in build.uninitialized:
        known_as = model.parameter(name)
        if known_as is None:  # the function made another model this time
            yield at_name(name, "WI21", "error", "uninitialized", measured=share)
            continue
        yield at_parameter(
            known_as, "WI21", "error", "uninitialized", measured=share
        )  # fmt: skip
    for name, first, second in build.overwritten:
        yield at_name(
            name, "WI21", "warning", "overwritten",
            evidence={"first": first, "second": second},
        )  # fmt: skip
    known = {name for name, _ in build.uninitialized}
    for parameter in model.facts.parameters:
        # A few entries far larger than all others; scaled draws are larger together,
        # and a constant is an author's, as the mean of prices.
        least = _HUGE_CONSTANT if parameter.constant else _HUGE
        huge = parameter.largest > max(least, 8 * parameter.std)
        odd = huge or (parameter.tiny_share > 0 and not model.facts.trained)
        if odd and parameter.name not in known and not parameter.frozen:
            yield at_parameter(
                parameter, "WI21", "error", "old_memory",
                measured=max(parameter.tiny_share, 0.0),
                evidence={"largest": parameter.largest},
            )  # fmt: skip
    stray = model.facts.stray
    if stray:
        yield Finding(
            id="WI21", severity="warning", cause="stray", parameter=stray[0],
            module=stray[0].partition("[")[0].rpartition(".")[0],
            measured=float(len(stray)), expected=0.0, places=stray,
        )  # fmt: skip
    yield from _unused(model)


def _unused(model: Model) -> Iterator[Finding]:
    unused = [
        p for p in model.facts.parameters
        if not (p.used or p.frozen or p.left_to_chance)
    ]  # fmt: skip
    # A token for masks, say, is used by another kind of training.
    experts = _Experts(model) if unused else None
    weights = [
        p for p in unused
        if is_matrix(p) and not (experts and experts.may_be_chosen(p.name))
    ]  # fmt: skip
    if unused:
        first = (weights or unused)[0]
        yield at_parameter(
            first, "WI21", "warning" if weights else "info", "unused",
            measured=float(len(unused)), expected=0.0,
            places=tuple(p.name for p in unused),
        )  # fmt: skip
    cut = [
        p for p in model.facts.parameters
        if p.used and not p.reached and not p.frozen and is_matrix(p)
    ]  # fmt: skip
    if cut:
        reached = {p.name: p.reached for p in model.facts.parameters}
        rest = [p for p in cut if not _is_last_copy(p.name, reached)]
        yield at_parameter(
            (rest or cut)[0], "WI21", "warning" if rest else "info", "unreached",
            measured=float(len(cut)), expected=0.0, places=tuple(p.name for p in cut),
        )  # fmt: skip
    if not model.facts.output.loss_kind:
        return
    left_out = [
        p for p in model.facts.parameters
        if p.used and p.reached and not p.frozen
        # An output is made of it, but not the loss: another kind of training's, say.
        and math.isnan(p.gradient_norm) and not p.gradient_nonfinite
        and not math.isnan(p.random_norm)
    ]  # fmt: skip
    if left_out:
        yield at_parameter(
            next(filter(is_matrix, left_out), left_out[0]), "WI21", "info", "left_out",
            measured=float(len(left_out)), expected=0.0,
            places=tuple(p.name for p in left_out),
        )  # fmt: skip


class _Experts:
    """Copies of layers that run beside each other, of which a batch chooses some."""

    def __init__(self, model: Model) -> None:
        self._uses = {use.parameter: use for use in model.uses}
        self._before: list[set[int]] = []
        for use in model.uses:
            below = {number for number in use.previous if number < use.index}
            every = [self._before[number] for number in below]
            self._before.append(below.union(*every))

    def may_be_chosen(self, name: str) -> bool:
        """Whether two copies of a parameter's layer run, neither after the other.

        Of copies in a row one that does not run is forgotten.
        """
        for match in _NUMBER.finditer(name):
            pattern = re.compile(
                re.escape(name[: match.start()])
                + "[0-9]+"
                + re.escape(name[match.end() :])
            )
            copies = [
                use for used, use in self._uses.items() if pattern.fullmatch(used)
            ]
            beside = any(
                one.index not in self._before[other.index]
                for one, other in pairwise(copies)
            )
            if beside:
                return True
        return False


def _is_last_copy(name: str, reached: Mapping[str, bool]) -> bool:
    """Whether only the last of several blocks has a parameter that nothing reaches.

    What the next block would be given of it is dropped: so in WaveNet and N-BEATS.
    """
    for match in _NUMBER.finditer(name):
        before, number, after = (
            name[: match.start()],
            int(match[0]),
            name[match.end() :],
        )
        copies = [f"{before}{other}{after}" for other in range(number + 2)]
        others = all(reached.get(copy, False) for copy in copies[:number])
        if number and others and copies[-1] not in reached:
            return True
    return False
