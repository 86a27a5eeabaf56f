"""How a user's model uses what it has: weights, normalizations, attentions, blocks.

Facts as values, read by `initlab.capture` and judged by `initlab.analysis`.
"""

from dataclasses import dataclass
from math import nan

from initlab.spec._layer import LayerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightUse:
    """A weight, and how the model uses it; in order of execution.

    Attributes:
        index: In `Reading.uses`.
        module: Path of the module that ran, as in `named_modules`; "" is the model.
        parameter: Name of the parameter, as in `named_parameters`; of the first of
            them where the weight is computed from several.
        sources: Names of all parameters that the weight is computed from.
        bias: Name of the bias, or None.
        operation: The function that used it: "linear", "conv2d", "embedding", "lstm".
        layer: The weight with its true geometry; linear weights are `(out, in)`
            however the model stores them.
        stored_transposed: Whether the model stores this linear weight as `(in, out)`.
        derived: Whether the weight is computed, by weight norm or standardization.
        role: "input", "recurrent" for the two weights of a recurrent layer, else "".
        calls: How often it ran in one forward pass.
        activation: Name of the first activation after it, "identity" if a layer, a
            product or the output comes first, "unknown" for functions we do not know.
        negative_slope: Of a leaky ReLU, 0 otherwise.
        source: Name of the last activation before it, "identity" if there is none.
        normed: Whether a normalization lies between it and that activation, or what
            comes next.
        norm_after: Index, in `Reading.norms`, of the normalization that gives that
            activation its numbers; or None.
        joined: Indices of other uses whose outputs are added to its own before that
            activation.
        norm_before: Whether its input comes out of a normalization.
        previous: Indices of the uses whose outputs reach it through no other layer.
        plain: Those of `previous` with no normalization, sum or product in between.
        averaged: Those of `plain` with a mean over positions in between, which shrinks
            gradients by the positions.
        segment: Of the plain chain it belongs to; layers of one segment have no
            normalization between them.
        depth: Place in its segment, from 0.
        block: Innermost residual block whose branch it is on; None: the trunk.
        branch_end: Whether it is the last layer of that branch.
        stem: Whether it reads the model's inputs, with no layer before.
        mixed: Whether inputs that no layer weighed, as a graph's edges, mix what it is
            given among the examples.
        head: Whether no layer comes after it.
        given_out: Whether what it makes is an output of the model, if not the last.
        added: Whether it is a head whose output is added to another head's.
        gate: Whether what it makes multiplies another signal (squeeze and excite).
        attends: "query", "key", "value" or "packed" where it feeds an attention.
        frozen: Whether no source requires a gradient.
        adapter: Whether it is a low-rank side path beside a larger weight.
        tied: Names of modules that use the same parameter in another way.
        zero: Whether every entry is 0.
        silenced_by: The loudest parameter of what reaches it as zeros; or "".
    """

    index: int
    module: str
    parameter: str
    sources: tuple[str, ...]
    bias: str | None
    operation: str
    layer: LayerSpec
    stored_transposed: bool = False
    derived: bool = False
    role: str = ""
    calls: int = 1
    activation: str = "identity"
    negative_slope: float = 0.0
    source: str = "identity"
    normed: bool = False
    norm_after: int | None = None
    joined: tuple[int, ...] = ()
    norm_before: bool = False
    previous: tuple[int, ...] = ()
    plain: tuple[int, ...] = ()
    averaged: tuple[int, ...] = ()
    segment: int = 0
    depth: int = 0
    block: int | None = None
    branch_end: bool = False
    stem: bool = False
    mixed: bool = False
    head: bool = False
    given_out: bool = False
    added: bool = False
    gate: bool = False
    attends: str = ""
    frozen: bool = False
    adapter: bool = False
    tied: tuple[str, ...] = ()
    zero: bool = False
    silenced_by: str = ""

    @property
    def sized(self) -> bool:
        """Whether its parameter holds its size: a weight, or a weight norm's sizes."""
        pair = len(self.sources) == 2
        of_norm = pair and self.parameter.endswith(("original0", "weight_g"))
        return of_norm or not self.derived


@dataclass(frozen=True, slots=True, kw_only=True)
class NormUse:
    """A normalization that ran.

    Attributes:
        module: Path of its module.
        kind: "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm".
        parameter: Name of its factor gamma, or None.
        before, after: Indices of the uses that reach it, and that it reaches, through
            no other layer.
        block: Innermost residual block whose branch it is on; None: the trunk.
        branch_end: Whether no layer of its branch comes after it.
        gamma_rms: Of its factor; 1 where it has none.
        gamma_zero: Share of the factor's entries that are 0.
        beta: Name of what is added behind it, or None.
        beta_rms: Root mean square of that.
    """

    module: str
    kind: str
    parameter: str | None
    before: tuple[int, ...]
    after: tuple[int, ...]
    block: int | None = None
    branch_end: bool = False
    gamma_rms: float = 1.0
    gamma_zero: float = 0.0
    beta: str | None = None
    beta_rms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionUse:
    """An attention that ran, with its logits recomputed.

    Attributes:
        module: Path of its module.
        length: Keys that a query sees, on average.
        width: Features per head.
        scale: What the products were multiplied by, nan where it could not be seen.
        logit_std: Standard deviation of the logits that no mask hides, within rows.
        entropy: Mean entropy of the rows, over ln(length): 1 is uniform.
        scaled: Whether products were multiplied by anything, or queries normalized.
        uses: Indices of the uses that make queries and keys.
    """

    module: str
    length: float
    width: int
    scale: float
    logit_std: float
    entropy: float
    scaled: bool = True
    uses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A softmax that ran inside the model, and is no attention's.

    As over experts, neighbours, layers that are mixed.

    Attributes:
        module: Path of its module.
        parameter: Name of the weight, or of the parameter, that makes its logits.
        length: Numbers that it chooses among, on average.
        logit_std: Standard deviation of the logits, within rows.
        entropy: Mean entropy of the rows, over ln(length): 1 is uniform.
        factors: Names of loud parameters by which what makes the logits is multiplied,
            as by an attention's own vectors.
    """

    module: str
    parameter: str
    length: float
    logit_std: float
    entropy: float
    factors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A residual block: a trunk and a branch that are added.

    Attributes:
        index: In `Reading.blocks`, in order of execution.
        module: Path of the module that added them.
        uses: Indices of the uses on its branch, the nested blocks' too.
        ends: Those after which no layer of the branch comes.
        skip_uses: Indices of the uses on its skip (a projection); () is the identity.
        scales: Names of parameters that the branch is multiplied by (ReZero, SkipInit,
            LayerScale).
        norms: Indices, in `Reading.norms`, of the normalizations on its branch.
        outer: Block whose branch it lies on, or None.
        post_norm: Whether the sum is normalized on the trunk.
        skip_rms, branch_rms, sum_rms: Root mean squares of what was added, and of the
            sum.
    """

    index: int
    module: str
    uses: tuple[int, ...]
    ends: tuple[int, ...]
    skip_uses: tuple[int, ...] = ()
    scales: tuple[str, ...] = ()
    norms: tuple[int, ...] = ()
    outer: int | None = None
    post_norm: bool = False
    skip_rms: float = nan
    branch_rms: float = nan
    sum_rms: float = nan
