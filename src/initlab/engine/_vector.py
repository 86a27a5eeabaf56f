"""A SIMD vector as a Numba type: lane k of every vector belongs to network k.

Kernels written with it read like the mathematics of one network on one example. A
`Vector` holds `lanes` numbers; a *tile* is a vector for each of several examples, kept
in registers side by side, so that a weight that is loaded once is used several times.
Operations between a vector and a tile, or with a plain number, apply to every example.

    w = weights[k]        load the k-th vector behind a pointer
    weights[k] = w + v    store one
    tiles(data)[k]        the same memory, four vectors at a time

Everything lowers to LLVM's own vector instructions: no run-time library, no exceptions,
no allocation. So the same kernels become machine code here and WebAssembly elsewhere.
Nothing is reassociated or contracted: each lane computes what a lone network would.

References:
    LLVM language reference, vector types and intrinsics, https://llvm.org/docs/LangRef
    Numba, low-level extension API, https://numba.readthedocs.io/en/stable/extending
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
)

from initlab.engine._plan import TILE

INT32 = ir.IntType(32)
_LLVM = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: INT32,
    types.int64: ir.IntType(64),
}


class Vector(types.Type):
    """`lanes` numbers, for each of `examples` examples.

    Attributes:
        element: `float32`, `float64`, `int32` or `int64` of Numba.
        lanes: Networks side by side.
        examples: 1, or the examples of a tile.
        fused: Whether the target multiplies and adds in one instruction.
    """

    def __init__(
        self, element: types.Type, lanes: int, examples: int, fused: bool
    ) -> None:
        self.element, self.lanes = element, lanes
        self.examples, self.fused = examples, fused
        kind = "fused" if fused else "plain"
        super().__init__(name=f"Vector({element}, {lanes}, {examples}, {kind})")

    def of(self, element: types.Type) -> "Vector":
        """Return the type of as many numbers of another kind."""
        return Vector(element, self.lanes, self.examples, self.fused)

    def for_examples(self, examples: int) -> "Vector":
        """Return the type with another number of examples."""
        return Vector(self.element, self.lanes, examples, self.fused)

    @property
    def mask(self) -> "Mask":
        """The type of a comparison's outcome."""
        return Mask(self.lanes, self.examples)

    @property
    def register(self) -> ir.VectorType:
        """One example's numbers, in LLVM's terms."""
        return ir.VectorType(_LLVM[self.element], self.lanes)


class Mask(types.Type):
    """True or false for each lane, for each of `examples` examples."""

    def __init__(self, lanes: int, examples: int) -> None:
        self.lanes, self.examples = lanes, examples
        super().__init__(name=f"Mask({lanes}, {examples})")

    def for_examples(self, examples: int) -> "Mask":
        """Return the type with another number of examples."""
        return Mask(self.lanes, examples)

    @property
    def register(self) -> ir.VectorType:
        """One example's truth values, in LLVM's terms."""
        return ir.VectorType(ir.IntType(1), self.lanes)


class Lanes(types.Type):
    """A pointer to vectors, or to tiles, one after the other; aligned to an element."""

    def __init__(self, of: Vector) -> None:
        self.of = of
        super().__init__(name=f"Lanes({of})")


def llvm_type(kind: Vector | Mask) -> ir.Type:
    if kind.examples == 1:
        return kind.register
    return ir.ArrayType(kind.register, kind.examples)


@register_model(Vector)
@register_model(Mask)
class _RegisterModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, llvm_type(kind))


@register_model(Lanes)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _LLVM[kind.of.element].as_pointer())


# Example by example -----------------------------------------------------------------


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """Return a register with the number in every lane."""
    kind = ir.VectorType(value.type, lanes)
    if isinstance(value, ir.Constant):
        return ir.Constant(kind, [value.constant] * lanes)
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(INT32, 0))
    zeros = ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(first, nothing, zeros)


def register_of(
    context: Any, builder: Any, kind: Any, value: Any, like: Any, example: int
) -> Any:
    """Return an operand's part for one example: of a tile, a vector or a number."""
    if not isinstance(kind, Vector | Mask):
        number = context.cast(builder, value, kind, like.element)
        return splat(builder, number, like.lanes)
    return value if kind.examples == 1 else builder.extract_value(value, example)


def each_example(
    context: Any,
    builder: Any,
    result: Any,
    kinds: Sequence[Any],
    values: Sequence[Any],
    emit: Callable[..., Any],
    like: Any = None,
) -> Any:
    """Return `emit(*registers)` for every example, put together."""
    parts = [
        emit(
            *(
                register_of(context, builder, kind, value, like or result, example)
                for kind, value in zip(kinds, values, strict=True)
            )
        )
        for example in range(result.examples)
    ]
    if result.examples == 1:
        return parts[0]
    whole = ir.Constant(llvm_type(result), ir.Undefined)
    for example, part in enumerate(parts):
        whole = builder.insert_value(whole, part, example)
    return whole


def widest(kinds: Sequence[Any]) -> Any:
    """Return the vector type that an operation on these types has; None without any."""
    vectors = [kind for kind in kinds if isinstance(kind, Vector)]
    if not vectors or not all(
        isinstance(kind, Vector | Mask | types.Number) for kind in kinds
    ):
        return None
    examples = max(kind.examples for kind in kinds if hasattr(kind, "examples"))
    return vectors[0].for_examples(examples)


