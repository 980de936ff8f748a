/* Drives a fuzz target without libFuzzer: mutates its seeds, always in the same way.
 *
 * A child tries the inputs in memory shared with its parent, which writes the one that ended the
 * child to PROGRAM.input; PROGRAM FILE... tries files alone. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
    INPUT_CAPACITY = 1 << 16,
    MUTATIONS = 6, /* the most in one input */
};

struct input {
    size_t size;
    char bytes[INPUT_CAPACITY];
};

/* Marsaglia's xorshift64*. */
static uint32_t draw(uint64_t *state, uint32_t limit)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 0x2545f4914f6cdd1d) >> 32) % limit;
}

static void change_byte(struct input *input, uint64_t *state)
{
    input->bytes[draw(state, (uint32_t)input->size)] = (char)draw(state, 256);
}

static void remove_piece(struct input *input, uint64_t *state)
{
    size_t at = draw(state, (uint32_t)input->size);
    size_t length = 1 + draw(state, 32);
    if (length > input->size - at)
        length = input->size - at;
    memmove(input->bytes + at, input->bytes + at + length, input->size - at - length);
    input->size -= length;
}

static void repeat_piece(struct input *input, uint64_t *state)
{
    char piece[32];
    size_t from = draw(state, (uint32_t)input->size), to = draw(state, (uint32_t)input->size);
    size_t length = 1 + draw(state, sizeof piece);
    if (length > input->size - from)
        length = input->size - from;
    if (length > INPUT_CAPACITY - input->size)
        return;
    memcpy(piece, input->bytes + from, length);
    memmove(input->bytes + to + length, input->bytes + to, input->size - to);
    memcpy(input->bytes + to, piece, length);
    input->size += length;
}

/* Digits are where sizes, depths and counts are. */
static void change_digit(struct input *input, uint64_t *state)
{
    size_t start = draw(state, (uint32_t)input->size);
    for (size_t i = start; i < input->size; i++) {
        if (input->bytes[i] >= '0' && input->bytes[i] <= '9') {
            input->bytes[i] = (char)('0' + draw(state, 10));
            return;
        }
    }
}

static void mutate(struct input *input, uint64_t *state)
{
    static void (*const ways[])(struct input *, uint64_t *) = {
        change_byte, remove_piece, repeat_piece, repeat_piece, change_digit,
    };
    for (uint32_t i = draw(state, MUTATIONS) + 1; i > 0 && input->size > 0; i--)
        ways[draw(state, sizeof ways / sizeof *ways)](input, state);
}

static bool read_input(const char *path, struct input *input)
{
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return false;
    input->size = fread(input->bytes, 1, sizeof input->bytes, stream);
    return fclose(stream) == 0;
}

static bool write_input(const char *path, const struct input *input)
{
    FILE *stream = fopen(path, "wb");
    if (!stream)
        return false;
    size_t written = fwrite(input->bytes, 1, input->size, stream);
    return fclose(stream) == 0 && written == input->size;
}

/* On the heap and of exactly that size, so that a sanitizer sees a read beyond the end. */
static void try_input(const struct input *input)
{
    uint8_t *copy = malloc(input->size + (input->size == 0));
    if (!copy)
        abort();
    memcpy(copy, input->bytes, input->size);
    LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

static int try_files(char **paths, struct input *input)
{
    for (; *paths; paths++) {
        if (!read_input(*paths, input)) {
            perror(*paths);
            return 1;
        }
        try_input(input);
    }
    return 0;
}

static int try_mutations(struct input *input)
{
    int seeds = 0;
    while ((input->size = fuzz_seed(seeds, input->bytes, INPUT_CAPACITY)) > 0) {
        try_input(input);
        seeds++;
    }
    if (seeds == 0) {
        fputs("no seeds to mutate\n", stderr);
        return 1;
    }
    for (int run = 0; run < fuzz_runs; run++) {
        uint64_t state = 0x9e3779b97f4a7c15 * (uint64_t)(run + 1);
        input->size = fuzz_seed((int)draw(&state, (uint32_t)seeds), input->bytes, INPUT_CAPACITY);
        mutate(input, &state);
        try_input(input);
    }
    printf("%d inputs made of %d seeds\n", fuzz_runs, seeds);
    return 0;
}

/* Lets a child try the mutations, and keeps the input that it ended with. */
static int watch_mutations(const char *program, struct input *input)
{
    char path[4096];
    int state;
    pid_t child = fork();
    if (child == 0)
        exit(try_mutations(input));
    if (child < 0 || waitpid(child, &state, 0) < 0) {
        perror(program);
        return 1;
    }
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return 0;
    snprintf(path, sizeof path, "%s.input", program);
    if (write_input(path, input))
        fprintf(stderr, "repeat with: %s %s\n", program, path);
    return 1;
}

int main(int argc, char **argv)
{
    struct input *input = mmap(NULL, sizeof *input, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (input == MAP_FAILED) {
        perror(argv[0]);
        return 1;
    }
    return argc > 1 ? try_files(argv + 1, input) : watch_mutations(argv[0], input);
}
