/* The operations of the loop IR in LLVM IR: a switch, one case each.
 *
 * No fast-math flag is ever set and only FMA becomes a fused operation, so that a result is the
 * interpreter's, bit for bit; only exp and log of F64 are the C library's. Memory is accessed with
 * the alignment of one element, which costs nothing where it happens to be aligned. */
#include "codegen/cpu/lower.h"

#include <assert.h>
#include <llvm-c/Core.h>
#include <string.h>

/* ---- types and constants ---- */

LLVMTypeRef lower_int_type(const struct lower *lower)
{
    return LLVMInt64TypeInContext(lower->context);
}

static LLVMTypeRef vector_type(LLVMTypeRef element, unsigned lanes)
{
    return lanes == 1 ? element : LLVMVectorType(element, lanes);
}

static LLVMTypeRef scalar_type(const struct lower *lower, unsigned scalar)
{
    switch (scalar) {
    case LOOP_BOOL:
        return LLVMInt1TypeInContext(lower->context);
    case LOOP_F32:
        return LLVMFloatTypeInContext(lower->context);
    case LOOP_F64:
        return LLVMDoubleTypeInContext(lower->context);
    default:
        return lower_int_type(lower);
    }
}

LLVMTypeRef lower_type(const struct lower *lower, struct loop_type type)
{
    return vector_type(scalar_type(lower, type.scalar), type.lanes);
}

/* The type of a parameter's elements in memory. */
static LLVMTypeRef storage_type(const struct lower *lower, int64_t parameter)
{
    assert(lower->program->parameters[parameter].storage != LOOP_STORAGE_BF16); /* GPUs alone */
    return lower->program->parameters[parameter].storage == LOOP_STORAGE_I32
               ? LLVMInt32TypeInContext(lower->context)
               : LLVMFloatTypeInContext(lower->context);
}

LLVMValueRef lower_constant(const struct lower *lower, int64_t value)
{
    return LLVMConstInt(lower_int_type(lower), (unsigned long long)value, true);
}

static LLVMValueRef constant_lane(const struct lower *lower, unsigned lane)
{
    return LLVMConstInt(LLVMInt32TypeInContext(lower->context), lane, false);
}

LLVMValueRef lower_constant_splat(LLVMValueRef scalar, unsigned lanes)
{
    LLVMValueRef elements[LOOP_LANES];
    if (lanes == 1)
        return scalar;
    for (unsigned i = 0; i < lanes; i++)
        elements[i] = scalar;
    return LLVMConstVector(elements, lanes);
}

LLVMValueRef lower_splat(const struct lower *lower, LLVMValueRef scalar, unsigned lanes)
{
    if (lanes == 1)
        return scalar;
    LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(scalar), lanes);
    LLVMTypeRef mask = LLVMVectorType(LLVMInt32TypeInContext(lower->context), lanes);
    LLVMValueRef poison = LLVMGetPoison(type);
    LLVMValueRef first =
        LLVMBuildInsertElement(lower->builder, poison, scalar, constant_lane(lower, 0), "");
    return LLVMBuildShuffleVector(lower->builder, first, poison, LLVMConstNull(mask), "");
}

