/* Chooses a schedule for a kernel and checks what it built. */
#include "codegen/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum loop_storage storage_of(enum kernel_storage storage)
{
    return storage == KERNEL_I32    ? LOOP_STORAGE_I32
           : storage == KERNEL_BF16 ? LOOP_STORAGE_BF16
                                    : LOOP_STORAGE_F32;
}

/* Declares the loop parameters: "x0" ..., "labels", "out0" .... */
static void declare_parameters(const struct kernel *kernel, struct loop_program *program)
{
    int first_output = kernel_first_output(kernel);
    for (int i = 0; i < kernel->parameter_count; i++) {
        bool is_output = i >= first_output;
        enum loop_storage storage = storage_of((enum kernel_storage)kernel->storage[i]);
        const char *name = is_output ? arena_format(program->arena, "out%d", i - first_output)
                           : storage == LOOP_STORAGE_I32 ? "labels"
                                                         : arena_format(program->arena, "x%d", i);
        loop_parameter(program, name, storage, is_output);
    }
}

static const struct schedule *find_schedule(const struct kernel *kernel,
                                            const struct target *target, const char *name)
{
    if (kernel->weight_block && !target->cuts_weights)
        return NULL;
    for (const struct schedule *const *s = target->schedules; *s; s++)
        if ((!name || strcmp((*s)->name, name) == 0) && (*s)->applies(kernel))
            return *s;
    return NULL;
}

struct loop_program *schedule_kernel(struct arena *arena, const struct kernel *kernel,
                                     const struct target *target, const char *schedule)
{
    const struct schedule *chosen = find_schedule(kernel, target, schedule);
    if (!chosen)
        return NULL;
    struct loop_program *program =
        loop_program_new(arena, kernel_name(kernel, arena), chosen->name);
    declare_parameters(kernel, program);
    chosen->build(kernel, program);
    const char *wrong = loop_check(program);
    if (wrong) {
        fprintf(stderr, "internal error: schedule %s of kernel %s: %s\n", chosen->name,
                program->name, wrong);
        abort();
    }
    return program;
}
