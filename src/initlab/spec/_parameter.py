"""A parameter of a user's model as it stands, with its gradients."""

from dataclasses import dataclass
from math import nan


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
        left_to_chance: Whether a random choice left it out, and another one would not.
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
        twin_columns: Of a table of equal columns: share of them whose gradient of the
            loss is that of another one.
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
        unread_in: Name of a function that weighs a signal with it, and is read as no
            layer: nothing was measured there; or "".
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
    twin_columns: float = 0.0
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
    unread_in: str = ""
    left_to_chance: bool = False
