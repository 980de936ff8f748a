/* LOOP_RANDOM in LLVM IR: the rounds of philox2 (base/philox.h) on a vector of counters. */
#include <llvm-c/Core.h>

#include "base/philox.h"
#include "codegen/cpu/lower.h"

/* Lanes of 32 bits, and of 64 for products. */
struct philox {
    const struct lower *lower;
    LLVMTypeRef word, wide;
    unsigned lanes;
};

static LLVMTypeRef lanes_of(LLVMTypeRef element, unsigned lanes)
{
    return lanes == 1 ? element : LLVMVectorType(element, lanes);
}

static LLVMValueRef word_constant(const struct philox *philox, uint32_t value)
{
    return LLVMConstInt(LLVMInt32TypeInContext(philox->lower->context), value, false);
}

/* The lower 32 bits of an INT in every lane. */
static LLVMValueRef spread(const struct philox *philox, LLVMValueRef value)
{
    LLVMTypeRef one = LLVMInt32TypeInContext(philox->lower->context);
    value = LLVMBuildTrunc(philox->lower->builder, value, one, "");
    return lower_splat(philox->lower, value, philox->lanes);
}

static LLVMValueRef constant_word(const struct philox *philox, uint32_t value)
{
    return lower_constant_splat(word_constant(philox, value), philox->lanes);
}

/* first, first + 1, ... */
static LLVMValueRef counters(const struct philox *philox, LLVMValueRef first)
{
    LLVMValueRef numbers[LOOP_LANES];
    for (unsigned k = 0; k < philox->lanes; k++)
        numbers[k] = word_constant(philox, k);
    first = spread(philox, first);
    if (philox->lanes == 1)
        return first;
    return LLVMBuildAdd(philox->lower->builder, first, LLVMConstVector(numbers, philox->lanes), "");
}

/* One round on (*word_0, *word_1). */
static void philox_round(const struct philox *philox, LLVMValueRef key, LLVMValueRef *word_0,
                         LLVMValueRef *word_1)
{
    LLVMBuilderRef builder = philox->lower->builder;
    LLVMTypeRef long_type = LLVMInt64TypeInContext(philox->lower->context);
    LLVMValueRef multiplier =
        lower_constant_splat(LLVMConstInt(long_type, PHILOX2_MULTIPLIER, false), philox->lanes);
    LLVMValueRef half = lower_constant_splat(LLVMConstInt(long_type, 32, false), philox->lanes);
    LLVMValueRef product =
        LLVMBuildMul(builder, LLVMBuildZExt(builder, *word_0, philox->wide, ""), multiplier, "");
    LLVMValueRef high =
        LLVMBuildTrunc(builder, LLVMBuildLShr(builder, product, half, ""), philox->word, "");
    *word_0 = LLVMBuildXor(builder, LLVMBuildXor(builder, high, key, ""), *word_1, "");
    *word_1 = LLVMBuildTrunc(builder, product, philox->word, "");
}

LLVMValueRef lower_random(const struct lower *lower, struct loop_type type, LLVMValueRef key,
                          LLVMValueRef counter, LLVMValueRef first)
{
    LLVMBuilderRef builder = lower->builder;
    const struct philox philox = {
        .lower = lower,
        .word = lanes_of(LLVMInt32TypeInContext(lower->context), type.lanes),
        .wide = lanes_of(LLVMInt64TypeInContext(lower->context), type.lanes),
        .lanes = type.lanes,
    };
    LLVMValueRef word_0 = counters(&philox, first), word_1 = spread(&philox, counter);
    key = spread(&philox, key);
    for (int round = 0; round < PHILOX2_ROUNDS; round++) {
        philox_round(&philox, key, &word_0, &word_1);
        key = LLVMBuildAdd(builder, key, constant_word(&philox, PHILOX2_WEYL), "");
    }
    word_0 = LLVMBuildLShr(builder, word_0, constant_word(&philox, 8), "");
    LLVMTypeRef real = lower_type(lower, (struct loop_type){type.scalar, 1});
    return LLVMBuildFMul(builder, LLVMBuildSIToFP(builder, word_0, lower_type(lower, type), ""),
                         lower_constant_splat(LLVMConstReal(real, 0x1p-24), type.lanes), "");
}
