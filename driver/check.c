/* rnet check: everything but code, every diagnostic. */
#include "driver/commands.h"
#include "driver/front.h"

int command_check(struct arena *arena, const struct options *options, char **argv)
{
    struct front front;

    (void)argv;
    if (!front_run(arena, options, &front))
        return 1;
    front_finish(&front);
    return 0;
}
