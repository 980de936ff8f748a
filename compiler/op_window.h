/* Windows over a grid: what convolutions and pools share. */
#ifndef COMPILER_OP_WINDOW_H
#define COMPILER_OP_WINDOW_H

#include "compiler/op.h"

/* Where the window's parts stand among a layer's arguments; -1: it has no such argument. */
struct window_arguments {
    int kernel, stride, padding, dilation;
    bool stride_is_kernel; /* a stride that is not given is the kernel's size (pools), else 1 */
};

/* Fills call->attributes.window for the input's axes and the grid of call->output. Sets the call's
 * error and returns false where a list has the wrong length, or nothing is left of the grid. */
bool window_read(struct layer_call *call, const struct window_arguments *places);

/* The window that covers a whole grid. */
struct window window_over(const int32_t grid[GRID_RANK]);

/* The 1 x 1 window. */
struct window window_point(void);

int64_t window_size(const struct window *window);

/* Reports `error` about argument `culprit` (-1: the layer as a whole). */
void layer_fail(struct layer_call *call, enum diagnostic_code code, int culprit,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
