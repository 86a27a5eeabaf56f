"""What the checks of a model found, in words: sentence, formula and fix per cause."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Words(NamedTuple):
    """What is said of a cause."""

    sentence: str
    formula: str
    fix: str


_SCALE = "with torch.no_grad(): model.get_parameter({parameter!r}).mul_({ratio:.3g})"
_ZERO_BIAS = "torch.nn.init.zeros_(model.get_parameter({parameter!r}))"
_ZERO_BIASES = (
    "for name in finding.places: torch.nn.init.zeros_(model.get_parameter(name))"
)
# What parameters start at, in the names of `torch.nn.init`.
_STARTS = {"ones": "ones_", "zeros": "zeros_", "drawn": "kaiming_normal_"}
_REDRAW = 'initlab.pytorch.initialize_(model, "he_normal")'

FINDINGS: Mapping[str, Words] = MappingProxyType(
    {
        "nonfinite_parameter": Words(
            "{measured:.0f} entries of {where} are nan or infinite",
            "every entry is finite",
            "torch.nn.init.{usual_start}(model.get_parameter({parameter!r}))",
        ),
        "lost_buffer": Words(
            "the buffer {where} has entries that are nan",
            "every entry is finite",
            "model.get_submodule({module!r}).reset_running_stats()",
        ),
        "nonfinite_output": Words(
            "{where} gives {measured:.0f} numbers that are nan or infinite",
            "every activation is finite",
            "look at what {where} is given, and at its largest weights",
        ),
        "nearly_infinite": Words(
            "{where} gives numbers of {measured:.2g}, over a tenth of the type's "
            "largest",
            "largest activation <= {expected:.2g}",
            "make the weights of {where} smaller, or compute in float32",
        ),
        "grows_beyond": Words(
            "numbers overflow at {after}, by weights of {where} (1 of {count} such) "
            "that are larger than any scheme makes them: fan_in var(w) = {factor:.3g}",
            "every activation is finite",
            "for name in finding.places: "
            "torch.nn.init.kaiming_normal_(model.get_parameter(name))",
        ),
        "nonfinite_loss": Words(
            "the first loss is {measured}, although every layer's output is finite",
            "the loss is finite",
            "compute the loss from logits, in its stable form",
        ),
        "nonfinite_targets": Words(
            "the first loss is {loss}: {measured:.0f} entries of the targets are nan "
            "or infinite",
            "every target is finite",
            "leave these entries out of the loss, or their examples out of the data",
        ),
        "nonfinite_gradient": Words(
            "{measured:.0f} entries of the gradient of {where} are nan or infinite",
            "every gradient is finite",
            "look for a square root, a logarithm or a division at 0 above {where}",
        ),
        "constant_weight": Words(
            "all entries of {where} are equal: its {expected:.0f} units are copies",
            "units differ in their incoming weights",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "symmetric_units": Words(
            "{where}: only {measured:.0f} of {expected:.0f} units are distinct, and "
            "the "
            "copies also have equal outgoing weights: they stay equal for ever",
            "distinct units = units",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "equal_rows": Words(
            "all {expected:.0f} rows of {where} are equal: it gives the same for every "
            "index",
            "rows differ",
            "torch.nn.init.normal_(model.get_parameter({parameter!r}))",
        ),
        "copied_units": Words(
            "{where}: only {measured:.0f} of {expected:.0f} units are distinct: the "
            "others start as copies",
            "distinct units = units",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "twins_for_ever": Words(
            "all entries of {where} are {measured:.3g}, and each of its units gets the "
            "gradient of another one: they stay equal for ever{more}",
            "units differ in their weights or in their gradients",
            "torch.nn.init.normal_(model.get_parameter({parameter!r}), std=0.02)",
        ),
        "added_twins": Words(
            "all entries of {where} are {measured:.3g}, and each of its units gets the "
            "gradient of another one: they are only added, and one would do{more}",
            "units differ in their gradients, or are not wanted to",
            "give what is only averaged one bias in place of several",
        ),
        "cloned_parameters": Words(
            "{measured:.0f} weights are copies of others: {where} and {twin} hold the "
            "same numbers",
            "layers are drawn independently",
            "draw each anew: for layer in layers: layer.apply(init_weights)",
        ),
        "dead_zero_weight": Words(
            "{where} is all zeros, and no gradient reaches it, now or after a step",
            "a zero weight gets a gradient after one step",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "zero_weight_on_trunk": Words(
            "{where} is all zeros, and no other way leads from the inputs to the "
            "outputs",
            "some path from inputs to outputs has no zero weight",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "zero_units": Words(
            "{measured:.0f} of {units:.0f} units of {where} have no incoming weights",
            "no unit is all zeros",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "never_moves": Words(
            "{where} gets no gradient, now or after a step{more}",
            "gradient after one step > 0",
            "look for what is 0 above {where}: a weight, a factor, dead units",
        ),
        "has_no_effect": Words(
            "{where} gets no gradient on this batch, now or after a step{more}, and "
            "nothing is 0 above it: the outputs do not depend on it here",
            "gradient after one step > 0",
            "nothing, where one key in a softmax, outputs that are not read or a gate "
            "that is off explain it; else look at what is made of {where}",
        ),
        "gate_is_off": Words(
            "{where} gets no gradient on this batch, now or after a step{more}: all "
            "units of {gate} are off, so that the gate is a constant",
            "gradient after one step > 0",
            "nothing, unless {gate} stays off on other batches",
        ),
        "rank_one_update": Words(
            "the first update of {where} has rank 1: all its units learn the same",
            "share of the first singular direction < {expected}",
            _REDRAW,
        ),
        "uninitialized": Words(
            "{measured:.0%} of {where} hold whatever was in memory: nothing sets them",
            "two builds of one seed are equal",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "overwritten": Words(
            "{where} was set by {first} and then drawn over by {second}",
            "one rule sets a parameter last, and it is the meant one",
            "call {first} after {second}, or skip {where} there",
        ),
        "old_memory": Words(
            "{where} looks like memory that nothing initialized: its largest number is "
            "{largest:.2g}, {measured:.1%} are next to 0",
            "no entry is next to 0 or huge",
            "torch.nn.init.{usual_start}(model.get_parameter({parameter!r}))",
        ),
        "unused": Words(
            "the forward pass never uses {where}{more}",
            "every parameter has a part in the outputs",
            "use {where} in forward, or delete it",
        ),
        "left_out": Words(
            "the loss does not depend on {where}, but an output does{more}",
            "every parameter has a gradient",
            "give the loss that output too, or nothing learns in {where}",
        ),
        "unreached": Words(
            "no output depends on {where} in a differentiable way{more}",
            "every parameter has a gradient",
            "look for detach(), no_grad() or argmax after {where}",
        ),
        "off_its_siblings": Words(
            "{where} is {factor:.3g} times {direction} than its siblings' law says: "
            "std "
            "{std:.3g} instead of {expected_std:.3g}",
            "std = gain / sqrt(fan), as in the layers of its kind",
            _SCALE,
        ),
        "beyond_any_law": Words(
            "{where} is larger than any scheme makes it: std {std:.3g} for fan_in "
            "{fan_in:.0f}, where {expected_std:.3g} keeps the signal's size",
            "fan_in var(w) = gain^2",
            _SCALE,
        ),
        "not_centred": Words(
            "{where} (1 of {count} such) is not centred: mean {mean:.3g} beside a "
            "deviation of {std:.3g}, so that all its units put out the same sum",
            "|mean| / std < {expected}",
            "for name in finding.places: w = model.get_parameter(name).data; "
            "w.sub_(w.mean()).mul_({gain:.3g} / w[0].numel() ** 0.5 / w.std())",
        ),
        "loud_biases": Words(
            "the biases of {layers} layers, from {where} on, have rms {measured:.2g}: "
            "of what the layers give, they are the larger part",
            "rms of biases < {expected}",
            "for name in finding.places: "
            "torch.nn.init.zeros_(model.get_parameter(name))",
        ),
        "loud_table": Words(
            "the rows of {where} (1 of {count} such) have rms {measured:.3g}: no "
            "scheme makes them as large",
            "rms of the rows, at most 1",
            _SCALE,
        ),
        "quiet_beside": Words(
            "what {where} gives is {measured:.2g} times as large as {beside}, which is "
            "added to it, so that all examples look alike",
            "rms of the signal / rms of what is added, about 1",
            _SCALE,
        ),
        "bias_drowns": Words(
            "{where} (1 of {count} such) is {measured:.0f} times as large as what it "
            "is added to, so that all examples look alike",
            "rms(bias) / rms(w x) < {expected:.0f}",
            "{zero_biases}",
        ),
        "drowns_its_neighbours": Words(
            "what {where} gives is {measured:.0f} times as large as all that it is "
            "concatenated with",
            "rms(part) / rms(other parts) < 30",
            _SCALE,
        ),
        "drowns_a_signal": Words(
            "{where} is {measured:.3g} times as large as the signal that it is added "
            "to, so that all examples look alike",
            "rms of what is added / rms of the signal, about 1",
            _SCALE,
        ),
        "saturated_gates": Words(
            "{measured:.0%} of the gates in {where} are shut or open for good: its "
            "weights and what they are given ({given:.2g}) send them numbers of "
            "{rms:.2g}",
            "share with |f'| < 5 % below {expected:.0%}",
            _SCALE,
        ),
        "wrong_fan": Words(
            "{where}: std {std:.3g} fits a wrong fan ({formula_that_fits}); its own "
            "fan_in of {fan_in:.0f} asks for {expected_std:.3g}",
            "std = gain / sqrt(fan_in)",
            _SCALE,
        ),
        "tiny_head": Words(
            "the head {where} is next to zero: fan_in var(w) = {measured:.2g}",
            "fan_in var(w) of 1, or exactly 0",
            "torch.nn.init.xavier_normal_(model.get_parameter({parameter!r}))",
        ),
        "wrong_gain": Words(
            "wrong gain in {count} of {layers} layers, from {where} on: fan_in var(w) "
            "= "
            "{measured:.3g}, where {activation} needs {critical:.3g}; the gradient "
            "changes {gradient_factor:.2g}-fold over the chain, the signal "
            "{forward_factor:.2g}-fold",
            "chi = fan_in var(w) E f'(z)^2 = 1",
            "for name in finding.places: "
            "model.get_parameter(name).data.mul_({ratio:.3g})",
        ),
        "one_layer": Words(
            "{where} alone is off: fan_in var(w) = {measured:.3g}, where {activation} "
            "needs about {critical:.3g}; over the chain the gradient changes "
            "{gradient_factor:.2g}-fold, the signal {forward_factor:.2g}-fold",
            "chi = fan_in var(w) E f'(z)^2 = 1",
            _SCALE,
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
        "backward_change": Words(
            "the gradient is {measured:.2g} times as large at {where} as at the head",
            "ratio of Frobenius norms within {expected:.0e}",
            "scale the branches down, or normalize the trunk",
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
            "look at the biases and at the mean of what {where} is given",
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
            _SCALE,
        ),
        "saturated_by_bias": Words(
            "{measured:.0%} of the {activation} activations after {where} lie where "
            "the function is flat: the bias makes numbers of {rms:.2g}",
            "share with |f'| < 5 % below {expected:.0%}",
            _ZERO_BIAS,
        ),
        "wraps_around": Words(
            "the sines after {where} (1 of {count} such) are of numbers of "
            "{measured:.2g}: what is near comes out unrelated",
            "rms of a sine's argument < {expected:.0f}, behind the first layer",
            _SCALE,
        ),
        "flat_parameter": Words(
            "all entries of {where} (1 of {count} such), {measured:.3g} on average, "
            "lie where the {function} of them is flat: no gradient moves them",
            "some entries within reach of a slope",
            "for name in finding.places: "
            "torch.nn.init.uniform_(model.get_parameter(name), {low:g}, {high:g})",
        ),
        "saturated_loss": Words(
            "the loss is flat at outputs of {rms:.2g}, which {where} makes: a relative "
            "change of them matters {measured:.2g} times as much as at outputs of 1",
            "slope of the loss at these outputs > {expected} of that at outputs of 1",
            _SCALE,
        ),
        "over_confident": Words(
            "the model is sure before it has learned: the first loss is {measured:.3g} "
            "nats over that of knowing nothing{assumed}; logits have std {std:.2g}",
            "loss - ln(classes) < {expected}",
            _SCALE,
        ),
        "biased_logits": Words(
            "outputs have mean {mean:.2g}, of which the bias {where} makes "
            "{bias_mean:.2g}: the model is sure before it has learned; first loss "
            "{measured:.2g}, {expected:.2g} for the shares alone",
            "bias = ln(share / (1 - share))",
            _ZERO_BIAS,
        ),
        "explosive_parameter": Words(
            "the loss of {loss:.3g} hangs on {where} as on an exponential: 1 % of it "
            "is {measured:.2g} % of the loss",
            "|d ln loss / d ln parameter| < {expected:.0f}",
            _ZERO_BIAS,
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
            _SCALE,
        ),
        "imbalance_ignored": Words(
            "{share:.0%} of the targets are of one class, which the output's bias does "
            "not know: first loss {measured:.2g}, {expected:.2g} for the shares alone",
            "bias = ln(share of the class)",
            "with torch.no_grad(): "
            "model.get_parameter({parameter!r}).copy_(shares.log())",
        ),
        "mean_ignored": Words(
            "targets have mean {expected:.3g} and spread {target_std:.2g}, outputs "
            "mean "
            "{measured:.2g}: the output's bias does not know it",
            "bias = mean of the targets",
            "torch.nn.init.constant_(model.get_parameter({parameter!r}), "
            "{expected:.4g})",
        ),
        "log_mean_ignored": Words(
            "the loss takes exponentials of outputs; the targets' mean has the "
            "logarithm {expected:.3g}, outputs have mean {measured:.2g}: the output's "
            "bias does not know it",
            "bias = logarithm of the targets' mean",
            "torch.nn.init.constant_(model.get_parameter({parameter!r}), "
            "{expected:.4g})",
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
        "residual_growth": Words(
            "the trunk grows {growth:.2g}-fold over {blocks} blocks, "
            "{measured:.2f}-fold "
            "a block and no end: every branch is as large as what it is added to",
            "growth per block near sqrt(1 + 1/blocks) = {expected:.2f}",
            "scale the last layer of each branch by 1/sqrt(blocks), or set it to 0",
        ),
        "gamma_zero": Words(
            "the normalization {module} has factor 0 where no other way leads on: "
            "nothing passes",
            "gamma = 0 only at the end of a residual branch",
            "torch.nn.init.ones_(model.get_parameter({parameter!r}))",
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
            "the forget gate of {module} keeps {keep:.1%} a step (bias "
            "{measured:.2g}): "
            "it remembers {steps:.1f} steps",
            "biases that add up to 1 or more",
            "with torch.no_grad(): "
            "model.get_parameter({parameter!r}).chunk({gates})[1].add_({missing:.3g})",
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
            "torch.nn.init.orthogonal_(model.get_parameter({parameter!r}))",
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
            _SCALE,
        ),
        "sharp_choice": Words(
            "a softmax of {where} takes one of {length:.0f}: its logits have std "
            "{measured:.3g}, the entropy is {entropy:.0%} of ln {length:.0f}",
            "std of the logits < {expected}",
            _SCALE,
        ),
        "unscaled_attention": Words(
            "the logits of {attentions} attentions have std up to {measured:.3g}, and "
            "nothing divides them by the root of the width {width}",
            "logits = q k / sqrt(width)",
            "multiply queries by {width} ** -0.5",
        ),
        "tokens_alike": Words(
            "all tokens of an example are alike at {where}: cosine {measured:.4f}",
            "mean cosine of tokens < {expected}",
            "look at the attention before {where}: uniform, and louder than its skip",
        ),
        "long_step": Words(
            "{optimizer}'s first step changes weights by {measured:.2g} of their norm",
            "|dW| / |W| <= {expected}",
            "a learning rate smaller by {measured:.2g} / 0.01, or warm-up",
        ),
        "short_step": Words(
            "{optimizer}'s first step changes weights by {measured:.2g} of their norm",
            "|dW| / |W| >= {expected:.0e}",
            "a larger learning rate",
        ),
        "width_law": Words(
            "activations of {module} grow with the width: after {step} steps as "
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

# From where to where a parameter of such a function may start: decays of
# 5 to 99 % a step, steps of a hundredth to .7.
REACHES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "sigmoid": (-3.0, 5.0),
        "softplus": (-5.0, 0.0),
        "exp": (-5.0, 0.0),
        "tanh": (-1.0, 1.0),
    }
)

SOUND = "initialization sound"
NOTHING = "no weights: nothing to judge"
SOUND_NEXT = "look at the learning rate, the mask, the labels"


def finding_sentence(cause: str, evidence: Mapping[str, Any]) -> str:
    """Return what was found, in one sentence.

    Example:
        >>> finding_sentence(
        ...     "gamma_zero", {"module": "norm", "where": "norm.weight", "places": ()}
        ... )
        'the normalization norm has factor 0 where no other way leads on: \
nothing passes'
    """
    return FINDINGS[cause].sentence.format(**_with_words(evidence))


def finding_formula(cause: str, evidence: Mapping[str, Any]) -> str:
    """Return the formula or bound that was measured against."""
    return FINDINGS[cause].formula.format(**_with_words(evidence))


def finding_fix(cause: str, evidence: Mapping[str, Any]) -> str:
    """Return what to do: one line of code, or one thing to look at."""
    return FINDINGS[cause].fix.format(**_with_words(evidence))


def _with_words(evidence: Mapping[str, Any]) -> dict[str, Any]:
    others = len(evidence.get("places", ())) - 1
    low, high = REACHES.get(evidence.get("function", ""), (0.0, 0.0))
    return {
        **evidence,
        "count": others + 1,
        "low": low,
        "high": high,
        "usual_start": _STARTS[evidence.get("usual", "drawn")],
        "zero_biases": _ZERO_BIASES if others > 0
        else _ZERO_BIAS.format(parameter=evidence.get("parameter")),
        "more": f", nor {others} more" if others > 0 else "",
        "assumed": "" if evidence.get("known", True) else ", if outputs are logits",
        "vanished": f", and {evidence.get('gone')} weights have no gradient left"
        if evidence.get("gone") else "",
    }  # fmt: skip
