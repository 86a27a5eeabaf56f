"""Which finding explains which: a cause is named once, not with all that it does."""

from collections.abc import Callable, Set

from initlab.analysis.findings._finding import Finding, rank
from initlab.messages import FindingCause

# What each check explains, wherever it is found.
_EXPLAINS = {
    "WI01": {f"WI{n:02}" for n in range(2, 25)} - {"WI21", "WI02"},
    "WI02": {"WI04", "WI05", "WI11", "WI07", "WI08", "WI09", "WI10", "WI14"},
    "WI03": {"WI04", "WI07", "WI08", "WI10", "WI11", "WI24", "WI12", "WI17"},
    "WI05": {"WI04", "WI06", "WI07", "WI08", "WI09", "WI10", "WI11", "WI12", "WI14"},
    "WI06": {"WI07", "WI08", "WI09", "WI10", "WI05", "WI11", "WI14"},
    "WI07": {"WI12", "WI08", "WI09", "WI10", "WI11", "WI04", "WI14"},
    "WI08": {"WI10", "WI11"},
    "WI09": {"WI10", "WI11", "WI14"},
    "WI11": {"WI04"},
    "WI12": {"WI03", "WI04", "WI11", "WI07", "WI08", "WI10"},
    "WI13": {"WI07", "WI10"},
    "WI15": {"WI04"},
    "WI16": {"WI09", "WI10", "WI11", "WI14", "WI23"},
    "WI17": {"WI18", "WI03", "WI04", "WI11", "WI12", "WI08", "WI10", "WI24"},
    "WI18": {"WI14", "WI05"},
    "WI22": {"WI03", "WI05", "WI08", "WI07", "WI04", "WI24", "WI11"},
    "WI23": {"WI05"},
}
# What makes the steps of gradient descent long or short.
_STEPS = {
    "short_step": {
        "WI01",
        "WI02",
        "WI03",
        *(f"WI{n:02}" for n in range(5, 14)),
        "WI17",
    },
    "long_step": {"WI01", "WI05", "WI06", "WI07", "WI09", "WI10", "WI14", "WI16"},
}
_ALL = 0.99  # of a function's values: then nothing comes back through it
# Over a chain whose gradient shrinks so, float16 rounds entries near 1 to 0.
_ROUNDED_TO_ZERO = 1e-6
_INFINITE: frozenset[FindingCause] = frozenset(
    {"nonfinite_output", "nonfinite_loss", "nonfinite_gradient"}
)
_MEMORY: frozenset[FindingCause] = frozenset({"uninitialized", "old_memory"})
_OF_TENSORS = frozenset({"WI01", "WI02", "WI03", "WI05", "WI06", "WI21"})
_OF_MEANS: frozenset[FindingCause] = frozenset(
    {"mean_ignored", "log_mean_ignored", "imbalance_ignored"}
)
_OF_SCALES = frozenset({"WI05", "WI06", "WI13"})
_DROWNS: tuple[FindingCause, ...] = ("bias_drowns", "drowns_a_signal", "quiet_beside")
_MAKES_LOUD: tuple[FindingCause, ...] = ("bias_drowns", "drowned_by_inputs")
_SENDS_LOUD: frozenset[FindingCause] = frozenset(
    {"drowns_a_signal", "drowns_its_neighbours", "loud_table"}
)
_FED: frozenset[FindingCause] = frozenset({"saturated", "saturated_gates"})
_GATES: frozenset[FindingCause] = frozenset({"forgets", "writes_nothing"})
_LITTLE = 0.1
# Layers of usual weights saturate what they are given at such sizes.
_LOUD_INPUT = 4.0
# What looks alike when something drowns a signal.
_OF_ALIKE = frozenset({"WI04", "WI10", "WI11", "WI14", "WI23"})
_LOSES_SIGNALS = _OF_TENSORS | {"WI12", "WI13", "WI16", "WI17", "WI19", "WI22"}
_OF_OUTPUTS = frozenset({"WI14", "WI15"})
_LOUD_BIASES: tuple[FindingCause, ...] = ("loud_biases", "bias_drowns")
# What comes of nothing that comes back.
_OF_NOTHING: frozenset[FindingCause] = frozenset({"never_moves", "rank_one_update"})
_CHAINS: frozenset[FindingCause] = frozenset({"wrong_gain", "one_layer"})
_OF_NEXT_TO_NOTHING = _CHAINS | {"residual_growth", "lost_signal"}


def consequences_of(finding: Finding) -> Set[str]:
    """Return the checks that a finding explains; what is for information, none."""
    return _EXPLAINS.get(finding.id, frozenset()) if rank(finding) else frozenset()


def covered_by(finding: Finding, other: Finding) -> bool:
    """Whether a chain's finding says of all its layers what this one says of one."""
    return (
        other.id == finding.id
        and other.cause in _CHAINS
        and finding.cause not in (*_CHAINS, "not_centred")
        and rank(other) > 0
        and _places(finding) <= _places(other)
    )


