"""What the recorder notes while the model runs."""

from dataclasses import dataclass, field

from torch import Tensor

from initlab.spec import LayerSpec


@dataclass(slots=True, kw_only=True)
class UseRecord:
    """A weight's use, as it is met.

    Attributes:
        number: In order of execution.
        node: Of its first call.
        nodes: Of all calls.
        module: Path of the module that ran.
        sources: Names of the parameters that the weight is made of.
        bias: Name of the bias.
        operation: Name of the function.
        layer: The weight's geometry.
        rows: The weight as `(unit, incoming)`; no copy.
        units: Units that it has.
        unit_axis: Axis of its output that holds them.
        parts: Groups of them, in order, that have an input each.
        activation, negative_slope: Of the first activation after it.
        activated: The node that this is.
        entered: The input of a weight of zeros, to start gradients there.
        silenced_by: The loudest parameter of what arrives as zeros; or "".
        values: Measures by the dataset's names.
    """

    number: int
    node: int
    nodes: list[int]
    module: str
    sources: tuple[str, ...]
    bias: str | None
    operation: str
    layer: LayerSpec
    rows: Tensor
    units: int
    unit_axis: int
    stored_transposed: bool
    derived: bool
    role: str
    parts: int = 1
    bias_value: Tensor | None = None
    calls: int = 1
    activation: str = ""
    negative_slope: float = 0.0
    activated: int | None = None
    entered: list[Tensor] = field(default_factory=list)
    silenced_by: str = ""
    values: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class NormRecord:
    """A normalization, as it is met."""

    node: int
    module: str
    kind: str
    gamma: str | None
    gamma_rms: float = 1.0
    gamma_zero: float = 0.0
    beta: str | None = None
    beta_rms: float = 0.0


@dataclass(slots=True, kw_only=True)
class AttentionRecord:
    """An attention, as it is met."""

    node: int
    module: str
    length: float
    width: int
    scale: float
    logit_std: float
    entropy: float


@dataclass(slots=True, kw_only=True)
class ChoiceRecord:
    """A softmax that is no attention's, as it is met."""

    node: int
    module: str
    parameter: str
    length: float
    logit_std: float
    entropy: float
    factors: tuple[str, ...]


@dataclass(slots=True)
class DeltaSums:
    """Sums over a layer's gradients, of all its calls."""

    total: float = 0.0
    squares: float = 0.0
    count: int = 0
    zeros: int = 0
    subnormal: int = 0


@dataclass(slots=True, kw_only=True)
class Records:
    """Everything written down in one forward pass."""

    uses: list[UseRecord] = field(default_factory=list)
    norms: list[NormRecord] = field(default_factory=list)
    attentions: list[AttentionRecord] = field(default_factory=list)
    choices: list[ChoiceRecord] = field(default_factory=list)
    sums: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    deltas: dict[tuple[str, int], DeltaSums] = field(default_factory=dict)
    scaled_by: dict[int, str] = field(default_factory=dict)
    # Of parameters that are added by hand, or concatenated: their size over that of the
    # signal.
    added: dict[str, float] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)
    # Parameters in the flat part of a function, and those of which a function is nan or
    # infinite, by that function's name.
    flat: dict[str, str] = field(default_factory=dict)
    overflows: dict[str, str] = field(default_factory=dict)
    # Units that parameters of equal rows make copies of.
    alike: dict[str, int] = field(default_factory=dict)
