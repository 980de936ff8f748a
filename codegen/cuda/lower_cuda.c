/* Loop programs to CUDA C: a table of spellings and a switch.
 *
 * Value n is the variable vn, lane k of several vn_k; constants are written where they are used.
 * Only FMA becomes a fused operation (the compiler is told not to make others), so that results are
 * the interpreter's but for exp and log. INTs have 32 bits where index_range.h allows it. */
#include "codegen/cuda/lower_cuda.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "codegen/cuda/index_range.h"

struct writer {
    const struct loop_program *program;
    FILE *stream;
    const struct index_range *ranges;
    int depth;               /* of open bodies */
    int loops;               /* of them FOR loops that threads are inside of */
    loop_value last_threads; /* the last THREADS of the program */
    loop_value opener[LOOP_NESTING];
};

/* ---- operands ---- */

static const struct loop_instruction *instruction_of(const struct writer *writer, loop_value value)
{
    return &writer->program->instructions[value];
}

static bool is_narrow(const struct writer *writer, loop_value value)
{
    return index_range_is_narrow(writer->ranges[value]);
}

static const char *type_name(const struct writer *writer, loop_value value)
{
    switch (instruction_of(writer, value)->type.scalar) {
    case LOOP_BOOL:
        return "bool";
    case LOOP_F32:
        return "float";
    case LOOP_F64:
        return "double";
    default:
        return is_narrow(writer, value) ? "int" : "long long";
    }
}

static void write_int(const struct writer *writer, int64_t value)
{
    const bool is_long = value > INT32_MAX || value <= INT32_MIN;
    if (value == INT64_MIN)
        fputs("(-9223372036854775807ll - 1)", writer->stream);
    else
        fprintf(writer->stream, value < 0 ? "(%" PRId64 "%s)" : "%" PRId64 "%s", value,
                is_long ? "ll" : "");
}

/* Decimal digits that give the number back, and f for a float. */
static void write_float(const struct writer *writer, const struct loop_instruction *constant)
{
    const bool is_float = constant->type.scalar == LOOP_F32;
    const double value = is_float ? (double)(float)constant->number : constant->number;
    char digits[40];
    if (isnan(value) || isinf(value)) {
        const char *name = isnan(value) ? "0x7fffffff" : value > 0 ? "0x7f800000" : "0xff800000";
        fprintf(writer->stream, "__int_as_float(%s)", name);
        return;
    }
    snprintf(digits, sizeof digits, "%.*g", is_float ? 9 : 17, value);
    if (!strpbrk(digits, ".e"))
        strcat(digits, ".0");
    fprintf(writer->stream, value < 0 || digits[0] == '-' ? "(%s%s)" : "%s%s", digits,
            is_float ? "f" : "");
}

/* One lane of a value; of one with a single lane, that. */
static void write_operand(const struct writer *writer, loop_value value, int lane)
{
    const struct loop_instruction *instruction = instruction_of(writer, value);
    if (instruction->op == LOOP_CONSTANT_INT)
        write_int(writer, instruction->integer);
    else if (instruction->op == LOOP_CONSTANT_FLOAT)
        write_float(writer, instruction);
    else if (instruction->type.lanes > 1)
        fprintf(writer->stream, "v%" PRIu32 "_%d", value, lane);
    else
        fprintf(writer->stream, "v%" PRIu32, value);
}

static void indent(const struct writer *writer)
{
    fprintf(writer->stream, "%*s", 4 * (writer->depth + 1), "");
}

/* Begins the definition of a lane of a value. */
static void define(const struct writer *writer, loop_value number, int lane)
{
    indent(writer);
    fprintf(writer->stream, "const %s ", type_name(writer, number));
    write_operand(writer, number, lane);
    fputs(" = ", writer->stream);
}

/* Writes a spelling, in which $a, $b and $c are operands, $l the lane. */
static void write_spelling(const struct writer *writer, const char *spelling,
                           const struct loop_instruction *instruction, int lane)
{
    for (const char *c = spelling; *c; c++) {
        if (*c != '$') {
            fputc(*c, writer->stream);
            continue;
        }
        c++;
        if (*c == 'l')
            fprintf(writer->stream, "%d", lane);
        else
            write_operand(writer,
                          *c == 'a'   ? instruction->a
                          : *c == 'b' ? instruction->b
                                      : instruction->c,
                          lane);
    }
}

/* ---- arithmetic ---- */

/* What an operation is called for operands of INT, F32 and F64, or of any type. */
struct spelling {
    const char *any, *f32, *f64;
};