def explained_by(finding: Finding, other: Finding) -> bool:
    """Whether one finding is a consequence of another, which is not the same."""
    for says in _PARTICULAR:
        said = says(finding, other)
        if said is not None:
            return said
    return _by_check(finding, other)


def _of_memory(finding: Finding, other: Finding) -> bool | None:
    """What stands in a tensor that nothing was written to means nothing."""
    if finding.cause == "nonfinite_parameter" and other.cause == "uninitialized":
        return finding.parameter == other.parameter
    if finding.cause == "old_memory" and other.cause == "nonfinite_parameter":
        return finding.parameter == other.parameter
    if other.cause in _MEMORY and finding.id != "WI01":
        return finding.parameter == other.parameter or finding.id not in _OF_TENSORS
    return None


def _of_overflow(finding: Finding, other: Finding) -> bool | None:
    """What grew too large, and the numbers that it made infinite somewhere."""
    for one, grown in ((finding, other), (other, finding)):
        if one.cause in _INFINITE and grown.cause == "residual_growth":
            return one is finding if rank(grown) > 1 else None
    if finding.cause == "explosive_parameter" and other.cause == "residual_growth":
        return rank(other) > 0
    return None


def _of_outputs(finding: Finding, other: Finding) -> bool | None:
    """What outputs are, beside what they do to the loss."""
    same = finding.parameter == other.parameter
    if "WI14" in (finding.id, other.id) and _is_loud_head(finding, other):
        sure, head = sorted((finding, other), key=lambda one: one.id != "WI14")
        # A head that no scheme makes is one, however little is sure so far.
        return finding is (sure if rank(sure) < rank(head) else head)
    if other.cause == "saturated_loss" and same:
        return finding.id in _OF_OUTPUTS
    if finding.cause == "saturated_loss" and other.cause == "beyond_any_law":
        return same
    if finding.cause in ("loud_regression", "biased_logits") and other.id == "WI15":
        return other.cause in _OF_MEANS
    if finding.cause == "explosive_parameter" and other.cause == "constant_weight":
        return True  # sums of equal weights make outputs as large
    if finding.cause == "explosive_parameter":
        return other.cause == "log_mean_ignored" and _places(finding) <= _places(other)
    if other.cause == "explosive_parameter" and finding.id in _OF_OUTPUTS:
        # It makes all of the loss, whatever else would be said of it.
        return finding.cause != "log_mean_ignored"
    if finding.cause == "biased_logits" and other.id == "WI13":
        return same
    return None


def _of_centres(finding: Finding, other: Finding) -> bool | None:
    """What weights of one sign put out is a matter of their mean, not of their size."""
    if other.cause == "not_centred" and finding.id in _OF_SCALES:
        return _share_a_place(finding, other)
    if {finding.cause, other.cause} == {"not_centred", "inactive_units"}:
        # Weights below 0 on what is positive: that units are off is what matters.
        return finding.cause == "not_centred" and _share_a_place(finding, other)
    return None


def _of_biases(finding: Finding, other: Finding) -> bool | None:
    """What is added and drowns what it is added to."""
    if finding.cause == "bias_drowns":
        # What a bias does to units, gates or a whole chain says more than its size.
        return rank(other) > 0 and (
            other.id == "WI01" or _share_a_place(finding, other)
        )
    if other.cause in _DROWNS and finding.id in _OF_ALIKE:
        return not _share_a_place(finding, other)
    if finding.cause in (*_DROWNS, "quiet_table") and other.id == "WI23":
        return False
    if other.cause == "quiet_table" and finding.cause in _OF_NEXT_TO_NOTHING:
        return True  # that is what the chain is given, or where the trunk starts
    if finding.cause == "loud_table":
        return rank(other) > 0 and _share_a_place(finding, other)
    if finding.cause == "drowns_its_neighbours" and other.cause in _MAKES_LOUD:
        return finding.module == other.module
    if finding.cause == "drowns_a_signal" and other.cause == "squashed":
        return _share_a_place(finding, other)
    return None


def _of_saturation(finding: Finding, other: Finding) -> bool | None:
    """What fills an activation: a gate's bias, or what loud parameters send there."""
    if finding.cause == "spectral_radius" and other.cause in _FED:
        return rank(other) > 0 and _places(finding) <= _places(other)
    if finding.cause == "beyond_any_law" and other.cause == "spectral_radius":
        return _places(finding) <= _places(other)
    if finding.id != "WI13":
        return None
    if other.cause in _GATES and _share_a_place(finding, other):
        return True
    fed = finding.evidence.get("given", 0.0) > _LOUD_INPUT
    if fed and finding.cause in _FED and other.cause in _SENDS_LOUD:
        return rank(other) > 0
    return None


