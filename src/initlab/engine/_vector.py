"""A SIMD vector as a Numba type: lane k of every vector belongs to network k.

Kernels written with it read like the mathematics of one network on one example. A
`Vector` holds `lanes` numbers; a *tile* is a vector for each of several examples, kept
in registers side by side, so that a weight that is loaded once is used several times.
Operations between a vector and a tile, or with a plain number, apply to every example.

    weights[k]            load the k-th vector behind a pointer
    weights[k] = w        store it
    z = fma(w, a, z)      w a + z, in one rounding where the processor can
    where(z > 0, z, 0)    lane by lane

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
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    overload,
    register_model,
)

from initlab.engine._plan import TILE

_INT32 = ir.IntType(32)
_LLVM = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: _INT32,
    types.int64: ir.IntType(64),
}
_SAME_WIDTH_INTEGER = {types.float32: types.int32, types.float64: types.int64}
_SAME_WIDTH_FLOAT = {integer: real for real, integer in _SAME_WIDTH_INTEGER.items()}


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


def _llvm_type(kind: Vector | Mask) -> ir.Type:
    if kind.examples == 1:
        return kind.register
    return ir.ArrayType(kind.register, kind.examples)


@register_model(Vector)
@register_model(Mask)
class _RegisterModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _llvm_type(kind))


@register_model(Lanes)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _LLVM[kind.of.element].as_pointer())


# Example by example -----------------------------------------------------------------


def _splat(builder: Any, value: Any, lanes: int) -> Any:
    """Return a register with the number in every lane."""
    kind = ir.VectorType(value.type, lanes)
    if isinstance(value, ir.Constant):
        return ir.Constant(kind, [value.constant] * lanes)
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(_INT32, 0))
    zeros = ir.Constant(ir.VectorType(_INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(first, nothing, zeros)


def _register(
    context: Any, builder: Any, kind: Any, value: Any, like: Any, example: int
) -> Any:
    """Return an operand's part for one example: of a tile, a vector or a number."""
    if not isinstance(kind, Vector | Mask):
        number = context.cast(builder, value, kind, like.element)
        return _splat(builder, number, like.lanes)
    return value if kind.examples == 1 else builder.extract_value(value, example)


def _each(
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
                _register(context, builder, kind, value, like or result, example)
                for kind, value in zip(kinds, values, strict=True)
            )
        )
        for example in range(result.examples)
    ]
    if result.examples == 1:
        return parts[0]
    whole = ir.Constant(_llvm_type(result), ir.Undefined)
    for example, part in enumerate(parts):
        whole = builder.insert_value(whole, part, example)
    return whole


def _widest(kinds: Sequence[Any]) -> Any:
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
            vector = _widest(args)
            if vector is None or len(args) != 2 or kws:
                return None
            result = vector.mask if compares else vector
            return signature(result, *(types.unliteral(each) for each in args))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        like = _widest(sig.args)

        def one(x: Any, y: Any) -> Any:
            return emit(builder, like.element, x, y)

        return _each(context, builder, sig.return_type, sig.args, args, one, like)

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
    return _each(context, builder, sig.return_type, sig.args, args, builder.fneg)


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
        return _each(context, builder, sig.return_type, sig.args, args, emit)


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
    whole = ir.Constant(_llvm_type(kind), ir.Undefined)
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
        register = _register(context, builder, sig.args[2], value, kind, example)
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


# Functions --------------------------------------------------------------------------


def _llvm_call(builder: Any, name: str, register: Any, *args: Any) -> Any:
    """Call LLVM's own function of that name on registers."""
    bits = 64 if isinstance(register.element, ir.DoubleType) else 32
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(register, [register] * len(args)),
        f"llvm.{name}.v{register.count}f{bits}",
    )
    return builder.call(function, args)


