/* Running libcheck tests as a program: `return run_suite("text", tests, countof(tests));` */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>
#include <stddef.h>

enum { SLOWEST = 60 }; /* seconds for one test, under a sanitizer */

/* Runs a case's tests; returns the program's exit status: 0 if all passed. */
static inline int run_case(const char *name, TCase *cases)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

/* The same for a list of tests. */
static inline int run_suite(const char *name, const TTest *const *tests, size_t count)
{
    TCase *cases = tcase_create(name);

    tcase_set_timeout(cases, SLOWEST);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, tests[i]);
    return run_case(name, cases);
}

#endif