static const struct spelling spellings[LOOP_OP_COUNT] = {
    [LOOP_ADD] = {"$a + $b", NULL, NULL},
    [LOOP_SUBTRACT] = {"$a - $b", NULL, NULL},
    [LOOP_MULTIPLY] = {"$a * $b", NULL, NULL},
    [LOOP_DIVIDE] = {"$a / $b", NULL, NULL},
    [LOOP_REMAINDER] = {"$a % $b", NULL, NULL},
    [LOOP_MINIMUM] = {"$a < $b ? $a : $b", NULL, NULL},
    [LOOP_MAXIMUM] = {"$a > $b ? $a : $b", NULL, NULL},
    [LOOP_FMA] = {NULL, "fmaf($a, $b, $c)", "fma($a, $b, $c)"},
    [LOOP_NEGATE] = {"-$a", NULL, NULL},
    [LOOP_SQRT] = {NULL, "sqrtf($a)", "sqrt($a)"},
    [LOOP_EXP] = {NULL, "expf($a)", "exp($a)"},
    [LOOP_LOG] = {NULL, "logf($a)", "log($a)"},
    [LOOP_EQUAL] = {"$a == $b", NULL, NULL},
    [LOOP_LESS] = {"$a < $b", NULL, NULL},
    [LOOP_LESS_EQUAL] = {"$a <= $b", NULL, NULL},
    [LOOP_AND] = {"$a && $b", NULL, NULL},
    [LOOP_OR] = {"$a || $b", NULL, NULL},
    [LOOP_SELECT] = {"$a ? $b : $c", NULL, NULL},
    [LOOP_BROADCAST] = {"$a", NULL, NULL},
    [LOOP_RANDOM] = {NULL, "random_uniform($a, $b, (unsigned)$c + $l)",
                     "(double)random_uniform($a, $b, (unsigned)$c + $l)"},
};

/* Indices: unsigned division is cheaper, and 64 bits must be asked for where the operands have
 * fewer than the result. */
static const char *index_spelling(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    const struct index_range *a = &writer->ranges[instruction->a];
    const struct index_range *b = &writer->ranges[instruction->b];
    const bool narrow = index_range_is_narrow(*a) && index_range_is_narrow(*b);
    switch (instruction->op) {
    case LOOP_ADD:
        return is_narrow(writer, number) && narrow ? NULL : "(long long)$a + $b";
    case LOOP_SUBTRACT:
        return is_narrow(writer, number) && narrow ? NULL : "(long long)$a - $b";
    case LOOP_MULTIPLY:
        return is_narrow(writer, number) && narrow ? NULL : "(long long)$a * $b";
    case LOOP_DIVIDE:
        return narrow && a->low >= 0 && b->low > 0 ? "(unsigned)$a / (unsigned)$b" : NULL;
    case LOOP_REMAINDER:
        return narrow && a->low >= 0 && b->low > 0 ? "(unsigned)$a % (unsigned)$b" : NULL;
    default:
        return NULL;
    }
}

static const char *convert_spelling(const struct writer *writer,
                                    const struct loop_instruction *convert)
{
    const unsigned from = instruction_of(writer, convert->a)->type.scalar;
    if (convert->type.scalar == LOOP_F32)
        return "(float)$a";
    if (convert->type.scalar == LOOP_F64)
        return "(double)$a";
    return from == LOOP_INT ? "$a" : "$a == $a ? (long long)$a : 0";
}

static const char *spelling_of(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    const struct spelling *spelling = &spellings[instruction->op];
    const char *special = NULL;
    if (instruction->op == LOOP_CONVERT)
        return convert_spelling(writer, instruction);
    if (instruction->type.scalar == LOOP_INT)
        special = index_spelling(writer, number);
    if (special)
        return special;
    if (spelling->any)
        return spelling->any;
    return instruction->type.scalar == LOOP_F64 ? spelling->f64 : spelling->f32;
}

static void write_arithmetic(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    const char *spelling = spelling_of(writer, number);
    for (int lane = 0; lane < instruction->type.lanes; lane++) {
        define(writer, number, lane);
        write_spelling(writer, spelling, instruction, lane);
        fputs(";\n", writer->stream);
    }
}

static void write_reduce_add(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    const int lanes = instruction_of(writer, instruction->a)->type.lanes;
    define(writer, number, 0);
    for (int lane = 0; lane < lanes; lane++) {
        fputs(lane > 0 ? " + " : "", writer->stream);
        write_operand(writer, instruction->a, lane);
    }
    fputs(";\n", writer->stream);
}

