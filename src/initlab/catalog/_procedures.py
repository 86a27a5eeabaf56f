"""Initializations that are no draw of one weight: they need data and the network.

>>> PROCEDURES["lsuv"].needs
('batch', 'forward')
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from initlab.catalog import _lsuv
from initlab.catalog._bibliography import BIBLIOGRAPHY, Reference
from initlab.catalog._entry import Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A data-driven initialization and what is known about it.

    Attributes:
        run: `(weights, forward, *, rng, ...)` -> weights and a report.
        call: How it is called, as it is shown.
        needs: What it has to be given, in the words of `Entry.needs`.
        formula: The rule, as it is shown.
        cite: Key of the bibliography.
        summary: What it is, in a few words.
        use_when: When it is a sound choice.
        not_when: When it is not.

    Example:
        >>> PROCEDURES["lsuv"].reference.year
        2016
    """

    run: Callable[..., Any]
    call: str
    needs: tuple[Need, ...]
    formula: str
    cite: str
    summary: str
    use_when: str
    not_when: str

    @property
    def reference(self) -> Reference:
        """The publication that it is from.

        Example:
            >>> PROCEDURES["lsuv"].reference.authors
            'Mishkin and Matas'
        """
        return BIBLIOGRAPHY[self.cite]


PROCEDURES: Mapping[str, Procedure] = MappingProxyType(
    {
        "lsuv": Procedure(
            run=_lsuv.lsuv,
            call="initlab.catalog.lsuv(weights, forward, "
            "rng=numpy.random.default_rng(0))",
            needs=("batch", "forward"),
            formula="orthonormal, then W / std(outputs on a batch), layer by layer",
            cite="mishkin2016",
            summary="layers scaled to unit variance on a batch of data",
            use_when="no formula covers the layers: mixed activations, odd wiring",
            not_when="batch normalization follows, which does the same at every step; "
            "tiny batches, whose deviations are noise",
        ),
    }
)
