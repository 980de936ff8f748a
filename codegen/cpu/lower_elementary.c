/* LOOP_EXP and LOOP_LOG of 32-bit floats in LLVM IR: the steps of codegen/elementary.c on all
 * lanes. In double precision they are the C library's. */
#include <llvm-c/Core.h>
#include <math.h>

#include "codegen/cpu/lower.h"
#include "codegen/elementary.h"

/* Lanes as floats and as their bits. */
struct elementary {
    const struct lower *lower;
    LLVMBuilderRef builder;
    LLVMTypeRef real, bits;
    unsigned lanes;
};

static struct elementary elementary_of(const struct lower *lower, LLVMValueRef x, unsigned lanes)
{
    LLVMTypeRef word = LLVMInt32TypeInContext(lower->context);
    return (struct elementary){
        .lower = lower,
        .builder = lower->builder,
        .real = LLVMTypeOf(x),
        .bits = lanes == 1 ? word : LLVMVectorType(word, lanes),
        .lanes = lanes,
    };
}

static LLVMValueRef number(const struct elementary *e, float value)
{
    LLVMTypeRef one = LLVMFloatTypeInContext(e->lower->context);
    return lower_constant_splat(LLVMConstReal(one, (double)value), e->lanes);
}

static LLVMValueRef word(const struct elementary *e, uint32_t value)
{
    LLVMTypeRef one = LLVMInt32TypeInContext(e->lower->context);
    return lower_constant_splat(LLVMConstInt(one, value, false), e->lanes);
}

static LLVMValueRef bits_of(const struct elementary *e, LLVMValueRef value)
{
    return LLVMBuildBitCast(e->builder, value, e->bits, "");
}

static LLVMValueRef float_of(const struct elementary *e, LLVMValueRef bits)
{
    return LLVMBuildBitCast(e->builder, bits, e->real, "");
}

/* a < b ? c : d; NaN is less than nothing. */
static LLVMValueRef if_less(const struct elementary *e, LLVMValueRef a, LLVMValueRef b,
                            LLVMValueRef c, LLVMValueRef d)
{
    return LLVMBuildSelect(e->builder, LLVMBuildFCmp(e->builder, LLVMRealOLT, a, b, ""), c, d, "");
}

static LLVMValueRef polynomial(const struct elementary *e, const float *terms, int count,
                               LLVMValueRef x)
{
    LLVMValueRef sum = number(e, terms[0]);
    for (int i = 1; i < count; i++)
        sum = lower_fma(e->lower, sum, x, number(e, terms[i]));
    return sum;
}

static LLVMValueRef power_of_two(const struct elementary *e, LLVMValueRef n)
{
    n = LLVMBuildAdd(e->builder, n, word(e, FLOAT_EXPONENT_BIAS), "");
    return float_of(e, LLVMBuildShl(e->builder, n, word(e, FLOAT_FRACTION_BITS), ""));
}

LLVMValueRef lower_exp(const struct lower *lower, LLVMValueRef x, unsigned lanes)
{
    const struct exp_constants *c = &exp_constants;
    const struct elementary elementary = elementary_of(lower, x, lanes), *e = &elementary;
    LLVMValueRef lowest = number(e, c->lowest), highest = number(e, c->highest);
    LLVMValueRef round = number(e, c->round);
    x = if_less(e, x, lowest, lowest, x);
    x = if_less(e, highest, x, highest, x);
    LLVMValueRef shifted = lower_fma(lower, x, number(e, c->inverse_ln_2), round);
    LLVMValueRef n = LLVMBuildFSub(e->builder, shifted, round, "");
    LLVMValueRef r = lower_fma(lower, n, number(e, -c->ln_2), x);
    r = lower_fma(lower, n, number(e, -c->ln_2_rest), r);
    LLVMValueRef square = LLVMBuildFMul(e->builder, r, r, "");
    LLVMValueRef p = lower_fma(lower, square, polynomial(e, c->polynomial, EXP_TERMS, r), r);
    p = LLVMBuildFAdd(e->builder, p, number(e, 1), "");
    LLVMValueRef power = LLVMBuildSub(e->builder, bits_of(e, shifted), bits_of(e, round), "");
    LLVMValueRef half = LLVMBuildAShr(e->builder, power, word(e, 1), "");
    LLVMValueRef rest = LLVMBuildSub(e->builder, power, half, "");
    p = LLVMBuildFMul(e->builder, p, power_of_two(e, half), "");
    return LLVMBuildFMul(e->builder, p, power_of_two(e, rest), "");
}

/* What log is where its steps do not tell: at 0, below, at infinity and NaN. */
static LLVMValueRef log_beyond(const struct elementary *e, LLVMValueRef x, LLVMValueRef result)
{
    LLVMValueRef zero = number(e, 0);
    LLVMValueRef is_zero = LLVMBuildFCmp(e->builder, LLVMRealOEQ, x, zero, "");
    result = if_less(e, x, number(e, INFINITY), result, x);
    result = if_less(e, x, zero, number(e, NAN), result);
    return LLVMBuildSelect(e->builder, is_zero, number(e, -INFINITY), result, "");
}

LLVMValueRef lower_log(const struct lower *lower, LLVMValueRef x, unsigned lanes)
{
    const struct log_constants *c = &log_constants;
    const struct elementary elementary = elementary_of(lower, x, lanes), *e = &elementary;
    LLVMValueRef least = number(e, c->least_normal);
    LLVMValueRef larger = LLVMBuildFMul(e->builder, x, number(e, c->two_to_23), "");
    LLVMValueRef bits = bits_of(e, if_less(e, x, least, larger, x));
    LLVMValueRef exponent = LLVMBuildSub(e->builder, bits, word(e, c->two_thirds), "");
    exponent = LLVMBuildAnd(e->builder, exponent, word(e, ~UINT32_C(0) << FLOAT_FRACTION_BITS), "");
    LLVMValueRef k = LLVMBuildAShr(e->builder, exponent, word(e, FLOAT_FRACTION_BITS), "");
    LLVMValueRef added = if_less(e, x, least, number(e, -(float)FLOAT_FRACTION_BITS), number(e, 0));
    k = LLVMBuildFAdd(e->builder, LLVMBuildSIToFP(e->builder, k, e->real, ""), added, "");
    LLVMValueRef f = float_of(e, LLVMBuildSub(e->builder, bits, exponent, ""));
    f = LLVMBuildFSub(e->builder, f, number(e, 1), "");
    LLVMValueRef inner =
        lower_fma(lower, f, polynomial(e, c->polynomial, LOG_TERMS, f), number(e, -0.5f));
    LLVMValueRef square = LLVMBuildFMul(e->builder, f, f, "");
    LLVMValueRef result = lower_fma(lower, square, inner, f);
    return log_beyond(e, x, lower_fma(lower, k, number(e, c->ln_2), result));
}