/* ---- memory ---- */

/* Where an access goes. */
struct place {
    const struct loop_instruction *base; /* LOCAL, SHARED; NULL: a parameter */
    int64_t parameter;
    loop_value local, index;
    struct loop_type type; /* of the value */
};

static struct place place_of(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    struct place place = {
        .parameter = instruction->integer, .index = instruction->a, .type = instruction->type};
    if (loop_is_store(instruction->op))
        place.type = instruction_of(writer, instruction->b)->type;
    if (instruction->op == LOOP_LOAD_LOCAL || instruction->op == LOOP_STORE_LOCAL) {
        place.base = instruction_of(writer, instruction->a);
        place.local = instruction->a;
        place.index = instruction->b;
    }
    if (instruction->op == LOOP_STORE_LOCAL)
        place.type = instruction_of(writer, instruction->c)->type;
    return place;
}

static bool is_bfloat16(const struct writer *writer, const struct place *place)
{
    return !place->base &&
           writer->program->parameters[place->parameter].storage == LOOP_STORAGE_BF16;
}

/* Whether lanes are accessed in pieces of several at once. */
static bool is_vector(const struct writer *writer, const struct place *place)
{
    return writer->program->threads > 0 && (!place->base || place->base->op == LOOP_SHARED) &&
           place->type.scalar == LOOP_F32 && place->type.lanes > 1;
}

/* The lanes of one piece: 16 bytes at most. */
static int piece_lanes(const struct writer *writer, const struct place *place)
{
    const int most = is_bfloat16(writer, place) ? 8 : 4;
    return place->type.lanes < most ? place->type.lanes : most;
}

/* Its type: a float2 or float4, or words of two bfloat16 each. */
static const char *piece_type(const struct writer *writer, const struct place *place)
{
    const int lanes = piece_lanes(writer, place);
    if (!is_bfloat16(writer, place))
        return lanes == 2 ? "float2" : "float4";
    return lanes == 2 ? "unsigned" : lanes == 4 ? "uint2" : "uint4";
}

/* "p0[v3 + 1]" */
static void write_element(const struct writer *writer, const struct place *place, int lane)
{
    if (place->base)
        fprintf(writer->stream, "v%" PRIu32 "[", place->local);
    else
        fprintf(writer->stream, "p%" PRId64 "[", place->parameter);
    write_operand(writer, place->index, 0);
    fprintf(writer->stream, lane > 0 ? " + %d]" : "]", lane);
}

static void write_piece(const struct writer *writer, const struct place *place, int first,
                        bool is_constant)
{
    fprintf(writer->stream, "*(%s%s *)&", is_constant ? "const " : "", piece_type(writer, place));
    write_element(writer, place, first);
}

/* Loads all pieces: tN_F is the one from lane F on. */
static void write_pieces(const struct writer *writer, loop_value number, const struct place *place)
{
    for (int first = 0; first < place->type.lanes; first += piece_lanes(writer, place)) {
        indent(writer);
        fprintf(writer->stream, "const %s t%" PRIu32 "_%d = ", piece_type(writer, place), number,
                first);
        write_piece(writer, place, first, true);
        fputs(";\n", writer->stream);
    }
}

/* A lane of the pieces that were loaded. */
static void write_piece_lane(const struct writer *writer, loop_value number,
                             const struct place *place, int lane)
{
    static const char members[] = "xyzw";
    const int lanes = piece_lanes(writer, place), within = lane % lanes;
    if (!is_bfloat16(writer, place))
        fprintf(writer->stream, "t%" PRIu32 "_%d.%c", number, lane - within, members[within]);
    else if (lanes == 2)
        fprintf(writer->stream, "%s_bfloat16(t%" PRIu32 "_%d)", within == 0 ? "low" : "high",
                number, lane - within);
    else
        fprintf(writer->stream, "%s_bfloat16(t%" PRIu32 "_%d.%c)", within % 2 == 0 ? "low" : "high",
                number, lane - within, members[within / 2]);
}

/* A lane that is loaded by itself. */
static void write_lane_load(const struct writer *writer, const struct loop_instruction *instruction,
                            const struct place *place, int lane)
{
    const bool widens = is_bfloat16(writer, place);
    fputs(widens ? "low_bfloat16(" : "", writer->stream);
    if (instruction->op == LOOP_LOAD_MASKED) {
        write_operand(writer, instruction->b, 0);
        fprintf(writer->stream, " > %d ? ", lane);
    }
    write_element(writer, place, lane);
    fputs(instruction->op == LOOP_LOAD_MASKED ? " : 0" : "", writer->stream);
    fputs(widens ? ")" : "", writer->stream);
}

