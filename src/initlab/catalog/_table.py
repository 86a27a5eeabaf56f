"""The table of all initializers: each with its law, its source and its use.

Generic tests run over this table, so that a new row is tested without writing a test.
Formulas are plain ASCII: they are printed on terminals of any encoding.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from initlab.catalog import _constant, _orthogonal, _plain, _variance
from initlab.catalog._bibliography import BIBLIOGRAPHY, Reference
from initlab.catalog._checks import Shape

Law = Literal["fixed", "normal", "uniform", "truncated_normal", "orthogonal"]
Need = Literal["shape", "layer", "conv", "position", "batch", "forward"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An initializer and what is known about it.

    Attributes:
        draw: `(shape, *, rng, **parameters)` -> weight.
        std: `(shape, **parameters)` -> standard deviation of the entries.
        distribution: Of the entries, with the default parameters; `"fixed"` draws
            nothing.
        excess_kurtosis: `(shape, **parameters)` -> kurtosis minus 3; None where the
            entries are not random.
        needs: What it has to know: `"shape"`; `"layer"`, where the fans matter, which
            a bare shape states for ordinary layers only; `"conv"`, a convolution's
            shape; `"position"`, whether the layer is the first or the last;
            `"batch"` and `"forward"`, inputs and a way to run the network on them.
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
        >>> CATALOG["he_normal"].std((10, 2))
        1.0
    """

    draw: Callable[..., Any]
    std: Callable[..., float]
    distribution: Law
    excess_kurtosis: Callable[..., float] | None = None
    needs: tuple[Need, ...] = ("shape",)
    full_rank: bool = True
    distinct_units: bool = True
    formula: str
    cite: str
    summary: str
    use_when: str
    not_when: str

    @property
    def parameters(self) -> dict[str, float | str]:
        """The parameters with their defaults, in the order of the signature.

        Example:
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
            >>> CATALOG["identity"].random
            False
        """
        return self.distribution != "fixed"

    @property
    def reference(self) -> Reference:
        """The publication that it is from.

        Example:
            >>> CATALOG["he_normal"].reference.year
            2015
        """
        return BIBLIOGRAPHY[self.cite]


def normal_kurtosis(shape: Shape, **parameters: Any) -> float:  # noqa: ARG001 -- a law takes what its draw takes
    """0, by definition.

    Example:
        >>> normal_kurtosis((10, 2))
        0.0
    """
    return 0.0


def uniform_kurtosis(shape: Shape, **parameters: Any) -> float:  # noqa: ARG001 -- as above
    """-6/5.

    Example:
        >>> uniform_kurtosis((10, 2))
        -1.2
    """
    return -1.2


def truncated_normal_kurtosis(
    shape: Shape,  # noqa: ARG001 -- as above
    *,
    bound: float = _variance.TRUNCATED_BOUND,
    **parameters: Any,  # noqa: ARG001 -- as above
) -> float:
    """Of a normal distribution cut at `bound`, whatever its width.

    Example:
        >>> round(truncated_normal_kurtosis((10, 2), std=3.0), 4)
        -0.6345
    """
    return _plain.truncated_kurtosis(bound)


def variance_scaling_kurtosis(
    shape: Shape, *, distribution: str = "normal", **parameters: Any
) -> float:
    """Of the distribution asked for.

    Example:
        >>> variance_scaling_kurtosis((10, 2), distribution="uniform")
        -1.2
    """
    laws: dict[str, Callable[..., float]] = {
        "normal": normal_kurtosis,
        "truncated_normal": truncated_normal_kurtosis,
        "uniform": uniform_kurtosis,
    }
    return laws[distribution](shape, **parameters)


