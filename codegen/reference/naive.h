/* The naive schedule: plain scalar loops, straight from the definitions in compiler/kernel.h.
 * It applies to every kernel of the processor, and is what other schedules are checked against. */
#ifndef CODEGEN_REFERENCE_NAIVE_H
#define CODEGEN_REFERENCE_NAIVE_H

#include "codegen/nest.h"
#include "codegen/schedule.h"

extern const struct schedule naive_schedule;

/* One an anchor, but that naive_convolution has the data gradient too; each sets the program's
 * tasks and appends the body of one. */
void naive_pointwise(const struct kernel *kernel, struct loop_program *program);
void naive_channel_sum(const struct kernel *kernel, struct loop_program *program);
void naive_vector(const struct kernel *kernel, struct loop_program *program);
void naive_convolution(const struct kernel *kernel, struct loop_program *program);
void naive_weight_gradient(const struct kernel *kernel, struct loop_program *program);
void naive_transpose(const struct kernel *kernel, struct loop_program *program);
void naive_max_pool(const struct kernel *kernel, struct loop_program *program);
void naive_max_pool_gradient(const struct kernel *kernel, struct loop_program *program);
void naive_average_pool(const struct kernel *kernel, struct loop_program *program);
void naive_average_pool_gradient(const struct kernel *kernel, struct loop_program *program);
void naive_softmax_loss(const struct kernel *kernel, struct loop_program *program);
void naive_group_sum(const struct kernel *kernel, struct loop_program *program);
void naive_point_sum(const struct kernel *kernel, struct loop_program *program);
void naive_join(const struct kernel *kernel, struct loop_program *program);
void naive_rows(const struct kernel *kernel, struct loop_program *program);

/* Stores element `index` of a TRANSPOSE's result: of window position w, an output of its group and
 * an input; zero where the inputs are padded. */
void naive_transpose_element(const struct kernel *kernel, struct loop_program *program,
                             loop_value w, loop_value output, loop_value input, loop_value index);

/* Adds x dy over the points of the task's images to `sum`, a local: for the element (w, input,
 * output) of a WEIGHT_GRADIENT's result, where the channel `input` is one of all groups. */
void naive_weight_products(const struct kernel *kernel, struct loop_program *program,
                           const struct task_range *range, const struct position *w,
                           loop_value input, loop_value output, loop_value sum);

#endif
