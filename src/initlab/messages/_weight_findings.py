"""Words of findings about tensors as they are: entries, copies, zeros, strays."""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.messages._checks import FindingCause
from initlab.messages._words import DRAW_EACH, DRAW_THESE, REDRAW, Words

WEIGHT_FINDINGS: Mapping[FindingCause, Words] = MappingProxyType(
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
        "overflows": Words(
            "{function} of {where}, which is {measured:.3g} on average, is infinite, "
            "nan or next to the type's largest number",
            "every function of a parameter is finite",
            "start {where} where {function} of it is a finite number",
        ),
        "nonfinite_loss": Words(
            "the first loss is {measured}, although every layer's output is finite",
            "the loss is finite",
            "compute the loss from logits, in its stable form",
        ),
        "nan_inputs": Words(
            "{measured:.0f} entries of the batch are nan, and so is what {after} makes "
            "of them",
            "no input is nan",
            "leave these entries out of the batch, or fill them",
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
            DRAW_EACH,
        ),
        "parallel_units": Words(
            "all {expected:.0f} units of {where} are multiples of one: of all that the "
            "layer is given, one direction is left",
            "units look in different directions",
            DRAW_EACH,
        ),
        "symmetric_units": Words(
            "{where}: only {measured:.0f} of {expected:.0f} units are distinct, and "
            "the "
            "copies also have equal outgoing weights: they stay equal for ever",
            "distinct units = units",
            DRAW_EACH,
        ),
        "equal_rows": Words(
            "all {expected:.0f} rows of {where} are equal: it gives the same for every "
            "index",
            "rows differ",
            "{each}torch.nn.init.normal_(model.get_parameter({this}){of_rows})",
        ),
        "alike_units": Words(
            "all rows of {where} are equal, so that the {expected:.0f} units that it "
            "makes are copies of one",
            "rows differ",
            "{each}torch.nn.init.normal_(model.get_parameter({this}))",
        ),
        "squashed": Words(
            "all that {after} is given is 0: {where}, of size {measured:.3g}, is where "
            "a function of it and of the inputs has vanished",
            "some number > 0 in some example",
            "start {where} nearer to what it meets, or smaller, so that some pass",
        ),
        "copied_units": Words(
            "{where}: only {measured:.0f} of {expected:.0f} units are distinct: the "
            "others start as copies",
            "distinct units = units",
            DRAW_EACH,
        ),
        "twins_for_ever": Words(
            "all entries of {where} are {measured:.3g}, and each of its units gets the "
            "gradient of another one: they stay equal for ever{more}",
            "units differ in their weights or in their gradients",
            "{each}torch.nn.init.normal_(model.get_parameter({this}), std=0.02)",
        ),
        "equal_rows_for_ever": Words(
            "all rows of {where} are equal, and each gets the gradient of another one: "
            "they stay equal for ever{more}",
            "rows differ in their numbers or in their gradients",
            "{each}torch.nn.init.normal_(model.get_parameter({this}))",
        ),
        "equal_columns_for_ever": Words(
            "all {expected:.0f} columns of {where} are equal, and each gets the "
            "gradient of another one: they stay equal for ever{more}",
            "columns differ in their numbers or in their gradients",
            "torch.nn.init.normal_(model.get_parameter({parameter!r}), std=0.02)",
        ),
        "added_twins": Words(
            "all units of {where} are equal, {measured:.3g} on average, and each gets "
            "the gradient of another one: they are only added, and one would do{more}",
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
            DRAW_THESE,
        ),
        "zero_queries": Words(
            "the queries and keys in {where} (1 of {count} such) are all zeros: each "
            "has a gradient by the other only, so that both stay zeros",
            "queries or keys differ from 0",
            "{each}torch.nn.init.xavier_uniform_(model.get_parameter({this}))",
        ),
        "zero_weight_on_trunk": Words(
            "{where} is all zeros, and no other way leads from the inputs to the "
            "outputs",
            "some path from inputs to outputs has no zero weight",
            DRAW_THESE,
        ),
        "zero_length": Words(
            "{where} is all zeros, and what it gives is divided by its own length: "
            "nothing of the inputs is left, and gradients are divided by next to 0",
            "what is divided by its length is no zero",
            "torch.nn.init.kaiming_normal_(model.get_parameter({parameter!r}))",
        ),
        "zero_inputs": Words(
            "{where} weighs {measured:.0f} of {inputs:.0f} inputs with zeros, and "
            "nothing of the model's own inputs is left at its head",
            "no input of a cell is weighed with zeros alone",
            "torch.nn.init.xavier_uniform_(model.get_parameter({parameter!r}))",
        ),
        "zero_units": Words(
            "{measured:.0f} of {units:.0f} units of {where} have no incoming weights",
            "no unit is all zeros",
            DRAW_EACH,
        ),
        "never_moves": Words(
            "{where} gets no gradient, now or after a step{more}",
            "gradient after one step > 0",
            "look for what is 0 above {where}: a weight, a factor, dead units",
        ),
        "factor_of_zero": Words(
            "{where} is all zeros, and all that {after} gives is multiplied by it or "
            "by what is made of it: nothing passes, now or after a step",
            "a factor of a signal starts near 1",
            "torch.nn.init.ones_(model.get_parameter({parameter!r}))",
        ),
        "multiplies_by_zero": Words(
            "{weight} and {where} (1 of {count} such) are zeros, and another signal is "
            "multiplied by what they make: nothing passes, now or after a step",
            "a factor of a signal starts near 1: 1 + what the layer makes, or its bias",
            "for name in finding.places: "
            "torch.nn.init.ones_(model.get_parameter(name))",
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
            REDRAW,
        ),
        "uninitialized": Words(
            "{measured:.0%} of {where} hold whatever was in memory: nothing sets them",
            "two builds of one seed are equal",
            "torch.nn.init.{usual_start}(model.get_parameter({parameter!r}))",
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
        "stray": Words(
            "{where} (1 of {count} such) runs, and is no parameter of the model: no "
            "optimizer made of model.parameters() trains it, no checkpoint holds it",
            "every weight that runs is registered",
            "hold layers in nn.ModuleList or nn.ModuleDict, not in a list or a dict",
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
    }
)