CATALOG: Mapping[str, Entry] = MappingProxyType(
    {
        "zeros": Entry(
            draw=_constant.zeros,
            std=_constant.constant_std,
            distribution="fixed",
            full_rank=False,
            distinct_units=False,
            formula="0",
            cite="rumelhart1986",
            summary="all weights 0",
            use_when="biases, and a last layer that shall start at the same output "
            "for every input",
            not_when="hidden layers: all units get the same gradient and stay alike",
        ),
        "ones": Entry(
            draw=_constant.ones,
            std=_constant.constant_std,
            distribution="fixed",
            full_rank=False,
            distinct_units=False,
            formula="1",
            cite="goodfellow2016",
            summary="all weights 1",
            use_when="the scale of a normalization layer",
            not_when="weight matrices: all units stay alike",
        ),
        "constant": Entry(
            draw=_constant.constant,
            std=_constant.constant_std,
            distribution="fixed",
            full_rank=False,
            distinct_units=False,
            formula="value",
            cite="goodfellow2016",
            summary="all weights the same number",
            use_when="showing that symmetry, not zero, is what stops learning",
            not_when="weight matrices: all units stay alike",
        ),
        "identity": Entry(
            draw=_constant.identity,
            std=_constant.identity_std,
            distribution="fixed",
            distinct_units=False,
            formula="gain * I",
            cite="le2015",
            summary="each unit passes on the input of its index",
            use_when="recurrent weights with ReLU, and layers that shall start as "
            "the identity",
            not_when="layers that grow: surplus units start at 0 and alike",
        ),
        "normal": Entry(
            draw=_plain.normal,
            std=_plain.normal_std,
            distribution="normal",
            excess_kurtosis=normal_kurtosis,
            formula="N(mean, std^2)",
            cite="krizhevsky2012",
            summary="Gaussian of a stated width",
            use_when="a paper states the width, or to see what a wrong width does",
            not_when="depth or width vary: the signal scales by about "
            "std * sqrt(fan_in) in every layer",
        ),
        "uniform": Entry(
            draw=_plain.uniform,
            std=_plain.uniform_std,
            distribution="uniform",
            excess_kurtosis=uniform_kurtosis,
            formula="U(low, high)",
            cite="rumelhart1986",
            summary="evenly spread between two stated numbers",
            use_when="a paper states the interval",
            not_when="depth or width vary: the interval does not follow the fans",
        ),
        "truncated_normal": Entry(
            draw=_plain.truncated_normal,
            std=_plain.truncated_normal_std,
            distribution="truncated_normal",
            excess_kurtosis=truncated_normal_kurtosis,
            formula="N(0, std^2), abs(w) <= bound * std",
            cite="burkardt2014",
            summary="Gaussian without tails, not corrected for the cut",
            use_when="reproducing models that state a truncated width, such as 0.02",
            not_when="the nominal width matters: at bound 2 it is 12 % smaller",
        ),
        "lecun_normal": Entry(
            draw=_variance.lecun_normal,
            std=_variance.lecun_std,
            needs=("layer",),
            distribution="normal",
            excess_kurtosis=normal_kurtosis,
            formula="N(0, gain^2 / fan_in)",
            cite="lecun1998",
            summary="Gaussian that keeps the variance forward",
            use_when="SELU, linear layers, tanh near 0",
            not_when="deep ReLU networks: the second moment halves in every layer",
        ),
        "lecun_uniform": Entry(
            draw=_variance.lecun_uniform,
            std=_variance.lecun_std,
            needs=("layer",),
            distribution="uniform",
            excess_kurtosis=uniform_kurtosis,
            formula="U(-b, b), b = gain * sqrt(3 / fan_in)",
            cite="lecun1998",
            summary="uniform that keeps the variance forward",
            use_when="as lecun_normal, with bounded weights",
            not_when="deep ReLU networks: the second moment halves in every layer",
        ),
        "glorot_normal": Entry(
            draw=_variance.glorot_normal,
            std=_variance.glorot_std,
            needs=("layer",),
            distribution="normal",
            excess_kurtosis=normal_kurtosis,
            formula="N(0, 2 gain^2 / (fan_in + fan_out))",
            cite="glorot2010",
            summary="Gaussian, a compromise of forward and backward",
            use_when="tanh, softmax outputs, layers of changing width",
            not_when="deep ReLU networks: equal widths halve the second moment",
        ),
        "glorot_uniform": Entry(
            draw=_variance.glorot_uniform,
            std=_variance.glorot_std,
            needs=("layer",),
            distribution="uniform",
            excess_kurtosis=uniform_kurtosis,
            formula="U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out))",
            cite="glorot2010",
            summary="uniform, a compromise of forward and backward",
            use_when="as glorot_normal, with bounded weights; the default of Keras",
            not_when="deep ReLU networks: equal widths halve the second moment",
        ),
        "he_normal": Entry(
            draw=_variance.he_normal,
            std=_variance.he_std,
            needs=("layer",),
            distribution="normal",
            excess_kurtosis=normal_kurtosis,
            formula="N(0, gain^2 / fan_in), gain = sqrt(2)",
            cite="he2015",
            summary="Gaussian that keeps ReLU's second moment",
            use_when="ReLU and its kin, without normalization",
            not_when="tanh, sigmoid or SELU with ReLU's gain",
        ),
        "he_uniform": Entry(
            draw=_variance.he_uniform,
            std=_variance.he_std,
            needs=("layer",),
            distribution="uniform",
            excess_kurtosis=uniform_kurtosis,
            formula="U(-b, b), b = gain * sqrt(3 / fan_in), gain = sqrt(2)",
            cite="he2015",
            summary="uniform that keeps ReLU's second moment",
            use_when="as he_normal, with bounded weights",
            not_when="tanh, sigmoid or SELU with ReLU's gain",
        ),
        "variance_scaling": Entry(
            draw=_variance.variance_scaling,
            std=_variance.variance_scaling_std,
            needs=("layer",),
            distribution="normal",
            excess_kurtosis=variance_scaling_kurtosis,
            formula="variance of the entries = variance / fan",
            cite="keras2015",
            summary="any variance, fan and distribution",
            use_when="matching JAX or Keras, whose normals are truncated",
            not_when="a named scheme says the same",
        ),
        "orthogonal": Entry(
            draw=_orthogonal.orthogonal,
            std=_orthogonal.orthogonal_std,
            distribution="orthogonal",
            excess_kurtosis=_orthogonal.orthogonal_kurtosis,
            formula="gain * Q, Q uniform over orthogonal matrices",
            cite="saxe2014",
            summary="every singular value equals the gain",
            use_when="deep or recurrent networks, with the activation's gain",
            not_when="matrices that pack several, such as an LSTM's four gates",
        ),
        "lesson_xavier": Entry(
            draw=_variance.lesson_xavier,
            std=_variance.lesson_xavier_std,
            needs=("layer",),
            distribution="normal",
            excess_kurtosis=normal_kurtosis,
            formula="N(0, 1 / fan_in)",
            cite="lecun1998",
            summary='what the classic lesson calls "Xavier": LeCun\'s',
            use_when="following the classic lesson",
            not_when="Glorot's scheme is meant: take glorot_normal",
        ),
    }
)
