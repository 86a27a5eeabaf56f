"""A layer with weights as a value: what a bare shape cannot say about its fans."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from initlab.errors import InvalidValueError
from initlab.spec._base import Spec

LayerKind = Literal["linear", "conv", "embedding"]


class LayerSpec(Spec):
    """The weight of a layer, and how the layer uses it.

    Attributes:
        kind: `"linear"`, `"conv"` (one to three dimensions) or `"embedding"`.
        shape: Of the weight as PyTorch stores it: `(fan_out, fan_in)`,
            `(out, in / groups, *kernel)`, transposed `(in, out / groups, *kernel)`,
            and `(rows, features)` of an embedding.
        groups: Parts that the channels are cut into; each sees only its own.
        stride: Per kernel axis; empty: 1.
        dilation: Per kernel axis; empty: 1. Changes no fan.
        transposed: Whether a convolution is transposed.
        packed: Matrices of equal shape that are stacked along the first axis: 4 gates
            of an LSTM, 3 of a GRU, 3 of Q, K and V.

    Example:
        >>> LayerSpec(kind="conv", shape=(64, 32, 3, 3)).kernel
        (3, 3)
        >>> LayerSpec(shape=(4 * 20, 10), packed=4).packed
        4
    """

    kind: LayerKind = "linear"
    shape: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=5)]
    groups: PositiveInt = 1
    stride: tuple[PositiveInt, ...] = ()
    dilation: tuple[PositiveInt, ...] = ()
    transposed: bool = False
    packed: PositiveInt = 1

    @property
    def kernel(self) -> tuple[int, ...]:
        """The size of the kernel; empty but for convolutions."""
        return self.shape[2:]

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride along every axis of the kernel."""
        return self.stride or (1,) * len(self.kernel)

    @property
    def dilations(self) -> tuple[int, ...]:
        """The dilation along every axis of the kernel."""
        return self.dilation or (1,) * len(self.kernel)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.kind == "conv") != bool(self.kernel):
            wanted = "(out, in, *kernel)" if self.kind == "conv" else "two sizes"
            raise InvalidValueError(
                f"a layer of kind {self.kind!r} has {wanted}, got {self.shape}",
                argument="shape",
            )
        for name in ("stride", "dilation"):
            sizes = getattr(self, name)
            if sizes and len(sizes) != len(self.kernel):
                raise InvalidValueError(
                    f"one number per axis of the kernel {self.kernel}, got {sizes}",
                    argument=name,
                )
        if self.kind != "conv" and (self.groups > 1 or self.transposed):
            raise InvalidValueError(
                f"only convolutions have them, got kind {self.kind!r}",
                argument="groups",
                part=", transposed",
            )
        for name, parts in (("groups", self.groups), ("packed", self.packed)):
            if self.shape[0] % parts:
                raise InvalidValueError(
                    f"must divide the first axis of shape {self.shape}, got {parts}",
                    argument=name,
                )
        return self
