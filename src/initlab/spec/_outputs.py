"""What a user's model gives out, against what is asked of it."""

from dataclasses import dataclass
from math import nan


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
        squashed_twice: Whether the loss is a cross-entropy of logits, and is given the
            shares that a softmax makes.
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
    squashed_twice: bool = False
    examples: int = 0
    nonfinite: int = 0
    masked: int = 0
    target_nonfinite: int = 0
    input_nan: int = 0
    classes_met: int = 0
    head: int = -1
    scaled_by: str = ""
    priors: tuple[PriorReading, ...] = ()