static void write_load(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    const struct place place = place_of(writer, number);
    const bool vector = is_vector(writer, &place) && instruction->op != LOOP_LOAD_MASKED;
    if (vector)
        write_pieces(writer, number, &place);
    for (int lane = 0; lane < place.type.lanes; lane++) {
        define(writer, number, lane);
        if (vector)
            write_piece_lane(writer, number, &place, lane);
        else
            write_lane_load(writer, instruction, &place, lane);
        fputs(";\n", writer->stream);
    }
}

/* A lane of a value as memory has it. */
static void write_stored(const struct writer *writer, const struct place *place, loop_value value,
                         int lane)
{
    const bool rounds = is_bfloat16(writer, place);
    fputs(rounds ? "to_bfloat16(" : "", writer->stream);
    write_operand(writer, value, lane);
    fputs(rounds ? ")" : "", writer->stream);
}

static void write_lane_store(const struct writer *writer,
                             const struct loop_instruction *instruction, const struct place *place,
                             loop_value value, int lane)
{
    indent(writer);
    if (instruction->op == LOOP_STORE_MASKED) {
        fputs("if (", writer->stream);
        write_operand(writer, instruction->c, 0);
        fprintf(writer->stream, " > %d) ", lane);
    }
    write_element(writer, place, lane);
    fputs(place->type.scalar == LOOP_INT && !place->base ? " = (int)" : " = ", writer->stream);
    write_stored(writer, place, value, lane);
    fputs(";\n", writer->stream);
}

/* The lanes of a value from `first` on, as a piece. */
static void write_packed(const struct writer *writer, const struct place *place, loop_value value,
                         int first)
{
    const int lanes = piece_lanes(writer, place);
    const bool rounds = is_bfloat16(writer, place), is_word = rounds && lanes == 2;
    if (!is_word)
        fprintf(writer->stream, "make_%s(", piece_type(writer, place));
    for (int lane = first; lane < first + lanes; lane++) {
        fputs(lane > first ? ", " : "", writer->stream);
        fputs(rounds && lane % 2 == 0 ? "to_bfloat16s(" : "", writer->stream);
        write_operand(writer, value, lane);
        fputs(rounds && lane % 2 == 1 ? ")" : "", writer->stream);
    }
    fputs(is_word ? "" : ")", writer->stream);
}

static void write_store(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *instruction = instruction_of(writer, number);
    const struct place place = place_of(writer, number);
    const loop_value value = instruction->op == LOOP_STORE_LOCAL ? instruction->c : instruction->b;
    if (!is_vector(writer, &place) || instruction->op == LOOP_STORE_MASKED) {
        for (int lane = 0; lane < place.type.lanes; lane++)
            write_lane_store(writer, instruction, &place, value, lane);
        return;
    }
    for (int first = 0; first < place.type.lanes; first += piece_lanes(writer, &place)) {
        indent(writer);
        write_piece(writer, &place, first, false);
        fputs(" = ", writer->stream);
        write_packed(writer, &place, value, first);
        fputs(";\n", writer->stream);
    }
}

static void write_local(const struct writer *writer, loop_value number)
{
    const struct loop_instruction *local = instruction_of(writer, number);
    const char *type = type_name(writer, number);
    indent(writer);
    if (local->op == LOOP_LOCAL)
        fprintf(writer->stream, "%s v%" PRIu32 "[%" PRId64 "];\n", type, number, local->integer);
    else
        fprintf(writer->stream, "%s *const v%" PRIu32 " = (%s *)(shared_memory + %" PRId64 ");\n",
                type, number, type, loop_shared_offset(writer->program, number));
}

/* ---- structure ---- */

static void write_open(struct writer *writer, loop_value number)
{
    writer->opener[writer->depth++] = number;
    writer->loops += instruction_of(writer, number)->op == LOOP_FOR;
}

static void write_for(struct writer *writer, loop_value number)
{
    const struct loop_instruction *loop = instruction_of(writer, number);
    if (loop->unrolled)
        fputs("#pragma unroll\n", writer->stream);
    indent(writer);
    fprintf(writer->stream, "for (%s v%" PRIu32 " = ", type_name(writer, number), number);
    write_operand(writer, loop->a, 0);
    fprintf(writer->stream, "; v%" PRIu32 " < ", number);
    write_operand(writer, loop->b, 0);
    fprintf(writer->stream, "; v%" PRIu32 " += %" PRId64 ") {\n", number, loop->integer);
    write_open(writer, number);
}

