"""Functions of vectors and tiles that lower to a few instructions each.

z = fma(w, a, z)      w a + z, in one rounding where the processor can
where(z > 0, z, 0)    lane by lane
total(tile)           the sum over a tile's examples
polynomial(1, 2, 3)   a function: 1 + 2 x + 3 x^2
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from initlab.engine._vector import (
    INT32,
    Vector,
    each_example,
    llvm_type,
    splat,
    widest,
)

_SAME_WIDTH_INTEGER = {types.float32: types.int32, types.float64: types.int64}
_SAME_WIDTH_FLOAT = {integer: real for real, integer in _SAME_WIDTH_INTEGER.items()}


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
    result = widest((x, y, z))
    kinds = tuple(types.unliteral(each) for each in (x, y, z))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def one(a: Any, b: Any, c: Any) -> Any:
            if result.fused:
                return _llvm_call(builder, "fma", result.register, a, b, c)
            return builder.fadd(builder.fmul(a, b), c)

        return each_example(context, builder, result, sig.args, args, one)

    return result(*kinds), lowered


def _function(name: str) -> Any:
    """Return a function of one vector that LLVM knows by this name."""

    @intrinsic
    def applied(typing: Any, x: Any) -> Any:
        def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            def one(a: Any) -> Any:
                return _llvm_call(builder, name, x.register, a)

            return each_example(context, builder, x, sig.args, args, one)

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

        return each_example(context, builder, x, sig.args, args, one)

    return x(x, sign), lowered


@intrinsic
def where(typing: Any, mask: Any, x: Any, y: Any) -> Any:
    """Return x where the mask is true and y elsewhere, lane by lane."""
    result = widest((mask, x, y))
    kinds = (mask, types.unliteral(x), types.unliteral(y))

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return each_example(context, builder, result, sig.args, args, builder.select)

    return result(*kinds), lowered


@intrinsic
def place_of_sign(typing: Any, pointer: Any) -> Any:
    """Return, for `where_positive`, where a number's sign is among its bits."""
    result = pointer.of.of(_SAME_WIDTH_INTEGER[pointer.of.element])

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = result.register.element
        # No instruction, but LLVM does not look into it.
        place = builder.asm(
            ir.FunctionType(number, [number]), "", "=r,0",
            [ir.Constant(number, number.width - 1)], side_effect=False,
        )  # fmt: skip
        return splat(builder, place, result.lanes)

    return result(pointer), lowered


@intrinsic
def where_positive(typing: Any, x: Any, y: Any, sign: Any) -> Any:
    """Return y where x, which is a number, is positive, and 0 elsewhere.

    In vectors of 512 bits by the sign of 0 - x, spread over all bits: a comparison
    would take the place of a multiply-add there (AMD's Zen 4: 3 % of a lesson's step).
    LLVM makes it one if it knows how far is shifted; hence `sign`, of `place_of_sign`.
    """
    is_widest = y.lanes * y.element.bitwidth == 512

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        integer = sign.register

        def one(a: Any, b: Any) -> Any:
            zero = ir.Constant(a.type, [0.0] * y.lanes)
            if not is_widest:
                return builder.select(builder.fcmp_ordered(">", a, zero), b, zero)
            below = builder.bitcast(builder.fsub(zero, a), integer)
            kept = builder.and_(
                builder.ashr(below, args[2]), builder.bitcast(b, integer)
            )
            return builder.bitcast(kept, b.type)

        return each_example(context, builder, y, sig.args[:2], args[:2], one)

    return y(x, y, sign), lowered


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
        return each_example(context, builder, kind, *same, lambda register: register)

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
        whole = ir.Constant(llvm_type(kind), ir.Undefined)
        for at in range(kind.examples):
            row = builder.load(builder.gep(chosen, [ir.Constant(INT32, at)]))
            start = builder.mul(builder.sext(row, width.type), width)
            place = builder.gep(numbers, [builder.add(start, offset)])
            part = splat(builder, builder.load(place), kind.lanes)
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

            return each_example(context, builder, result, sig.args, args, one, x)

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

        return each_example(context, builder, result, sig.args, args, one, exponent)

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

            return each_example(context, builder, x, sig.args, args, one)

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
