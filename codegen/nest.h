/* Pieces of loop nests that every schedule needs: the images of a task, the points of a grid, the
 * positions of a window and where they fall. Each `open` returns how many bodies it opened, for
 * nest_close; axes of extent 1 open none. */
#ifndef CODEGEN_NEST_H
#define CODEGEN_NEST_H

#include <stdbool.h>

#include "codegen/expression.h"
#include "codegen/loop.h"
#include "compiler/kernel.h"

enum {
    VECTOR_LANES = 16, /* channels in a vector of a vectorized schedule */
};

/* A point of a grid, or a position in a window. */
struct position {
    loop_value at[GRID_RANK];
    loop_value index; /* row-major */
};

/* A condition that may be known to hold. */
struct condition {
    bool is_open; /* else it always holds, and `value` is unused */
    loop_value value;
};

/* The images and the part that this task works on; program's tasks must be set. */
struct task_range {
    loop_value part;       /* in [0, tasks_per_group) */
    loop_value first, end; /* images; with images_per_task = 1, `first` is the image */
};

struct task_range nest_task(struct loop_program *program);

/* Opens a loop over the task's images (none for images_per_task 1); sets *out_image. */
int nest_open_images(struct loop_program *program, const struct task_range *range,
                     loop_value *out_image);

/* A task's images and points, for kernels that treat the points of in_grid each alone. */
struct nest_parts {
    struct task_range range;
    loop_value first, end; /* points */
};

/* Sets the program's tasks to about `task_bytes` of a tensor of in_channels: several images each,
 * or several of an image. */
struct nest_parts nest_parts(const struct kernel *kernel, struct loop_program *program,
                             int64_t task_bytes);

/* Opens loops over extents, in row-major order. */
int nest_open(struct loop_program *program, const int32_t extents[GRID_RANK],
              struct position *out_position);

/* Opens a body where the condition holds; returns 0 without a body where it always does. */
int nest_open_if(struct loop_program *program, struct condition condition);
void nest_close(struct loop_program *program, int bodies);

/* Adds `value` to the conditions that must all hold. */
void condition_and(struct loop_program *program, struct condition *condition, loop_value value);

/* What is done to `lanes` channels from `channel` on. */
typedef void nest_body(const void *closure, loop_value channel, int lanes);

/* Does it to the first `count` channels: vectors of VECTOR_LANES in a loop, then halves, quarters
 * and so on of one. */
void nest_channels(struct loop_program *program, int32_t count, nest_body *body,
                   const void *closure);

/* The row-major index of a point. */
loop_value nest_index(struct loop_program *program, const int32_t extents[GRID_RANK],
                      const loop_value at[GRID_RANK]);

/* Where position w of the window at q falls in `grid`: q stride - padding + w dilation; the
 * condition is that it is inside. `windows` is the grid of q. */
struct condition window_input(struct loop_program *program, const struct window *window,
                              const int32_t grid[GRID_RANK], const int32_t windows[GRID_RANK],
                              const struct position *q, const struct position *w,
                              struct position *out_point);

/* The window q whose position w is the point p: (p + padding - w dilation) / stride; the condition
 * is that there is one in the grid `windows`. */
struct condition window_output(struct loop_program *program, const struct window *window,
                               const int32_t windows[GRID_RANK], const struct position *p,
                               const struct position *w, struct position *out_window);

/* The point of in_grid that position w of the window reads for the result at point q of out_grid:
 * window_input in a convolution, window_output in a data gradient. */
struct condition window_source(struct loop_program *program, const struct kernel *kernel,
                               const struct position *q, const struct position *w,
                               struct position *out_point);

/* As kernel_weight_column, of a variable column. */
struct weight_column {
    loop_value first;  /* the element of row 0 */
    loop_value stride; /* from one row to the next */
};
struct weight_column nest_weight_column(const struct kernel *kernel, struct loop_program *program,
                                        bool transposed, loop_value column);

/* The element of a column in row `row`. */
loop_value nest_weight_row(struct loop_program *program, const struct weight_column *column,
                           loop_value row);

/* Constants and shorthands on values of 32-bit floats. */
loop_value nest_zero(struct loop_program *program, int lanes);
loop_value nest_load_one(struct loop_program *program, loop_value local, int lanes);
void nest_store_one(struct loop_program *program, loop_value local, loop_value value);
/* Adds a b to the `lanes` sums of a local, rounded once. */
void nest_add_product(struct loop_program *program, loop_value local, loop_value a, loop_value b,
                      int lanes);

/* The same for vectors of a tile in registers: adds factor columns[v] to each of `vectors` vectors
 * from vector `slot` on, which the local is accessed at as a constant. */
void nest_add_products(struct loop_program *program, loop_value local, int slot, loop_value factor,
                       const loop_value *columns, int vectors);

/* The place of channel `channel` on x's side: in_grid and in_channels. */
struct place place_in(const struct kernel *kernel, loop_value image, loop_value point,
                      loop_value channel, int lanes);
/* The place on the side of out_grid and out_channels. */
struct place place_out(const struct kernel *kernel, loop_value image, loop_value point,
                       loop_value channel, int lanes);

/* The index of an element in an activation: ((image * points) + point) * stride + channel. */
loop_value activation_index(struct loop_program *program, loop_value image, int64_t points,
                            loop_value point, int64_t channels, loop_value channel);

/* A convolution's or data gradient's sums of products at `place`, as its epilogue (if any) makes
 * them its result. */
loop_value epilogue_value(const struct kernel *kernel, struct loop_program *program,
                          struct place place, loop_value sums);

/* Whether value `root` is nothing but an element of a tensor at its own point; sets its
 * parameter. */
bool expression_is_plain_load(const struct kernel *kernel, uint16_t root, uint32_t *out_parameter);

/* Whether `root` has a leaf with one of the accesses in `mask` (1 << access). */
bool expression_has_access(const struct kernel *kernel, uint16_t root, unsigned mask);

#endif
