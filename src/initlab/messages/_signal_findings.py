"""Words of findings about what weights do: signals, units, gates, steps."""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.messages._checks import FindingCause
from initlab.messages._words import Words

SIGNAL_FINDINGS: Mapping[FindingCause, Words] = MappingProxyType(
    {
        "wrong_gain": Words(
            "wrong gain in {count} of {layers} layers, from {where} on: fan_in var(w) "
            "= "
            "{measured:.3g}, where {activation} needs {critical:.3g}; the gradient "
            "changes {gradient_factor:.2g}-fold over the chain, the signal "
            "{forward_factor:.2g}-fold",
            "chi = fan_in var(w) E f'(z)^2 = 1",
            "{scaled}",
        ),
        "faded": Words(
            "the weights of {count} of {layers} layers, from {where} on, are smaller "
            "than any start in use (fan_in var(w) = {measured:.3g}), and {arrives:.2g} "
            "of what inputs differ by arrives at the end",
            "fan_in var(w) = {expected:.3g}",
            "for name in finding.places: "
            "torch.nn.init.kaiming_normal_(model.get_parameter(name))",
        ),
        "one_layer": Words(
            "{where} alone is off: fan_in var(w) = {measured:.3g}, where {activation} "
            "needs about {critical:.3g}; over the chain the gradient changes "
            "{gradient_factor:.2g}-fold, the signal {forward_factor:.2g}-fold",
            "chi = fan_in var(w) E f'(z)^2 = 1",
            "{scaled}",
        ),
        "drowned_by_biases": Words(
            "biases drown the signal from {where} on: over {layers} layers differences "
            "of inputs change {gradient_factor:.2g}-fold, so that all come out alike",
            "|sum of ln chi| < {expected:.0f}, biases small beside the pre-activations",
            "for name in finding.places: "
            "torch.nn.init.zeros_(model.get_parameter(name))",
        ),
        "depth_budget": Words(
            "over {layers} layers the gradient changes {gradient_factor:.2g}-fold: sum "
            "of "
            "ln chi = {measured:.1f}",
            "|sum of ln chi| < {expected:.0f}",
            'initlab.pytorch.initialize_(model, "he_normal", nonlinearity="auto")',
        ),
        "forward_change": Words(
            "over {layers} layers the signal changes {forward_factor:.2g}-fold",
            "rms last / first between 1/{expected:.0f} and {expected:.0f}",
            'initlab.pytorch.initialize_(model, "he_normal", nonlinearity="auto")',
        ),
        "loud_signal": Words(
            "between {where} and {after} the signal grows {measured:.2g}-fold, to "
            "{size:.2g}: no layer does that, but an exp, a sum over many, a factor",
            "rms(given) / rms(what the layers before gave) < {expected:.0f}",
            "look at {where}, and at what is done with its outputs",
        ),
        "lost_signal": Words(
            "between {where} and {after} the signal shrinks to {measured:.2g} of its "
            "size: no layer does that, but an exp of numbers far below 0, a factor",
            "rms(given) / rms(what the layers before gave) > {expected:.0e}",
            "look at {where}, and at what is done with its outputs",
        ),
        "backward_growth": Words(
            "the gradient is {measured:.2g} times as large at {where} as at the head",
            "ratio of Frobenius norms within {expected:.0e}",
            "scale the branches down, or normalize the trunk",
        ),
        "backward_loss": Words(
            "the gradient is {measured:.2g} times as large at {where} as at the head",
            "ratio of Frobenius norms within {expected:.0e}",
            "larger weights between {where} and the head: "
            'initlab.pytorch.initialize_(model, "he_normal")',
        ),
        "alike_features": Words(
            "inputs that differ (cosine {before:.2f}) come out alike after {layers} "
            "layers: cosine {measured:.4f} at {last}, collapsing from {where} on",
            "mean centred cosine < {expected}",
            'smaller biases and critical weights: initialize_(model, "he_normal")',
        ),
        "narrow": Words(
            "a chain of {layers} layers is so narrow that seeds differ widely: sum of "
            "1/width = {measured:.2g}",
            "sum of 1/width <= {expected}",
            "widen the layers, or judge several seeds: seeds=10",
        ),
        "inactive_units": Words(
            "{measured:.0%} of the {units:.0f} units of {where} are inactive on this "
            "batch of {examples}; {expected:.0%} would be so by chance",
            "orthant probability of the pre-activations' correlation",
            "{zero_or_look}",
        ),
        "biased_off": Words(
            "{measured:.0%} of the units of {where} are inactive: their biases, "
            "{bias_mean:.2g} on average, keep them below 0 for any input of this size",
            "|bias| < 4 |w| rms(x)",
            "{zero_biases}",
        ),
        "saturated_gates_by_bias": Words(
            "{measured:.0%} of the gates in {module} are shut or open for good: the "
            "biases {where} (1 of {count} such) send them numbers of {rms:.2g}",
            "share with |f'| < 5 % below {expected:.0%}",
            "{zero_biases}",
        ),
        "saturated": Words(
            "{measured:.0%} of the {activation} activations after {where} lie where "
            "the "
            "function is flat: it is given numbers of {rms:.2g}",
            "share with |f'| < 5 % below {expected:.0%}",
            "{scaled}",
        ),
        "saturated_by_bias": Words(
            "{measured:.0%} of the {activation} activations after {where} lie where "
            "the function is flat: the bias makes numbers of {rms:.2g}",
            "share with |f'| < 5 % below {expected:.0%}",
            "{zero_saturating}",
        ),
        "wraps_around": Words(
            "the sines after {where} (1 of {count} such) are of numbers of "
            "{measured:.2g}: what is near comes out unrelated",
            "rms of a sine's argument < {expected:.0f}, behind the first layer",
            "{scaled}",
        ),
        "flat_parameter": Words(
            "all entries of {where} (1 of {count} such), {measured:.3g} on average, "
            "lie where the {function} of them is flat: no gradient moves them",
            "some entries within reach of a slope",
            "for name in finding.places: "
            "torch.nn.init.uniform_(model.get_parameter(name), {low:g}, {high:g})",
        ),
        "residual_growth": Words(
            "the trunk grows {growth:.2g}-fold over {blocks} blocks, "
            "{measured:.2f}-fold "
            "a block and no end: every branch is as large as what it is added to",
            "growth per block near sqrt(1 + 1/blocks) = {expected:.2f}",
            "{quiet_branches}",
        ),
        "gamma_zero": Words(
            "the normalization {module} has factor 0 where no other way leads on: "
            "nothing passes",
            "gamma = 0 only at the end of a residual branch",
            "{each}torch.nn.init.ones_(model.get_parameter({this}))",
        ),
        "gamma_about_zero": Words(
            "the factor {where} (1 of {count} such) is drawn around 0, with rms "
            "{measured:.2g}: it turns signs at random, and quiets what it is given",
            "gamma = 1",
            "for name in finding.places: "
            "torch.nn.init.ones_(model.get_parameter(name))",
        ),
        "gamma_tiny": Words(
            "the factor {where} (1 of {count} such) is {measured:.2g}: next to nothing "
            "of what is normalized there passes",
            "gamma = 1",
            "for name in finding.places: "
            "torch.nn.init.ones_(model.get_parameter(name))",
        ),
        "forgets": Words(
            "the forget gate of {where} keeps {keep:.1%} a step (bias "
            "{measured:.2g}): "
            "it remembers {steps:.1f} steps",
            "biases that add up to 1 or more",
            "with torch.no_grad(): "
            "model.get_parameter({parameter!r}).chunk({gates})[{gate}].add_({missing:.3g})",
        ),
        "writes_nothing": Words(
            "the gates of {module} let {keep:.2g} of what they are given in, or out, a "
            "step (bias {measured:.2g}): the state stays as it is",
            "bias over {expected:.0f}",
            "torch.nn.init.zeros_(model.get_parameter({parameter!r}))",
        ),
        "spectral_radius": Words(
            "the recurrent weight {where} has spectral radius {measured:.2g}",
            "spectral radius between 0.3 and 1.5",
            "for name in finding.places: "
            "torch.nn.init.orthogonal_(model.get_parameter(name))",
        ),
        "underflow": Words(
            "in {dtype}, {measured:.0%} of the gradients at {where} are under the "
            "smallest normal number{vanished}",
            "share under the smallest normal number < {expected:.0%}",
            "scale the loss (torch.amp.GradScaler), use bfloat16, or larger weights",
        ),
        "sharp_attention": Words(
            "each token looks at one other: the logits of {attentions} attentions have "
            "std up to {measured:.3g}, the entropy is {entropy:.0%} of ln {length:.0f}",
            "std of the logits < {expected}",
            "{scaled}",
        ),
        "sharp_choice": Words(
            "a softmax of {where} takes one of {length:.0f}: its logits have std "
            "{measured:.3g}, the entropy is {entropy:.0%} of ln {length:.0f}",
            "std of the logits < {expected}",
            "{scaled}",
        ),
        "unscaled_attention": Words(
            "the logits of {attentions} attentions have std up to {measured:.3g}, and "
            "nothing divides them by the root of the width{of_a_head}",
            "logits = q k / sqrt(width)",
            "multiply queries by {root_of_width}",
        ),
        "tokens_alike": Words(
            "all tokens of an example are alike at {where}: cosine {measured:.4f}",
            "mean cosine of tokens < {expected}",
            "look at the attention before {where}: uniform, and louder than its skip",
        ),
        "long_step": Words(
            "{optimizer}'s first step changes weights by {measured:.2g} of their norm",
            "|dW| / |W| <= {expected}",
            "a learning rate {factor:.0f} times smaller, or warm-up",
        ),
        "not_optimized": Words(
            "{measured:.0f} of {all} parameters that have a gradient, from {where} on, "
            "are not in the {optimizer}: they stay as they start",
            "the optimizer holds every parameter that requires a gradient",
            "give it these too, or for name in finding.places: "
            "model.get_parameter(name).requires_grad_(False)",
        ),
        "short_step": Words(
            "{optimizer}'s first step changes weights by {measured:.2g} of their norm",
            "|dW| / |W| >= {expected:.0e}",
            "a larger learning rate",
        ),
        "width_law": Words(
            "activations of {module} grow with the width: at step {step} as "
            "width^{measured:.2f} (standard error {error:.2f})",
            "slope of ln mean |activation| against ln width < {expected}",
            "initlab.pytorch.mu_p(model, base_model), and its learning rates",
        ),
        "post_norm": Words(
            "{blocks} post-norm blocks with {optimizer} at full rate from the first "
            "step: "
            "the last block's gradient is {measured:.2g} times the first's",
            "warm-up for post-norm stacks (Xiong et al., 2020)",
            "warm the learning rate up over some hundred steps, or use pre-norm",
        ),
    }
)
