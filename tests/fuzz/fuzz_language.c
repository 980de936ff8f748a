/* Any text gives a network or diagnostics: lexer, parser and elaboration return, whatever they
 * meet. The seeds are the shipped files and the tests' networks. */
#define _GNU_SOURCE
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/elaborate.h"
#include "tests/fuzz/fuzz.h"

const int fuzz_runs = 1500;

static const char *source_folder(void)
{
    const char *folder = getenv("RNET_SOURCE_DIR");
    return folder ? folder : ".";
}

static size_t read_seed(const char *path, char *bytes, size_t capacity)
{
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return 0;
    size_t size = fread(bytes, 1, capacity, stream);
    fclose(stream);
    return size;
}

size_t fuzz_seed(int number, char *bytes, size_t capacity)
{
    static const char *const patterns[] = {"stdlib/*.rnet", "examples/*/*.rnet",
                                           "tests/golden/*/*.rnet"};
    glob_t found = {0};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char pattern[4096];
        snprintf(pattern, sizeof pattern, "%s/%s", source_folder(), patterns[i]);
        glob(pattern, i > 0 ? GLOB_APPEND : 0, NULL, &found);
    }
    size_t size = 0;
    if ((size_t)number < found.gl_pathc)
        size = read_seed(found.gl_pathv[number], bytes, capacity);
    globfree(&found);
    return size;
}

static void elaborate_file(const char *path)
{
    struct arena arena = {0};
    struct source_set sources;
    struct diagnostics diagnostics;
    struct elaboration elaboration = {0};
    source_set_init(&sources, &arena);
    vector_push(&sources.include_paths, &arena,
                arena_format(&arena, "%s/stdlib", source_folder()));
    diagnostics_init(&diagnostics, &arena, &sources);
    bool ok = elaborate(&arena, &sources, &diagnostics, path, &(struct elaborate_options){0},
                        &elaboration);
    if (ok == diagnostics_failed(&diagnostics))
        abort();
    arena_release(&arena);
}

/* `elaborate` takes a path, so the text becomes a file without a name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("fuzz.rnet", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    elaborate_file(path);
    close(file);
    return 0;
}
