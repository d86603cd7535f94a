"""A vector of four doubles for numba: explicit SIMD, so that speed does not hang on the auto-vectoriser.

Values of type `vector4` live in registers. They come from `load` and `fill`, go to `store` and `total`, and know
+ - * /, `fma` (a b + c), `fms` (a b - c), `minimum`, `root` and `exponential`. Where the processor is narrower than
four doubles the compiler splits them.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

LANES = 4
Register = Any  # four doubles in a register: annotation of arguments that exist in compiled code only
_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_LONGS = ir.VectorType(_LONG, LANES)
_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # ln 2 in two parts
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer kept in the low bits


class Vector4(types.Type):
    """Numba type of four doubles."""

    def __init__(self) -> None:
        super().__init__(name="vector4")


vector4 = Vector4()


@register_model(Vector4)
class _Vector4Model(models.PrimitiveModel):
    def __init__(self, dmm: object, fe_type: types.Type) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def _element(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
    """Pointer to element args[1] of the contiguous array args[0]."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


def _spread(builder: ir.IRBuilder, scalar: ir.Value) -> ir.Value:
    """The scalar in every lane."""
    kind = ir.VectorType(scalar.type, LANES)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), mask)


def _constant(value: float) -> ir.Constant:
    return ir.Constant(_VECTOR, [value] * LANES)


def _call(builder: ir.IRBuilder, name: str, *args: ir.Value) -> ir.Value:
    """Call the LLVM intrinsic of that name on vectors."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(args))
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(function, args)


def _fma(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    return _call(builder, "llvm.fmuladd.v4f64", a, b, c)


@intrinsic
def load(typingctx: Any, array: types.Type, index: types.Type) -> tuple[Any, Callable]:
    """Four consecutive elements of a flat contiguous array of doubles."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        pointer = builder.bitcast(_element(context, builder, signature, args), _VECTOR.as_pointer())
        return builder.load(pointer, align=8)

    return vector4(array, types.intp), codegen


@intrinsic
def store(typingctx: Any, array: types.Type, index: types.Type, value: types.Type) -> tuple[Any, Callable]:
    """Write the four lanes to consecutive elements of a flat contiguous array of doubles."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        pointer = builder.bitcast(_element(context, builder, signature, args), _VECTOR.as_pointer())
        builder.store(args[2], pointer, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector4), codegen


@intrinsic
def fill(typingctx: Any, scalar: types.Type) -> tuple[Any, Callable]:
    """The scalar in all four lanes."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        return _spread(builder, args[0])

    return vector4(types.float64), codegen


@intrinsic
def fma(typingctx: Any, a: types.Type, b: types.Type, c: types.Type) -> tuple[Any, Callable]:
    """a b + c."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        return _fma(builder, *args)

    return vector4(vector4, vector4, vector4), codegen


@intrinsic
def fms(typingctx: Any, a: types.Type, b: types.Type, c: types.Type) -> tuple[Any, Callable]:
    """a b - c."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        return _fma(builder, args[0], args[1], builder.fneg(args[2]))

    return vector4(vector4, vector4, vector4), codegen


@intrinsic
def minimum(typingctx: Any, a: types.Type, b: types.Type) -> tuple[Any, Callable]:
    """The smaller one, lane by lane."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[0], args[1])

    return vector4(vector4, vector4), codegen


@intrinsic
def root(typingctx: Any, a: types.Type) -> tuple[Any, Callable]:
    """Square root."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        return _call(builder, "llvm.sqrt.v4f64", args[0])

    return vector4(vector4), codegen


@intrinsic
def total(typingctx: Any, a: types.Type) -> tuple[Any, Callable]:
    """Sum of the four lanes, a scalar."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        lanes = [builder.extract_element(args[0], ir.Constant(ir.IntType(32), i)) for i in range(LANES)]
        return builder.fadd(builder.fadd(lanes[0], lanes[2]), builder.fadd(lanes[1], lanes[3]))

    return types.float64(vector4), codegen


@intrinsic
def exponential(typingctx: Any, a: types.Type) -> tuple[Any, Callable]:
    """exp(a) for |a| < 700: exp(a) = 2^k exp(a - k ln 2), the latter a Taylor polynomial of degree 13."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
        shifted = _fma(builder, args[0], _constant(_LOG2_E), _constant(_ROUND))
        k = builder.fsub(shifted, _constant(_ROUND))
        rest = _fma(builder, k, _constant(-_LN2_HIGH), args[0])
        rest = _fma(builder, k, _constant(-_LN2_LOW), rest)
        factorials = [1.0]
        for i in range(1, 14):
            factorials.append(factorials[-1] * i)
        value = _constant(1.0 / factorials[13])
        for i in range(12, -1, -1):
            value = _fma(builder, value, rest, _constant(1.0 / factorials[i]))
        exponent = builder.shl(builder.bitcast(shifted, _LONGS), ir.Constant(_LONGS, [52] * LANES))
        return builder.bitcast(builder.add(builder.bitcast(value, _LONGS), exponent), _VECTOR)

    return vector4(vector4), codegen


def _define(symbol: Callable, instruction: str) -> None:
    """Let two vectors be combined lane by lane with a Python operator."""

    @intrinsic
    def apply(typingctx: Any, a: types.Type, b: types.Type) -> tuple[Any, Callable]:
        def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: tuple) -> ir.Value:
            return getattr(builder, instruction)(*args)

        return vector4(vector4, vector4), codegen

    @overload(symbol, strict=False)  # strict compares annotations, too
    def operate(a: types.Type, b: types.Type) -> Callable | None:
        if a is vector4 and b is vector4:
            return lambda a, b: apply(a, b)
        return None


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")
