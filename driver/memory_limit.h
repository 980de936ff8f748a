/* --memory-limit: saying what stands in the way of one. */
#ifndef DRIVER_MEMORY_LIMIT_H
#define DRIVER_MEMORY_LIMIT_H

#include "base/status.h"
#include "compiler/pass.h"

/* After all passes: an error where training needs more memory than the limit even with as much as
 * can be computed again. It names the least, and what that is made of. */
struct status memory_limit_check(const struct compilation *compilation);

#endif
