/* Where each buffer of the workspace lies: two buffers may share memory when no call needs both. */
#ifndef COMPILER_MEMORY_H
#define COMPILER_MEMORY_H

#include "compiler/lower.h"

/* The bytes that a buffer takes in the workspace; 0 if it lies elsewhere. */
uint64_t memory_size(const struct buffer *buffer);

/* Sets the offsets of all workspace buffers that some call uses, and the calls' chains (chain.h),
 * which count as one call each; returns the bytes that the buffers need together. Deterministic; near linear in the number of calls. */
uint64_t memory_plan(struct calls *calls);

/* Checks that no two buffers that live at the same time overlap, and that none reaches beyond
 * `bytes`. NULL, or what is wrong (in the calls' arena). */
const char *memory_check(const struct calls *calls, uint64_t bytes);

#endif