def _of_steps(finding: Finding, other: Finding) -> bool | None:
    """A step in proportion to a gradient that is too large or too small itself."""
    if finding.cause in ("left_out", "not_optimized"):
        return False
    explains = _STEPS.get(finding.cause)
    if explains is None or finding.evidence["optimizer"] != "SGD":
        return None
    return rank(other) > 0 and other.id in explains


def _of_stops(finding: Finding, other: Finding) -> bool | None:
    """What nothing comes back through, and what gets no gradient for it."""
    if finding.cause == "lost_signal":
        return rank(other) > 0 and other.id in _LOSES_SIGNALS
    if finding.cause in _CHAINS and other.cause == "factor_of_zero":
        return True  # what was measured behind it are biases alone
    if finding.cause in _OF_NOTHING and _lets_nothing_back(other):
        return True
    if finding.cause == "tokens_alike" and other.cause == "zero_weight_on_trunk":
        return rank(other) > 0
    if other.cause == "steep_slopes" and finding.cause in _CHAINS:
        return True  # the layers are as loud as what they are given by these
    if other.cause == "biased_off" and other.measured > _ALL:
        if finding.cause in ("dead_zero_weight", "gamma_zero"):
            return not _share_a_place(finding, other)
        if finding.cause in _CHAINS:
            return abs(float(other.evidence["bias_mean"])) > _LITTLE
    if finding.cause == "never_moves" and other.cause in _CHAINS:
        # What comes back through the chain is smaller than the type can hold.
        vanished = other.evidence["gradient_factor"] < _ROUNDED_TO_ZERO
        return rank(other) > 0 and vanished and _share_a_place(finding, other)
    if finding.cause in _CHAINS and other.cause == "saturated_by_bias":
        return _share_a_place(finding, other)
    if finding.cause == "inactive_units" and other.cause == "constant_weight":
        return not _share_a_place(finding, other)  # all of them are given one number
    if finding.id == "WI12" and other.cause == "never_moves":
        return False  # units that are off stop what comes back through them
    return None


def _by_check(finding: Finding, other: Finding) -> bool:
    """What a check explains in general, and where it does not."""
    explained = finding.id in consequences_of(other)
    if rank(other) and {finding.cause, other.cause} == {"loud_signal", "depth_budget"}:
        return other.cause == "loud_signal"
    if not explained:
        return False
    if other.cause == "copied_units" and 2 * other.measured > other.expected:
        return finding.id == "WI04"  # few copies leave signals as they are
    if finding.id in ("WI09", "WI14") and _is_too_small(other):
        return False
    if finding.id == "WI12" and other.id == "WI07":
        return other.cause in ("drowned_by_biases", *_LOUD_BIASES)
    if finding.id == "WI14" and other.id == "WI07":
        return other.cause in _LOUD_BIASES
    if finding.cause == "biased_off":
        return _is_of_quiet_weights(finding, other)
    if {finding.id, other.id} == {"WI05", "WI06"}:
        # Of two gains or fans, those of the same layers are one thing.
        return bool(set(finding.places) & set(other.places)) or other.cause in _CHAINS
    return True


# In this order: the first that says anything is right.
_PARTICULAR: tuple[Callable[[Finding, Finding], bool | None], ...] = (
    _of_memory, _of_overflow, _of_outputs, _of_centres, _of_biases, _of_saturation,
    _of_steps, _of_stops,
)  # fmt: skip


def _is_too_small(finding: Finding) -> bool:
    """Whether weights are smaller than a law asks for, which makes nothing loud."""
    of_laws = finding.cause == "wrong_fan" or finding.cause in _CHAINS
    return of_laws and finding.measured < finding.expected


def _is_of_quiet_weights(finding: Finding, other: Finding) -> bool:
    """Whether biases of no size keep units off because the weights are too small."""
    modules = {place.rpartition(".")[0] for place in other.places}
    small = abs(float(finding.evidence["bias_mean"])) < _LITTLE
    quiet = other.cause == "wrong_gain" and other.measured < other.expected
    return small and quiet and finding.module in modules


def _places(finding: Finding) -> set[str | None]:
    return {finding.parameter, *finding.places}


def _share_a_place(finding: Finding, other: Finding) -> bool:
    return bool(_places(finding) & _places(other) - {None})


def _lets_nothing_back(finding: Finding) -> bool:
    """Whether it says of a function that it is flat wherever it is asked."""
    flat = finding.cause in ("saturated", "saturated_by_bias")
    return finding.cause == "saturated_loss" or (flat and finding.measured > _ALL)


def _is_loud_head(finding: Finding, other: Finding) -> bool:
    """Whether one says of a head what it is, and the other what it does to the loss."""
    return finding.parameter == other.parameter and "beyond_any_law" in (
        finding.cause,
        other.cause,
    )