@intrinsic
def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x y + z; in one rounding if the target has such an instruction."""
    result = _widest((x, y, z))
    kinds = tuple(types.unliteral(each) for each in (x, y, z))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def one(a: Any, b: Any, c: Any) -> Any:
            if result.fused:
                return _llvm_call(builder, "fma", result.register, a, b, c)
            return builder.fadd(builder.fmul(a, b), c)

        return _each(context, builder, result, sig.args, args, one)

    return result(*kinds), lowered


def _function(name: str) -> Any:
    """Return a function of one vector that LLVM knows by this name."""

    @intrinsic
    def applied(typing: Any, x: Any) -> Any:
        def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            def one(a: Any) -> Any:
                return _llvm_call(builder, name, x.register, a)

            return _each(context, builder, x, sig.args, args, one)

        return x(x), lowered

    return applied


sqrt = _function("sqrt")
magnitude = _function("fabs")
rounded = _function("rint")


@intrinsic
def with_sign(typing: Any, x: Any, sign: Any) -> Any:
    """Return |x| with the other number's sign."""

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def one(a: Any, b: Any) -> Any:
            return _llvm_call(builder, "copysign", x.register, a, b)

        return _each(context, builder, x, sig.args, args, one)

    return x(x, sign), lowered


@intrinsic
def where(typing: Any, mask: Any, x: Any, y: Any) -> Any:
    """Return x where the mask is true and y elsewhere, lane by lane."""
    result = _widest((mask, x, y))
    kinds = (mask, types.unliteral(x), types.unliteral(y))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _each(context, builder, result, sig.args, args, builder.select)

    return result(*kinds), lowered


@intrinsic(prefer_literal=True)
def plain(typing: Any, value: Any) -> Any:
    """Return a number that is written in the source as any other number.

    Numba compiles functions anew for each such number among their arguments.
    """
    kind = types.unliteral(value)

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return args[0]

    return kind(kind), lowered


@intrinsic
def anywhere(typing: Any, mask: Any) -> Any:
    """Return whether a mask of one example is true in any lane."""

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        whole = builder.bitcast(args[0], ir.IntType(mask.lanes))
        return builder.icmp_unsigned("!=", whole, ir.Constant(whole.type, 0))

    return types.boolean(mask), lowered


@intrinsic
def filled(typing: Any, pointer: Any, value: Any) -> Any:
    """Return what the pointer points to, made of one number, or of one vector."""
    kind = pointer.of
    plain = types.unliteral(value)

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        same = [plain], args[1:]
        return _each(context, builder, kind, *same, lambda register: register)

    return kind(pointer, plain), lowered


@intrinsic(prefer_literal=True)
def example(typing: Any, tile: Any, number: Any) -> Any:
    """Return one example's vector of a tile; the number is written in the source."""
    at = number.literal_value

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.extract_value(args[0], at)

    return tile.for_examples(1)(tile, number), lowered


@intrinsic
def spread(
    typing: Any,
    pointer: Any,
    data: Any,
    columns: Any,
    column: Any,
    rows: Any,
) -> Any:
    """Return a tile of data: the column's number of each of these rows, in every lane.

    `data` points to numbers, row after row; `rows` to as many rows as there are
    examples in the tiles behind `pointer`.
    """
    kind = pointer.of
    indices = types.intp, types.intp

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        _, numbers, width, offset, chosen = args
        whole = ir.Constant(_llvm_type(kind), ir.Undefined)
        for at in range(kind.examples):
            row = builder.load(builder.gep(chosen, [ir.Constant(_INT32, at)]))
            start = builder.mul(builder.sext(row, width.type), width)
            place = builder.gep(numbers, [builder.add(start, offset)])
            part = _splat(builder, builder.load(place), kind.lanes)
            whole = builder.insert_value(whole, part, at)
        return whole

    return kind(pointer, data, *indices, rows), lowered


@intrinsic
def first(typing: Any, tile: Any, count: Any) -> Any:
    """Return the tile with 0 in all but the first `count` examples."""

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        zero = ir.Constant(tile.register, None)
        whole = args[0]
        for at in range(tile.examples):
            real = builder.icmp_signed(">", args[1], ir.Constant(args[1].type, at))
            part = builder.select(real, builder.extract_value(args[0], at), zero)
            whole = builder.insert_value(whole, part, at)
        return whole

    return tile(tile, types.intp), lowered