# Operators --------------------------------------------------------------------------


def _binary(symbol: Any, emit: Callable[..., Any], *, compares: bool = False) -> None:
    """Let an operator of Python act on vectors by this LLVM instruction."""

    @infer_global(symbol)
    class Typed(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            vector = widest(args)
            if vector is None or len(args) != 2 or kws:
                return None
            result = vector.mask if compares else vector
            return signature(result, *(types.unliteral(each) for each in args))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        like = widest(sig.args)

        def one(x: Any, y: Any) -> Any:
            return emit(builder, like.element, x, y)

        return each_example(
            context, builder, sig.return_type, sig.args, args, one, like
        )

    for operands in (
        (Vector, Vector),
        (Vector, types.Number),
        (types.Number, Vector),
    ):
        lower_builtin(symbol, *operands)(lowered)


def _by(real: str, integer: str | None = None) -> Callable[..., Any]:
    def emit(builder: Any, element: Any, x: Any, y: Any) -> Any:
        name = real if isinstance(element, types.Float) else integer
        assert name is not None, f"no {real} of {element}"
        return getattr(builder, name)(x, y)

    return emit


def _comparison(sign: str) -> Callable[..., Any]:
    def emit(builder: Any, element: Any, x: Any, y: Any) -> Any:
        if isinstance(element, types.Float):
            # Ordered: false where a number is NaN; != alone is true there.
            compare = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        else:
            compare = builder.icmp_signed
        return compare(sign, x, y)

    return emit


_binary(operator.add, _by("fadd", "add"))
_binary(operator.sub, _by("fsub", "sub"))
_binary(operator.mul, _by("fmul", "mul"))
_binary(operator.truediv, _by("fdiv"))
_binary(operator.and_, _by("and_", "and_"))
_binary(operator.lshift, _by("shl", "shl"))
_binary(operator.rshift, _by("ashr", "ashr"))  # keeps the sign
for _name, _sign in (
    ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!="),
):  # fmt: skip
    _binary(getattr(operator, _name), _comparison(_sign), compares=True)


@infer_global(operator.neg)
class _Negated(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(*args, *args) if isinstance(args[0], Vector) else None


@lower_builtin(operator.neg, Vector)
def _neg(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return each_example(context, builder, sig.return_type, sig.args, args, builder.fneg)


def _on_masks(symbol: Any, name: str) -> None:
    @infer_global(symbol)
    class Typed(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) != 2 or not all(isinstance(each, Mask) for each in args):
                return None
            examples = max(each.examples for each in args)
            return signature(args[0].for_examples(examples), *args)

    @lower_builtin(symbol, Mask, Mask)
    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        emit = getattr(builder, name)
        return each_example(context, builder, sig.return_type, sig.args, args, emit)


_on_masks(operator.and_, "and_")
_on_masks(operator.or_, "or_")


# Memory -----------------------------------------------------------------------------


def _places(builder: Any, kind: Vector, pointer: Any, index: Any) -> list[Any]:
    """Return the address of each example's register of the index-th vector."""
    numbers = kind.lanes * kind.examples
    start = builder.mul(index, ir.Constant(index.type, numbers))
    places = []
    for example in range(kind.examples):
        offset = builder.add(start, ir.Constant(index.type, example * kind.lanes))
        place = builder.gep(pointer, [offset])
        places.append(builder.bitcast(place, kind.register.as_pointer()))
    return places


@infer_global(operator.getitem)
class _Loaded(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if not isinstance(args[0], Lanes):
            return None
        return signature(args[0].of, args[0], types.intp)


@lower_builtin(operator.getitem, Lanes, types.Integer)
def _load(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.args[0].of
    alignment = kind.element.bitwidth // 8
    registers = [
        builder.load(place, align=alignment) for place in _places(builder, kind, *args)
    ]
    if kind.examples == 1:
        return registers[0]
    whole = ir.Constant(llvm_type(kind), ir.Undefined)
    for example, register in enumerate(registers):
        whole = builder.insert_value(whole, register, example)
    return whole


@infer_global(operator.setitem)
class _Stored(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if not isinstance(args[0], Lanes):
            return None
        value = types.unliteral(args[2])
        return signature(types.none, args[0], types.intp, value)


@lower_builtin(operator.setitem, Lanes, types.Integer, types.Any)
def _store(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.args[0].of
    pointer, index, value = args
    alignment = kind.element.bitwidth // 8
    for example, place in enumerate(_places(builder, kind, pointer, index)):
        register = register_of(context, builder, sig.args[2], value, kind, example)
        builder.store(register, place, align=alignment)
    return context.get_dummy_value()


@intrinsic
def tiles(typing: Any, pointer: Any) -> Any:
    """Return a pointer to vectors as one to tiles."""
    result = Lanes(pointer.of.for_examples(TILE))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return args[0]

    return result(pointer), lowered


@intrinsic
def after(typing: Any, pointer: Any, count: Any) -> Any:
    """Return the pointer moved by so many vectors, tiles or numbers."""
    numbers = pointer.of.lanes * pointer.of.examples if isinstance(
        pointer, Lanes
    ) else 1  # fmt: skip

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = builder.mul(args[1], ir.Constant(args[1].type, numbers))
        return builder.gep(args[0], [index])

    return pointer(pointer, types.intp), lowered