/* Calls the intrinsic `name`, overloaded on `types`. */
static LLVMValueRef call_intrinsic(const struct lower *lower, const char *name, LLVMTypeRef *types,
                                   unsigned type_count, LLVMValueRef *arguments,
                                   unsigned argument_count)
{
    const unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef declaration = LLVMGetIntrinsicDeclaration(lower->module, id, types, type_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(lower->context, id, types, type_count);
    return LLVMBuildCall2(lower->builder, type, declaration, arguments, argument_count, "");
}

/* ---- operations ---- */

static LLVMValueRef lower_spread(const struct lower *lower, unsigned lanes, int64_t integer,
                                 LLVMValueRef a)
{
    LLVMValueRef mask[LOOP_LANES];
    const unsigned size = (unsigned)(integer / LOOP_LANES);
    const unsigned first = (unsigned)(integer % LOOP_LANES);
    for (unsigned i = 0; i < lanes; i++)
        mask[i] = constant_lane(lower, i / size * size + first);
    return LLVMBuildShuffleVector(lower->builder, a, LLVMGetPoison(LLVMTypeOf(a)),
                                  LLVMConstVector(mask, lanes), "");
}

static LLVMValueRef lower_select(const struct lower *lower, bool is_int, LLVMIntPredicate integer,
                                 LLVMRealPredicate real, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef condition = is_int ? LLVMBuildICmp(lower->builder, integer, a, b, "")
                                    : LLVMBuildFCmp(lower->builder, real, a, b, "");
    return LLVMBuildSelect(lower->builder, condition, a, b, "");
}

/* Operations with two operands of one type; `is_int` is about the operands. */
static LLVMValueRef lower_binary(const struct lower *lower, enum loop_op op, bool is_int,
                                 LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef builder = lower->builder;
    switch (op) {
    case LOOP_ADD:
        return is_int ? LLVMBuildAdd(builder, a, b, "") : LLVMBuildFAdd(builder, a, b, "");
    case LOOP_SUBTRACT:
        return is_int ? LLVMBuildSub(builder, a, b, "") : LLVMBuildFSub(builder, a, b, "");
    case LOOP_MULTIPLY:
        return is_int ? LLVMBuildMul(builder, a, b, "") : LLVMBuildFMul(builder, a, b, "");
    case LOOP_DIVIDE:
        return is_int ? LLVMBuildSDiv(builder, a, b, "") : LLVMBuildFDiv(builder, a, b, "");
    case LOOP_REMAINDER:
        return LLVMBuildSRem(builder, a, b, "");
    case LOOP_MINIMUM:
        return lower_select(lower, is_int, LLVMIntSLT, LLVMRealOLT, a, b);
    case LOOP_MAXIMUM:
        return lower_select(lower, is_int, LLVMIntSGT, LLVMRealOGT, a, b);
    case LOOP_EQUAL:
        return is_int ? LLVMBuildICmp(builder, LLVMIntEQ, a, b, "")
                      : LLVMBuildFCmp(builder, LLVMRealOEQ, a, b, "");
    case LOOP_LESS:
        return is_int ? LLVMBuildICmp(builder, LLVMIntSLT, a, b, "")
                      : LLVMBuildFCmp(builder, LLVMRealOLT, a, b, "");
    case LOOP_LESS_EQUAL:
        return is_int ? LLVMBuildICmp(builder, LLVMIntSLE, a, b, "")
                      : LLVMBuildFCmp(builder, LLVMRealOLE, a, b, "");
    case LOOP_AND:
        return LLVMBuildAnd(builder, a, b, "");
    default:
        assert(op == LOOP_OR);
        return LLVMBuildOr(builder, a, b, "");
    }
}

/* Float functions that LLVM has as intrinsics of one type. */
static LLVMValueRef lower_function(const struct lower *lower, const char *name, LLVMValueRef a)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    return call_intrinsic(lower, name, &type, 1, &a, 1);
}

LLVMValueRef lower_fma(const struct lower *lower, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef arguments[] = {a, b, c};
    return call_intrinsic(lower, "llvm.fma", &type, 1, arguments, 3);
}

static LLVMValueRef lower_convert(const struct lower *lower, unsigned from, struct loop_type to,
                                  LLVMValueRef a)
{
    LLVMTypeRef type = lower_type(lower, to);
    if (from == to.scalar)
        return a;
    if (to.scalar == LOOP_INT) {
        LLVMTypeRef types[] = {type, LLVMTypeOf(a)};
        return call_intrinsic(lower, "llvm.fptosi.sat", types, 2, &a, 1);
    }
    if (from == LOOP_INT)
        return LLVMBuildSIToFP(lower->builder, a, type, "");
    return LLVMBuildFPCast(lower->builder, a, type, "");
}

static LLVMValueRef lower_reduce_add(const struct lower *lower, struct loop_type type,
                                     LLVMValueRef a)
{
    LLVMValueRef sum = NULL;
    if (type.lanes == 1)
        return a;
    for (unsigned i = 0; i < type.lanes; i++) {
        LLVMValueRef lane = LLVMBuildExtractElement(lower->builder, a, constant_lane(lower, i), "");
        sum = sum ? lower_binary(lower, LOOP_ADD, type.scalar == LOOP_INT, sum, lane) : lane;
    }
    return sum;
}

/* ---- memory ---- */

static LLVMValueRef element_address(const struct lower *lower, int64_t parameter,
                                    LLVMValueRef index)
{
    return LLVMBuildGEP2(lower->builder, storage_type(lower, parameter),
                         LLVMGetParam(lower->function, (unsigned)parameter), &index, 1, "");
}

/* A value as it is loaded from memory to one of the program's, and back. */
static LLVMValueRef from_storage(const struct lower *lower, struct loop_type type,
                                 LLVMValueRef value)
{
    if (type.scalar != LOOP_INT)
        return value;
    return LLVMBuildSExt(lower->builder, value, lower_type(lower, type), "");
}

