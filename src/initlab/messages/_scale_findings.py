"""Words of findings about sizes: of weights beside their laws and neighbours."""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.messages._checks import FindingCause
from initlab.messages._words import SCALE, Words

SCALE_FINDINGS: Mapping[FindingCause, Words] = MappingProxyType(
    {
        "off_its_siblings": Words(
            "{where} is {factor:.3g} times {direction} than its siblings' law says: "
            "std "
            "{std:.3g} instead of {expected_std:.3g}",
            "std = gain / sqrt(fan), as in the layers of its kind",
            "{scaled}",
        ),
        "beyond_any_law": Words(
            "{where} is larger than any scheme makes it: std {std:.3g} for fan_in "
            "{fan_in:.0f}, where {expected_std:.3g} keeps the signal's size",
            "fan_in var(w) = gain^2",
            "{scaled}",
        ),
        "next_to_nothing": Words(
            "{where} is smaller than any scheme makes it: std {std:.3g} for fan_in "
            "{fan_in:.0f}, where {expected_std:.3g} keeps the signal's size",
            "fan_in var(w) = gain^2",
            "{scaled}",
        ),
        "not_centred": Words(
            "{where} (1 of {count} such) is not centred: mean {mean:.3g} beside a "
            "deviation of {std:.3g}, so that all its units put out the same sum",
            "|mean| / std < {expected}",
            "for name in finding.places: w = model.get_parameter(name).data; "
            "w.sub_(w.mean()).mul_({gain:.3g} / w[0].numel() ** 0.5 / w.std())",
        ),
        "steep_slopes": Words(
            "the slope {where} (1 of {count} such) of what is below 0 is "
            "{measured:.3g}: each such activation enlarges what it is given",
            "slope of a leaky ReLU, at most 1",
            "for name in finding.places: "
            "torch.nn.init.constant_(model.get_parameter(name), 0.25)",
        ),
        "loud_biases": Words(
            "the biases of {layers} layers, from {where} on, have rms {measured:.2g}: "
            "of what the layers give, they are the larger part",
            "rms of biases < {expected}",
            "for name in finding.places: "
            "torch.nn.init.zeros_(model.get_parameter(name))",
        ),
        "one_sided_table": Words(
            "the rows of {where} (1 of {count} such) share more than they differ by: "
            "their numbers' mean is {mean:.3g}, their deviation {std:.3g}",
            "|mean| / std < {expected}",
            "for name in finding.places: w = model.get_parameter(name).data; "
            "w.sub_(w.mean())",
        ),
        "loud_table": Words(
            "the rows of {where} (1 of {count} such) have rms {measured:.3g}: no "
            "scheme makes them as large",
            "rms of the rows, at most 1",
            "{scaled}",
        ),
        "quiet_table": Words(
            "the rows of {where} (1 of {count} such) have rms {measured:.2g}: next to "
            "nothing of the tokens is read",
            "rms of the rows, {expected} to 1",
            "{scaled}",
        ),
        "drowned_by_inputs": Words(
            "{where} is {measured:.2g} times as large as what it is added to, for the "
            "model is given numbers of {size:.3g}",
            "rms(inputs) near 1",
            "scale the inputs to mean 0 and variance 1; the weights need no change",
        ),
        "quiet_beside": Words(
            "what {where} gives is {measured:.2g} times as large as {beside}, which is "
            "added to it, so that all examples look alike",
            "rms of the signal / rms of what is added, about 1",
            "{scaled}",
        ),
        "quiet_cells": Words(
            "the weights of {where} (1 of {count} such) are smaller than any start in "
            "use (fan_in var(w) = {measured:.2g}): neither inputs nor what is kept "
            "moves a gate",
            "fan_in var(w), about 1",
            "{scaled}",
        ),
        "bias_drowns": Words(
            "{where} (1 of {count} such) is {measured:.0f} times as large as what it "
            "is added to, so that all examples look alike",
            "rms(bias) / rms(w x) < {expected:.0f}",
            "{zero_biases}",
        ),
        "drowns_its_neighbours": Words(
            "what {where} gives is {measured:.3g} times as large as all that it is "
            "concatenated with",
            "rms(part) / rms(other parts), about 1",
            SCALE,
        ),
        "drowns_a_signal": Words(
            "{where} is {measured:.3g} times as large as the signal that it is added "
            "to, so that all examples look alike",
            "rms of what is added / rms of the signal, about 1",
            SCALE,
        ),
        "saturated_gates": Words(
            "{measured:.0%} of the gates in {where} are shut or open for good: its "
            "weights and what they are given ({given:.2g}) send them numbers of "
            "{rms:.2g}",
            "share with |f'| < 5 % below {expected:.0%}",
            "{scaled}",
        ),
        "wrong_fan": Words(
            "{where}: std {std:.3g} fits a wrong fan ({formula_that_fits}); its own "
            "fan_in of {fan_in:.0f} asks for {expected_std:.3g}",
            "std = gain / sqrt(fan_in)",
            "{scaled}",
        ),
        "tiny_head": Words(
            "the head {where} is next to zero: fan_in var(w) = {measured:.2g}",
            "fan_in var(w) of 1, or exactly 0",
            "torch.nn.init.xavier_normal_(model.get_parameter({parameter!r}))",
        ),
    }
)
