/* rnet report: what is known of a network before any code is made. */
#include "compiler/report.h"

#include "driver/commands.h"
#include "driver/front.h"
#include "driver/measure.h"

int command_report(struct arena *arena, const struct options *options, char **argv)
{
    struct front front;
    struct report *report;
    const struct status status = measure_network(arena, options, &front, &report);

    (void)argv;
    if (!status_is_ok(&status))
        return report_failure(&status);
    if (!report)
        return 1;
    if (options->json)
        printf("%s\n", report_as_json(report, arena));
    else
        report_print(report, options->layers, stdout);
    return 0;
}