static LLVMValueRef to_storage(const struct lower *lower, struct loop_type type, LLVMValueRef value)
{
    LLVMTypeRef memory = LLVMInt32TypeInContext(lower->context);
    if (type.scalar != LOOP_INT)
        return value;
    return LLVMBuildTrunc(lower->builder, value, vector_type(memory, type.lanes), "");
}

/* Accesses are aligned to one element only. */
static LLVMValueRef lower_load(const struct lower *lower, LLVMTypeRef type, LLVMValueRef address,
                               unsigned alignment)
{
    LLVMValueRef value = LLVMBuildLoad2(lower->builder, type, address, "");
    LLVMSetAlignment(value, alignment);
    return value;
}

static void lower_store(const struct lower *lower, LLVMValueRef value, LLVMValueRef address,
                        unsigned alignment)
{
    LLVMSetAlignment(LLVMBuildStore(lower->builder, value, address), alignment);
}

/* Parameters are aligned to whole vectors, so an index that is a multiple of the lanes is too. */
static void lower_store_stream(const struct lower *lower, LLVMValueRef value, LLVMValueRef address,
                               unsigned alignment)
{
    static const char name[] = "nontemporal";
    LLVMMetadataRef one[] = {LLVMValueAsMetadata(constant_lane(lower, 1))};
    LLVMMetadataRef node = LLVMMDNodeInContext2(lower->context, one, 1);
    LLVMValueRef store = LLVMBuildStore(lower->builder, value, address);
    LLVMSetAlignment(store, alignment);
    LLVMSetMetadata(store, LLVMGetMDKindIDInContext(lower->context, name, sizeof name - 1),
                    LLVMMetadataAsValue(lower->context, node));
}

/* The first `active` lanes as a vector of i1, also where there is only one lane. */
static LLVMValueRef lower_mask(const struct lower *lower, LLVMValueRef active, unsigned lanes)
{
    LLVMTypeRef lane_type = LLVMInt32TypeInContext(lower->context);
    LLVMValueRef numbers[LOOP_LANES], zero = lower_constant(lower, 0);
    LLVMValueRef all = lower_constant(lower, (int64_t)lanes);
    for (unsigned i = 0; i < lanes; i++)
        numbers[i] = constant_lane(lower, i);
    active = lower_binary(lower, LOOP_MAXIMUM, true, active, zero);
    active = lower_binary(lower, LOOP_MINIMUM, true, active, all);
    active = LLVMBuildTrunc(lower->builder, active, lane_type, "");
    LLVMValueRef limit =
        lanes > 1 ? lower_splat(lower, active, lanes)
                  : LLVMBuildBitCast(lower->builder, active, LLVMVectorType(lane_type, 1), "");
    return LLVMBuildICmp(lower->builder, LLVMIntULT, LLVMConstVector(numbers, lanes), limit, "");
}

/* Masked intrinsics exist for vectors only: a single lane becomes a vector of one and back. */
static LLVMValueRef lower_load_masked(const struct lower *lower, struct loop_type type,
                                      LLVMTypeRef element, LLVMValueRef address,
                                      LLVMValueRef active)
{
    LLVMTypeRef memory = LLVMVectorType(element, type.lanes);
    LLVMTypeRef types[] = {memory, LLVMTypeOf(address)};
    LLVMValueRef arguments[] = {address, constant_lane(lower, 4),
                                lower_mask(lower, active, type.lanes), LLVMConstNull(memory)};
    LLVMValueRef value = call_intrinsic(lower, "llvm.masked.load", types, 2, arguments, 4);
    if (type.lanes == 1)
        value = LLVMBuildBitCast(lower->builder, value, element, "");
    return from_storage(lower, type, value);
}

static void lower_store_masked(const struct lower *lower, struct loop_type type,
                               LLVMTypeRef element, LLVMValueRef address, LLVMValueRef value,
                               LLVMValueRef active)
{
    LLVMTypeRef memory = LLVMVectorType(element, type.lanes);
    LLVMTypeRef types[] = {memory, LLVMTypeOf(address)};
    value = to_storage(lower, type, value);
    if (type.lanes == 1)
        value = LLVMBuildBitCast(lower->builder, value, memory, "");
    LLVMValueRef arguments[] = {value, address, constant_lane(lower, 4),
                                lower_mask(lower, active, type.lanes)};
    call_intrinsic(lower, "llvm.masked.store", types, 2, arguments, 4);
}

