"""What is known of a user's model: its weights, how they are used, what comes out.

Facts as values, read by `initlab.capture` and judged by `initlab.analysis`.
"""

from dataclasses import dataclass, field
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
    """

    module: str
    parameter: str
    length: float
    logit_std: float
    entropy: float


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterReading:
    """A parameter as it stands, whether it ran or not.

    Attributes:
        name: As in `named_parameters`; a tied parameter has one.
        aliases: Its other names.
        shape: Its shape.
        dtype: Its type, without "torch.".
        frozen: Whether it requires no gradient.
        used: Whether the forward pass used it.
        reached: Whether the loss or a random product of the outputs depends on it.
        role: "weight", "bias", "gamma", "beta" (of a norm), "scale" (multiplies a
            signal), "shift" (is added to one), "embedding", "other".
        mean, std, largest: Of its entries; the largest in absolute value.
        zero_share: Share of entries that are exactly 0.
        nonfinite: Entries that are nan or infinite.
        constant: Whether all entries are equal.
        fingerprint: Equal for parameters that hold the same numbers.
        gradient_norm: Of the loss, or of the random product where there is no loss;
            nan where nothing reaches it.
        gradient_zero: Whether that gradient is exactly 0 everywhere.
        later_gradient_zero: The same after one step; None where none was taken.
        gradient_nonfinite: Entries of the gradient that are nan or infinite.
        distinct_share: Of some entries, how many differ from all others before.
        tiny_share: Share of entries under 1e-20 without being 0: old memory has them.
        gradient_rank_one: Share of the loss gradient's squared norm in its first
            singular direction, nan where it was not computed.
        gradient_twins: Of a tensor of equal rows: share of them, or of the columns of
            equal numbers, whose gradient of the loss is that of another one.
        added_last: Whether it is only added, and no function comes after it that is not
            linear.
        random_norm: Norm of the gradient of the random product.
        gradient_subnormal: Share of entries of the gradient that are under the type's
            smallest normal number without being 0.
        update_ratio: Norm of the first update over the parameter's, of zeros over that
            of LeCun's weights in their place; nan where no optimizer was examined.
        left_out: Whether it is none of those that the examined optimizer changes.
        added_ratio: Its root mean square over that of the signal that it is added to,
            where that is done by hand; else nan.
        beside_ratio: The same over what it is concatenated with, as a class token is.
        elasticity: Of the loss: its relative change with a relative change of this
            parameter, 2 for what squares are taken of.
        flat_in: Name of the function that is applied to it, where that is flat at all
            entries; or "".
        overflows_in: Name of a function that is infinite, nan or next to the type's
            largest number of its finite numbers; or "".
        alike_units: Units that are copies of one, for its rows are all equal, where no
            layer weighs it: centres of distances, codes that weights are made of.
        copied: Whether PyTorch's own container made its layer by copying another.
    """

    name: str
    aliases: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    frozen: bool
    used: bool
    reached: bool
    role: str
    mean: float
    std: float
    largest: float
    zero_share: float
    nonfinite: int
    constant: bool
    fingerprint: str
    gradient_norm: float = nan
    gradient_zero: bool = False
    later_gradient_zero: bool | None = None
    gradient_nonfinite: int = 0
    gradient_subnormal: float = 0.0
    tiny_share: float = 0.0
    distinct_share: float = 1.0
    gradient_rank_one: float = nan
    gradient_twins: float = 0.0
    added_last: bool = False
    random_norm: float = nan
    update_ratio: float = nan
    left_out: bool = False
    copied: bool = False
    added_ratio: float = nan
    beside_ratio: float = nan
    elasticity: float = nan
    flat_in: str = ""
    overflows_in: str = ""
    alike_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorReading:
    """What a loss of the user's says of one output, moved to the prior of a target.

    Attributes:
        target: Number of the target among the targets' tensors.
        link: Of the output: "identity" or "log" of the targets' mean, "logit" of the
            share of ones, "classes" for the logarithms of shares.
        head: Index of the use that the output came out of; -1 where none is known.
        parameter: Name of what the output is made of, if it is one parameter alone.
        mean, wanted: Of the output, and where it was moved.
        spread: Of the targets, in the output's units.
        classes: Of labels; 0 otherwise.
        share: Of the most frequent class.
        gain: Of labels: the share of ln(classes) that their shares explain.
        loss, shifted: The loss before and after.
        explained: Of what the loss falls with the output at the targets, how much it
            falls with it at the prior.
    """

    target: int
    link: str
    head: int = -1
    parameter: str = ""
    mean: float = nan
    wanted: float = nan
    spread: float = nan
    classes: int = 0
    share: float = nan
    gain: float = nan
    loss: float = nan
    shifted: float = nan
    explained: float = nan


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputReading:
    """What the model gives out, against what is asked of it.

    Attributes:
        shape: Of the first output.
        mean, std, rms: Of the first output, what is masked left out; std within
            examples.
        loss: Value of the loss, nan where there is none.
        loss_kind: "cross_entropy", "binary", "mse", "given", "model's own" or "".
        classes: Of a classification, 0 otherwise.
        prior_loss: The loss of the best constant output for these targets.
        random_excess: Mean cross-entropy with labels drawn uniformly, less ln(classes),
            if the outputs are logits; of those that are not masked.
        target_mean, target_std: Of targets of a regression.
        class_share: Of the most frequent class among the targets.
        class_entropy: Of the targets' classes, in nats.
        loss_rows: Numbers of targets that the loss is a mean over.
        target_binary: Whether all targets of a loss that we do not know are 0 or 1.
        loss_binary: Whether such a loss turned out to be a binary cross-entropy of
            logits.
        alone: Whether the loss is one of the first output and of nothing else.
        loss_slope: Of such a loss: how much it minds a relative change of the first
            output, over the same at `loss_quiet`; 0 where it is saturated.
        loss_quiet: It, if that output had a root mean square of 1.
        loss_shifted: A known loss of uneven classes, if the first output had on average
            the logits of their shares.
        loss_at_targets: It, if that output were the targets.
        loss_after: The loss after the optimizer's first step, of a model without hidden
            layers.
        examples: In the batch.
        nonfinite: Entries of the first output that are nan or infinite; -inf is a mask.
        masked: Entries of the first output far below all others, or -inf.
        target_nonfinite: Entries of the targets that are nan or infinite.
        input_nan: Entries of the batch that are nan; infinite ones may be a mask's.
        classes_met: Classes of which the batch has at least two targets.
        head: Index of the use that the first output came out of; -1 if none is known.
        scaled_by: Name of the parameter whose exponential is a factor of all that the
            first output is, as a temperature's logarithm; or "".
        priors: Outputs that a loss which we do not know would have at a prior.
    """

    shape: tuple[int, ...] = ()
    mean: float = nan
    std: float = nan
    rms: float = nan
    loss: float = nan
    loss_kind: str = ""
    classes: int = 0
    prior_loss: float = nan
    random_excess: float = nan
    target_mean: float = nan
    target_std: float = nan
    class_share: float = nan
    class_entropy: float = nan
    loss_rows: int = 0
    target_binary: bool = False
    loss_binary: bool = False
    alone: bool = False
    loss_slope: float = nan
    loss_quiet: float = nan
    loss_shifted: float = nan
    loss_at_targets: float = nan
    loss_after: float = nan
    examples: int = 0
    nonfinite: int = 0
    masked: int = 0
    target_nonfinite: int = 0
    input_nan: int = 0
    classes_met: int = 0
    head: int = -1
    scaled_by: str = ""
    priors: tuple[PriorReading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFacts:
    """What building a model several times says of its parameters.

    Attributes:
        uninitialized: Parameters that take what was in memory before: name, and the
            share of their entries.
        overwritten: Parameters that were set to a constant and then drawn over by
            another function: name, and both functions.
    """

    uninitialized: tuple[tuple[str, float], ...] = ()
    overwritten: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Everything read of a model that is no measure of a layer.

    Attributes:
        uses, norms, attentions, blocks, parameters: In order of execution; parameters
            as registered.
        output: What came out.
        choices: Softmaxes that are no attention's.
        optimizer: Class name of the optimizer whose step was examined, or "".
        trained: Whether normalizations hold statistics or factors of a training.
        build: Where the model was built several times.
        notes: Remarks on how the model was read.
        lost_buffers: Names of buffers that hold a nan; masks may be infinite.
    """

    uses: tuple[WeightUse, ...]
    norms: tuple[NormUse, ...]
    attentions: tuple[AttentionUse, ...]
    blocks: tuple[Block, ...]
    parameters: tuple[ParameterReading, ...]
    output: OutputReading
    choices: tuple[Choice, ...] = ()
    optimizer: str = ""
    trained: bool = False
    build: BuildFacts = field(default_factory=BuildFacts)
    notes: tuple[str, ...] = ()
    lost_buffers: tuple[str, ...] = ()