static void write_threads(struct writer *writer, loop_value number)
{
    indent(writer);
    fputs("{\n", writer->stream);
    write_open(writer, number);
    indent(writer);
    fprintf(writer->stream, "const int v%" PRIu32 " = threadIdx.x;\n", number);
}

static void write_if(struct writer *writer, loop_value number)
{
    indent(writer);
    fputs("if (", writer->stream);
    write_operand(writer, instruction_of(writer, number)->a, 0);
    fputs(") {\n", writer->stream);
    write_open(writer, number);
}

static void write_else(struct writer *writer)
{
    writer->depth--;
    indent(writer);
    fputs("} else {\n", writer->stream);
    writer->depth++;
}

/* All threads wait at the end of their body, unless none will follow. */
static void write_end(struct writer *writer)
{
    const loop_value opener = writer->opener[--writer->depth];
    const enum loop_op op = instruction_of(writer, opener)->op;
    writer->loops -= op == LOOP_FOR;
    indent(writer);
    fputs("}\n", writer->stream);
    if (op == LOOP_THREADS && (opener != writer->last_threads || writer->loops > 0)) {
        indent(writer);
        fputs("__syncthreads();\n", writer->stream);
    }
}

static void write_instruction(struct writer *writer, loop_value number)
{
    switch (instruction_of(writer, number)->op) {
    case LOOP_CONSTANT_INT:
    case LOOP_CONSTANT_FLOAT:
        break;
    case LOOP_TASK:
        indent(writer);
        fprintf(writer->stream, "const %s v%" PRIu32 " = task;\n", type_name(writer, number),
                number);
        break;
    case LOOP_IMAGES:
        indent(writer);
        fprintf(writer->stream, "const %s v%" PRIu32 " = images;\n", type_name(writer, number),
                number);
        break;
    case LOOP_REDUCE_ADD:
        write_reduce_add(writer, number);
        break;
    case LOOP_LOAD:
    case LOOP_LOAD_MASKED:
    case LOOP_LOAD_LOCAL:
        write_load(writer, number);
        break;
    case LOOP_STORE:
    case LOOP_STORE_STREAM:
    case LOOP_STORE_MASKED:
    case LOOP_STORE_LOCAL:
        write_store(writer, number);
        break;
    case LOOP_PREFETCH:
    case LOOP_PREFETCH_FAR:
        break;
    case LOOP_LOCAL:
    case LOOP_SHARED:
        write_local(writer, number);
        break;
    case LOOP_FOR:
        write_for(writer, number);
        break;
    case LOOP_THREADS:
        write_threads(writer, number);
        break;
    case LOOP_IF:
        write_if(writer, number);
        break;
    case LOOP_ELSE:
        write_else(writer);
        break;
    case LOOP_END:
        write_end(writer);
        break;
    default:
        write_arithmetic(writer, number);
        break;
    }
}

/* ---- programs ---- */

static bool has_op(const struct loop_program *program, enum loop_op op)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->instructions[i].op == op)
            return true;
    return false;
}

static void write_random(FILE *stream)
{
    fprintf(
        stream,
        "static __device__ float random_uniform(unsigned key, unsigned word_1, unsigned word_0)\n"
        "{\n"
        "#pragma unroll\n"
        "    for (int round = 0; round < %d; round++) {\n"
        "        const unsigned high = __umulhi(%uu, word_0), low = %uu * word_0;\n"
        "        word_0 = high ^ key ^ word_1;\n"
        "        word_1 = low;\n"
        "        key += %uu;\n"
        "    }\n"
        "    return (float)(word_0 >> 8) * 5.9604644775390625e-08f;\n"
        "}\n\n",
        PHILOX2_ROUNDS, PHILOX2_MULTIPLIER, PHILOX2_MULTIPLIER, PHILOX2_WEYL);
}

static bool has_bfloat16(const struct loop_program *program)
{
    for (uint32_t p = 0; p < program->parameter_count; p++)
        if (program->parameters[p].storage == LOOP_STORAGE_BF16)
            return true;
    return false;
}

/* As base/bfloat16.h; words hold two. The instruction is there from sm_80 on. NVIDIA's header for
 * the type would have to be found by whoever compiles. */