static void lower_prefetch(const struct lower *lower, LLVMValueRef address, bool far)
{
    enum { READ = 0, NEAREST = 3, NEXT = 2, DATA = 1 };
    LLVMTypeRef types[] = {LLVMTypeOf(address)};
    LLVMValueRef arguments[] = {address, constant_lane(lower, READ),
                                constant_lane(lower, far ? NEXT : NEAREST),
                                constant_lane(lower, DATA)};
    call_intrinsic(lower, "llvm.prefetch", types, 1, arguments, 4);
}

static LLVMValueRef local_address(const struct lower *lower, loop_value local, LLVMValueRef index)
{
    const struct loop_type type = loop_type_of(lower->program, local);
    return LLVMBuildGEP2(lower->builder, lower_type(lower, type), lower->values[local], &index, 1,
                         "");
}

static unsigned scalar_alignment(unsigned scalar)
{
    return scalar == LOOP_F32 ? 4 : 8;
}

/* ---- all of them ---- */

LLVMValueRef lower_operation(const struct lower *lower, loop_value number)
{
    const struct loop_instruction *all = lower->program->instructions, *in = &all[number];
    const LLVMValueRef a = lower->values[in->a], b = lower->values[in->b], c = lower->values[in->c];
    const struct loop_type type = in->type, a_type = all[in->a].type;
    switch (in->op) {
    case LOOP_CONSTANT_INT:
        return lower_constant(lower, in->integer);
    case LOOP_CONSTANT_FLOAT:
        return lower_constant_splat(LLVMConstReal(scalar_type(lower, type.scalar), in->number),
                                    type.lanes);
    case LOOP_FMA:
        return lower_fma(lower, a, b, c);
    case LOOP_NEGATE:
        return type.scalar == LOOP_INT ? LLVMBuildNeg(lower->builder, a, "")
                                       : LLVMBuildFNeg(lower->builder, a, "");
    case LOOP_SQRT:
        return lower_function(lower, "llvm.sqrt", a);
    case LOOP_EXP:
        return type.scalar == LOOP_F32 ? lower_exp(lower, a, type.lanes)
                                       : lower_function(lower, "llvm.exp", a);
    case LOOP_LOG:
        return type.scalar == LOOP_F32 ? lower_log(lower, a, type.lanes)
                                       : lower_function(lower, "llvm.log", a);
    case LOOP_SELECT:
        return LLVMBuildSelect(lower->builder, a, b, c, "");
    case LOOP_CONVERT:
        return lower_convert(lower, a_type.scalar, type, a);
    case LOOP_BROADCAST:
        return lower_splat(lower, a, type.lanes);
    case LOOP_SPREAD:
        return lower_spread(lower, type.lanes, in->integer, a);
    case LOOP_RANDOM:
        return lower_random(lower, type, a, b, c);
    case LOOP_REDUCE_ADD:
        return lower_reduce_add(lower, a_type, a);
    case LOOP_LOAD:
        return from_storage(lower, type,
                            lower_load(lower,
                                       vector_type(storage_type(lower, in->integer), type.lanes),
                                       element_address(lower, in->integer, a), 4));
    case LOOP_STORE:
        lower_store(lower, to_storage(lower, all[in->b].type, b),
                    element_address(lower, in->integer, a), 4);
        return NULL;
    case LOOP_STORE_STREAM:
        lower_store_stream(lower, to_storage(lower, all[in->b].type, b),
                           element_address(lower, in->integer, a), all[in->b].type.lanes * 4u);
        return NULL;
    case LOOP_PREFETCH:
    case LOOP_PREFETCH_FAR:
        lower_prefetch(lower, element_address(lower, in->integer, a), in->op == LOOP_PREFETCH_FAR);
        return NULL;
    case LOOP_LOAD_MASKED:
        return lower_load_masked(lower, type, storage_type(lower, in->integer),
                                 element_address(lower, in->integer, a), b);
    case LOOP_STORE_MASKED:
        lower_store_masked(lower, all[in->b].type, storage_type(lower, in->integer),
                           element_address(lower, in->integer, a), b, c);
        return NULL;
    case LOOP_LOAD_LOCAL:
        return lower_load(lower, lower_type(lower, type), local_address(lower, in->a, b),
                          scalar_alignment(type.scalar));
    case LOOP_STORE_LOCAL:
        lower_store(lower, c, local_address(lower, in->a, b), scalar_alignment(a_type.scalar));
        return NULL;
    default:
        return lower_binary(lower, in->op, a_type.scalar == LOOP_INT, a, b);
    }
}
