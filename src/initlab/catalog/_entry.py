"""What is known about an initializer: its law, its source and its use."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from initlab.catalog._bibliography import BIBLIOGRAPHY, Reference

Law = Literal[
    "fixed",
    "normal",
    "uniform",
    "truncated_normal",
    "sparse_normal",
    "orthogonal",
    "delta_orthogonal",
    "mirrored_orthogonal",
]
Need = Literal["shape", "layer", "conv", "position", "batch", "forward"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An initializer and what is known about it.

    Attributes:
        draw: `(shape, *, rng, **parameters)` -> weight, where a shape is a tuple or a
            `LayerSpec`.
        std: `(shape, **parameters)` -> standard deviation of the entries.
        distribution: Of the entries, with the default parameters; `"fixed"` draws
            nothing.
        excess_kurtosis: `(shape, **parameters)` -> kurtosis minus 3; None where the
            entries are not random.
        bias: `(shape, *, rng, **parameters)` -> biases; None where they start at 0.
        needs: What it has to know: `"shape"`; `"layer"`, where groups, strides or
            packing matter, which a bare shape leaves at those of an ordinary layer;
            `"conv"`, a convolution's shape; `"position"`, whether the layer is the
            first or the last; `"batch"` and `"forward"`, inputs and a way to run the
            network on them.
        full_rank: Whether every weight has the largest rank that its shape allows. Of
            kernels that are 0 but for one position, that position's matrix has it.
        distinct_units: Whether no two units of a layer start alike, whatever its
            shape: training can never tell those apart that do.
        formula: The law, as it is shown.
        cite: Key of the bibliography.
        summary: What it is, in a few words.
        use_when: When it is a sound choice.
        not_when: When it is not.

    Example:
        >>> from initlab.catalog import CATALOG
        >>> CATALOG["he_normal"].std((10, 2))
        1.0
    """

    draw: Callable[..., Any]
    std: Callable[..., float]
    distribution: Law
    excess_kurtosis: Callable[..., float] | None = None
    bias: Callable[..., Any] | None = None
    needs: tuple[Need, ...] = ("shape",)
    full_rank: bool = True
    distinct_units: bool = True
    formula: str
    cite: str
    summary: str
    use_when: str
    not_when: str

    @property
    def parameters(self) -> dict[str, bool | float | str]:
        """The parameters with their defaults, in the order of the signature.

        Example:
            >>> from initlab.catalog import CATALOG
            >>> CATALOG["normal"].parameters
            {'std': 0.01, 'mean': 0.0}
        """
        signature = inspect.signature(self.draw)
        return {
            name: parameter.default
            for name, parameter in signature.parameters.items()
            if name not in ("shape", "rng")
        }

    @property
    def random(self) -> bool:
        """Whether two draws differ.

        Example:
            >>> from initlab.catalog import CATALOG
            >>> CATALOG["identity"].random
            False
        """
        return self.distribution != "fixed"

    @property
    def reference(self) -> Reference:
        """The publication that it is from.

        Example:
            >>> from initlab.catalog import CATALOG
            >>> CATALOG["he_normal"].reference.year
            2015
        """
        return BIBLIOGRAPHY[self.cite]
