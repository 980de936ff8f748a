/* Interval arithmetic over a loop program, in one pass: operands come before their users, and what
 * is loaded from a local is known if all that is ever stored to it comes before the first load. See
 * index_range.h. */
#include "codegen/cuda/index_range.h"

static const struct index_range ANY = {INT64_MIN, INT64_MAX};
static const struct index_range NOTHING = {INT64_MAX, INT64_MIN};

enum { LOOP_SLACK = 1 << 20 }; /* more than any loop's step */

static int64_t saturate(__int128 value)
{
    return value < INT64_MIN ? INT64_MIN : value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static struct index_range range_of(__int128 low, __int128 high)
{
    return (struct index_range){saturate(low), saturate(high)};
}

static struct index_range unite(struct index_range a, struct index_range b)
{
    return (struct index_range){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

static struct index_range multiply(struct index_range a, struct index_range b)
{
    const __int128 corners[] = {(__int128)a.low * b.low, (__int128)a.low * b.high,
                                (__int128)a.high * b.low, (__int128)a.high * b.high};
    __int128 low = corners[0], high = corners[0];
    for (int i = 1; i < 4; i++) {
        low = corners[i] < low ? corners[i] : low;
        high = corners[i] > high ? corners[i] : high;
    }
    return range_of(low, high);
}

/* A divisor of unknown size at least shrinks nothing: the quotient is no larger than a. */
static struct index_range divide(struct index_range a, struct index_range b)
{
    if (a.low == INT64_MIN || b.low <= 0)
        return ANY;
    if (b.low == b.high)
        return range_of(a.low / b.low, a.high / b.low);
    return range_of(a.low < 0 ? a.low : 0, a.high > 0 ? a.high : 0);
}

static struct index_range remainder_of(struct index_range a, struct index_range b)
{
    if (b.low <= 0)
        return ANY;
    const int64_t most = a.high < b.high - 1 ? a.high : b.high - 1;
    return range_of(a.low < 0 ? -(__int128)(b.high - 1) : 0, a.low < 0 ? b.high - 1 : most);
}

static struct index_range range_binary(enum loop_op op, struct index_range a, struct index_range b)
{
    switch (op) {
    case LOOP_ADD:
        return range_of((__int128)a.low + b.low, (__int128)a.high + b.high);
    case LOOP_SUBTRACT:
        return range_of((__int128)a.low - b.high, (__int128)a.high - b.low);
    case LOOP_MULTIPLY:
        return multiply(a, b);
    case LOOP_DIVIDE:
        return divide(a, b);
    case LOOP_REMAINDER:
        return remainder_of(a, b);
    case LOOP_MINIMUM:
        return range_of(a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high);
    case LOOP_MAXIMUM:
        return range_of(a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high);
    default:
        return ANY;
    }
}

static struct index_range range_value(const struct loop_program *program,
                                      const struct loop_instruction *instruction,
                                      int64_t most_images, const struct index_range *ranges)
{
    const struct index_range a = ranges[instruction->a], b = ranges[instruction->b];
    switch (instruction->op) {
    case LOOP_CONSTANT_INT:
        return range_of(instruction->integer, instruction->integer);
    case LOOP_TASK:
        return range_of(0, (__int128)loop_task_count(program, most_images) - 1);
    case LOOP_IMAGES:
        return range_of(0, most_images);
    case LOOP_THREADS:
        return range_of(0, program->threads - 1);
    case LOOP_FOR:
        return range_of(a.low, (__int128)b.high - 1);
    case LOOP_SELECT:
        return unite(b, ranges[instruction->c]);
    case LOOP_NEGATE:
        return range_of(-(__int128)a.high, -(__int128)a.low);
    case LOOP_LOAD:
    case LOOP_LOAD_MASKED:
        return range_of(INT32_MIN, INT32_MAX);
    default:
        return loop_op_operands(instruction->op) == 2 ? range_binary(instruction->op, a, b) : ANY;
    }
}

/* A local's range is that of all stored so far; once loaded from, a store makes it any. Returns
 * whether no load was before a store that would have changed it. */
static bool visit_local(const struct loop_program *program,
                        const struct loop_instruction *instruction, bool *is_loaded,
                        struct index_range *ranges)
{
    const loop_value local = instruction->a;
    if (program->instructions[local].type.scalar != LOOP_INT)
        return true;
    if (instruction->op == LOOP_LOAD_LOCAL) {
        is_loaded[local] = true;
        return true;
    }
    const struct index_range all = unite(ranges[local], ranges[instruction->c]);
    const bool grows = all.low != ranges[local].low || all.high != ranges[local].high;
    ranges[local] = is_loaded[local] && grows ? ANY : all;
    return !(is_loaded[local] && grows);
}

/* One walk; `ranges` of locals are kept where they are ANY. Returns whether it was the last. */
static bool walk(const struct loop_program *program, int64_t most_images, bool *is_loaded,
                 struct index_range *ranges)
{
    bool is_last = true;
    for (size_t i = 0; i < program->count; i++) {
        const struct loop_instruction *instruction = &program->instructions[i];
        if (instruction->op == LOOP_LOCAL || instruction->op == LOOP_SHARED)
            is_loaded[i] = false;
        else if (instruction->op == LOOP_LOAD_LOCAL || instruction->op == LOOP_STORE_LOCAL)
            is_last &= visit_local(program, instruction, is_loaded, ranges);
        if (instruction->op == LOOP_LOAD_LOCAL)
            ranges[i] = ranges[instruction->a];
        else if (instruction->type.scalar == LOOP_INT && instruction->op != LOOP_LOCAL)
            ranges[i] = range_value(program, instruction, most_images, ranges);
    }
    return is_last;
}

void index_ranges(const struct loop_program *program, int64_t most_images,
                  struct index_range *out_ranges)
{
    struct arena scratch = {0};
    bool *is_loaded = ARENA_ARRAY(&scratch, bool, program->count + 1);
    for (size_t i = 0; i < program->count; i++)
        out_ranges[i] = program->instructions[i].op == LOOP_LOCAL ? NOTHING : ANY;
    while (!walk(program, most_images, is_loaded, out_ranges))
        continue;
    arena_release(&scratch);
}

bool index_range_is_narrow(struct index_range range)
{
    return range.low >= INT32_MIN + LOOP_SLACK && range.high <= INT32_MAX - LOOP_SLACK;
}
