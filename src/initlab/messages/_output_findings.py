"""Words of findings about what comes out: losses, logits, priors, tied tables."""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.messages._checks import FindingCause
from initlab.messages._words import SCALE, ZERO_BIAS, Words

OUTPUT_FINDINGS: Mapping[FindingCause, Words] = MappingProxyType(
    {
        "squashed_twice": Words(
            "the outputs after {where} are a softmax's, and cross-entropy takes them "
            "for logits: its slope is flat, and it stays over {least:.2g} whatever is "
            "learned",
            "cross-entropy is given logits",
            "leave out the softmax: cross_entropy has one of its own",
        ),
        "saturated_loss": Words(
            "the loss is flat at outputs of {rms:.2g}, which {where} makes: a relative "
            "change of them matters {measured:.2g} times as much as at outputs of 1",
            "slope of the loss at these outputs > {expected} of that at outputs of 1",
            SCALE,
        ),
        "over_confident": Words(
            "the model is sure before it has learned: the first loss is {measured:.3g} "
            "nats over that of knowing nothing{assumed}; logits have std {std:.2g}",
            "loss - ln(classes) < {expected}",
            "{zeroed_or_scaled}",
        ),
        "enlarged_cosines": Words(
            "the first loss is {measured:.3g} nats over that of knowing nothing"
            "{assumed}: logits have std {std:.2g}, whatever any parameter's size is",
            "loss - ln(classes) < {expected}",
            "a smaller factor or margin where logits are made, if it is not meant",
        ),
        "biased_logits": Words(
            "outputs have mean {mean:.2g}, of which the bias {where} makes "
            "{bias_mean:.2g}: the model is sure before it has learned; first loss "
            "{measured:.2g}, {expected:.2g} for the shares alone",
            "bias = ln(share / (1 - share))",
            ZERO_BIAS,
        ),
        "biased_choice": Words(
            "logits have std {std:.2g}, which the bias {where} of std {bias_std:.2g} "
            "makes: the first loss is {measured:.3g} nats over that of knowing nothing"
            "{assumed}",
            "bias = ln(share of the class)",
            ZERO_BIAS,
        ),
        "biased_outputs": Words(
            "outputs have mean {mean:.2g}, of which the bias {where} makes "
            "{bias_mean:.2g}: the first loss is {measured:.3g}, and {expected:.3g} "
            "with outputs of size 1",
            "a bias of an output is where its targets are, or 0",
            ZERO_BIAS,
        ),
        "explosive_parameter": Words(
            "the loss of {loss:.3g} hangs on {where} as on an exponential: 1 % of it "
            "is {measured:.2g} % of the loss",
            "|d ln loss / d ln parameter| < {expected:.0f}",
            ZERO_BIAS,
        ),
        "vanishing_scale": Words(
            "all logits are multiplied by exp({where}) = {factor:.2g}: with them "
            "vanishes what the loss sends back",
            "logarithm of a factor of logits > {expected:.0f}",
            ZERO_BIAS,
        ),
        "far_off": Words(
            "an output that is {where} alone starts at {measured:.3g}: the first loss "
            "is {loss:.3g}, and {shifted:.3g} with it at {expected:.3g}",
            "what stands for itself, as the logarithm of a deviation, starts near 0",
            ZERO_BIAS,
        ),
        "unscaled_inputs": Words(
            "the model is given numbers of {measured:.3g}, and passes them on: the "
            "first loss is {excess:.3g} nats over that of knowing nothing",
            "rms(inputs) near 1",
            "scale the inputs to mean 0 and variance 1; the weights need no change",
        ),
        "loud_regression": Words(
            "outputs of size {measured:.2g} for targets of spread {expected:.2g}",
            "rms(output) <= size of the targets",
            "{scaled}",
        ),
        "imbalance_ignored": Words(
            "{share:.0%} of the targets are of one class, which the output's bias does "
            "not know: first loss {measured:.2g}, {expected:.2g} for the shares alone",
            "bias = ln(share of the class)",
            "{at_the_shares}",
        ),
        "mean_ignored": Words(
            "targets have mean {expected:.3g} and spread {target_std:.2g}, outputs "
            "mean "
            "{measured:.2g}: the output's bias does not know it",
            "bias = mean of the targets",
            "{at_the_mean}",
        ),
        "far_biases": Words(
            "{where} starts outputs as far off as {measured:.3g}, of targets of size "
            "{expected:.2g}",
            "a bias of an output is about its target's mean",
            ZERO_BIAS,
        ),
        "log_mean_ignored": Words(
            "the loss takes exponentials of outputs; the targets' mean has the "
            "logarithm {expected:.3g}, outputs have mean {measured:.2g}: the output's "
            "bias does not know it",
            "bias = logarithm of the targets' mean",
            "{at_the_mean}",
        ),
        "targets_unscaled": Words(
            "targets have mean {target_mean:.3g} and spread {expected:.3g}, outputs "
            "spread {measured:.2g}: the weights would have to grow as far",
            "spread of the targets near that of the outputs",
            "standardize the targets, or give y * {expected:.3g} + {target_mean:.3g}",
        ),
        "tied_embedding": Words(
            "the embedding {where} is also the head {head}: at std {std:.2g} its "
            "logits "
            "have std {measured:.2g}",
            "std(logits) between 1e-3 and {expected}",
            "torch.nn.init.normal_(model.get_parameter({parameter!r}), "
            "std={wanted:.2g})",
        ),
    }
)