static void write_bfloat16(FILE *stream)
{
    fputs("#ifndef BFLOAT16\n#define BFLOAT16\n"
          "static __device__ float low_bfloat16(unsigned word)\n"
          "{\n"
          "    return __int_as_float(word << 16);\n"
          "}\n\n"
          "static __device__ float high_bfloat16(unsigned word)\n"
          "{\n"
          "    return __int_as_float(word & 0xffff0000u);\n"
          "}\n\n"
          "#if __CUDA_ARCH__ >= 800\n"
          "static __device__ unsigned to_bfloat16s(float low, float high)\n"
          "{\n"
          "    unsigned word;\n"
          "    asm(\"cvt.rn.bf16x2.f32 %0, %1, %2;\" : \"=r\"(word) : \"f\"(high), \"f\"(low));\n"
          "    return word;\n"
          "}\n\n"
          "static __device__ unsigned short to_bfloat16(float value)\n"
          "{\n"
          "    return to_bfloat16s(value, 0);\n"
          "}\n"
          "#else\n"
          "static __device__ unsigned short to_bfloat16(float value)\n"
          "{\n"
          "    const unsigned bits = __float_as_int(value);\n"
          "    if ((bits & 0x7fffffffu) > 0x7f800000u)\n"
          "        return 0x7fff;\n"
          "    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;\n"
          "}\n\n"
          "static __device__ unsigned to_bfloat16s(float low, float high)\n"
          "{\n"
          "    return to_bfloat16(low) | (unsigned)to_bfloat16(high) << 16;\n"
          "}\n"
          "#endif\n#endif\n\n",
          stream);
}

static const char *storage_name(uint8_t storage)
{
    static const char *const names[] = {[LOOP_STORAGE_F32] = "float",
                                        [LOOP_STORAGE_I32] = "int",
                                        [LOOP_STORAGE_BF16] = "unsigned short"};
    return names[storage];
}

static void write_parameters(const struct loop_program *program, FILE *stream)
{
    for (uint32_t p = 0; p < program->parameter_count; p++) {
        const struct loop_parameter *parameter = &program->parameters[p];
        fprintf(stream, "    %s%s *__restrict__ p%" PRIu32 ", /* %s */\n",
                parameter->is_output ? "" : "const ", storage_name(parameter->storage), p,
                parameter->name);
    }
    fputs("    long long images, long long tasks)\n", stream);
}

static void write_head(const struct loop_program *program, FILE *stream)
{
    if (has_op(program, LOOP_RANDOM))
        write_random(stream);
    if (has_bfloat16(program))
        write_bfloat16(stream);
    fprintf(stream, "/* schedule %s, images_per_task %" PRId64 ", tasks_per_group %" PRId64 " */\n",
            program->schedule, program->images_per_task, program->tasks_per_group);
    fprintf(stream, "extern \"C\" __global__ void __launch_bounds__(%" PRId32 ") %s(\n",
            cuda_block_threads(program), program->name);
    write_parameters(program, stream);
    fputs("{\n", stream);
    if (program->threads > 0)
        fputs("    const long long task = blockIdx.x;\n", stream);
    else
        fprintf(stream, "    const long long task = blockIdx.x * %dll + threadIdx.x;\n",
                CUDA_TASK_THREADS);
    fputs("    if (task >= tasks)\n        return;\n", stream);
    if (has_op(program, LOOP_SHARED))
        fputs("    extern __shared__ float4 shared_vectors[];\n"
              "    char *const shared_memory = (char *)shared_vectors;\n",
              stream);
}

int32_t cuda_block_threads(const struct loop_program *program)
{
    return program->threads > 0 ? program->threads : CUDA_TASK_THREADS;
}

int32_t cuda_block_tasks(const struct loop_program *program)
{
    return program->threads > 0 ? 1 : CUDA_TASK_THREADS;
}

void lower_cuda(const struct loop_program *program, int64_t most_images, FILE *stream)
{
    struct arena scratch = {0};
    struct index_range *ranges = ARENA_ARRAY(&scratch, struct index_range, program->count + 1);
    struct writer writer = {.program = program, .stream = stream, .ranges = ranges};
    index_ranges(program, most_images, ranges);
    for (loop_value i = 0; i < program->count; i++)
        if (program->instructions[i].op == LOOP_THREADS)
            writer.last_threads = i;
    write_head(program, stream);
    for (loop_value i = 0; i < program->count; i++)
        write_instruction(&writer, i);
    fputs("}\n", stream);
    arena_release(&scratch);
}