@intrinsic
def total(typing: Any, tile: Any) -> Any:
    """Return the sum over a tile's examples, added in pairs."""

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        parts = [builder.extract_value(args[0], at) for at in range(tile.examples)]
        while len(parts) > 1:
            parts = [
                builder.fadd(x, y) for x, y in zip(parts[::2], parts[1::2], strict=True)
            ]
        return parts[0]

    return tile.for_examples(1)(tile), lowered


@intrinsic
def fma_total(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """Return z plus the sum over examples of x y, one multiply-add after the other."""

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        result = args[2]
        for at in range(x.examples):
            a, b = (builder.extract_value(each, at) for each in args[:2])
            if z.fused:
                result = _llvm_call(builder, "fma", z.register, a, b, result)
            else:
                result = builder.fadd(builder.fmul(a, b), result)
        return result

    return z(x, y, z), lowered


# The numbers' bits ------------------------------------------------------------------


def _conversion(emit: Callable[..., Any], element_of: Callable[[Any], Any]) -> Any:
    """Return a function from vectors to vectors of another kind of number."""

    @intrinsic
    def converted(typing: Any, x: Any) -> Any:
        result = x.of(element_of(x.element))

        def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            def one(a: Any) -> Any:
                return emit(builder, a, result.register)

            return _each(context, builder, result, sig.args, args, one, x)

        return result(x), lowered

    return converted


bits = _conversion(
    lambda builder, x, to: builder.bitcast(x, to), _SAME_WIDTH_INTEGER.__getitem__
)
from_bits = _conversion(
    lambda builder, x, to: builder.bitcast(x, to), _SAME_WIDTH_FLOAT.__getitem__
)
integers_as_floats = _conversion(
    lambda builder, x, to: builder.sitofp(x, to), _SAME_WIDTH_FLOAT.__getitem__
)
widened = _conversion(
    lambda builder, x, to: builder.fpext(x, to), lambda _: types.float64
)
narrowed = _conversion(
    lambda builder, x, to: builder.fptrunc(x, to), lambda _: types.float32
)


@intrinsic
def two_to(typing: Any, exponent: Any) -> Any:
    """Return 2^n for a vector of integers n within the normal range."""
    result = exponent.of(_SAME_WIDTH_FLOAT[exponent.element])
    mantissa, bias = (23, 127) if exponent.element is types.int32 else (52, 1023)

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def one(n: Any) -> Any:
            biased = builder.add(n, ir.Constant(n.type, [bias] * n.type.count))
            shift = ir.Constant(n.type, [mantissa] * n.type.count)
            return builder.bitcast(builder.shl(biased, shift), result.register)

        return _each(context, builder, result, sig.args, args, one, exponent)

    return result(exponent), lowered


def polynomial(*coefficients: float) -> Any:
    """Return a function: c0 + c1 x + c2 x^2 + ..., by Horner's rule."""

    @intrinsic
    def evaluated(typing: Any, x: Any) -> Any:
        def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            def constant(c: float) -> Any:
                return ir.Constant(x.register, [c] * x.lanes)

            def one(a: Any) -> Any:
                result = constant(coefficients[-1])
                for c in coefficients[-2::-1]:
                    if x.fused:
                        result = _llvm_call(
                            builder, "fma", x.register, result, a, constant(c)
                        )
                    else:
                        result = builder.fadd(builder.fmul(result, a), constant(c))
                return result

            return _each(context, builder, x, sig.args, args, one)

        return x(x), lowered

    return evaluated


def by_precision(single: Any, double: Any) -> Any:
    """Return a function that is one of two, by the precision of its argument."""

    def chosen(x: Any) -> Any:
        raise NotImplementedError("kernels only")

    options: Any = {"error_model": "numpy", "no_rewrites": True}

    @overload(chosen, strict=False, jit_options=options)
    def _(x: Any) -> Any:
        if not isinstance(x, Vector):
            return None
        return single if x.element is types.float32 else double

    return chosen
