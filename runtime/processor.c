/* Instruction sets by CPUID. See processor.h. */
#include "runtime/processor.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/vector.h"

#if defined __x86_64__

#include <cpuid.h>

enum cpuid_register { EAX, EBX, ECX, EDX, REGISTERS };

/* Registers that the operating system must keep for a thread, as XGETBV tells. */
enum saved_state { ANY = 0, AVX = 0x6, AVX512 = 0xe6 };

/* Where CPUID says that there is an instruction set, by Intel's and AMD's manuals. */
struct instruction_set {
    const char *name; /* as LLVM has it */
    uint32_t leaf, subleaf;
    enum cpuid_register place;
    int bit;
    enum saved_state state;
};

enum { EXTENDED = 0x80000001 };

static const struct instruction_set sets[] = {
    {"sse3", 1, 0, ECX, 0, ANY},
    {"pclmul", 1, 0, ECX, 1, ANY},
    {"ssse3", 1, 0, ECX, 9, ANY},
    {"fma", 1, 0, ECX, 12, AVX},
    {"sse4.1", 1, 0, ECX, 19, ANY},
    {"sse4.2", 1, 0, ECX, 20, ANY},
    {"movbe", 1, 0, ECX, 22, ANY},
    {"popcnt", 1, 0, ECX, 23, ANY},
    {"aes", 1, 0, ECX, 25, ANY},
    {"avx", 1, 0, ECX, 28, AVX},
    {"f16c", 1, 0, ECX, 29, AVX},
    {"bmi", 7, 0, EBX, 3, ANY},
    {"avx2", 7, 0, EBX, 5, AVX},
    {"bmi2", 7, 0, EBX, 8, ANY},
    {"avx512f", 7, 0, EBX, 16, AVX512},
    {"avx512dq", 7, 0, EBX, 17, AVX512},
    {"adx", 7, 0, EBX, 19, ANY},
    {"avx512ifma", 7, 0, EBX, 21, AVX512},
    {"avx512cd", 7, 0, EBX, 28, AVX512},
    {"avx512bw", 7, 0, EBX, 30, AVX512},
    {"avx512vl", 7, 0, EBX, 31, AVX512},
    {"avx512vbmi", 7, 0, ECX, 1, AVX512},
    {"avx512vbmi2", 7, 0, ECX, 6, AVX512},
    {"gfni", 7, 0, ECX, 8, ANY},
    {"vaes", 7, 0, ECX, 9, AVX},
    {"vpclmulqdq", 7, 0, ECX, 10, AVX},
    {"avx512vnni", 7, 0, ECX, 11, AVX512},
    {"avx512bitalg", 7, 0, ECX, 12, AVX512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, AVX512},
    {"avx512vp2intersect", 7, 0, EDX, 8, AVX512},
    {"avx512fp16", 7, 0, EDX, 23, AVX512},
    {"avxvnni", 7, 1, EAX, 4, AVX},
    {"avx512bf16", 7, 1, EAX, 5, AVX512},
    {"avxifma", 7, 1, EAX, 23, AVX},
    {"avxvnniint8", 7, 1, EDX, 4, AVX},
    {"avxneconvert", 7, 1, EDX, 5, AVX},
    {"avxvnniint16", 7, 1, EDX, 10, AVX},
    {"egpr", 7, 1, EDX, 21, ANY},
    {"lzcnt", EXTENDED, 0, ECX, 5, ANY},
    {"sse4a", EXTENDED, 0, ECX, 6, ANY},
    {"xop", EXTENDED, 0, ECX, 11, AVX},
    {"fma4", EXTENDED, 0, ECX, 16, AVX},
    {"tbm", EXTENDED, 0, ECX, 21, ANY},
};

/* What the operating system keeps; 0 where it does not say. */
static uint32_t state_saved(void)
{
    uint32_t eax, ebx, ecx, edx;
    const uint32_t tells = 1u << 27;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & tells))
        return 0;
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

static bool set_is_there(const struct instruction_set *set)
{
    uint32_t registers[REGISTERS];
    if (!__get_cpuid_count(set->leaf, set->subleaf, &registers[EAX], &registers[EBX],
                           &registers[ECX], &registers[EDX]))
        return false;
    return (registers[set->place] >> set->bit & 1) != 0 &&
           (state_saved() & (uint32_t)set->state) == (uint32_t)set->state;
}

static bool is_there(const char *name, size_t length)
{
    for (size_t i = 0; i < countof(sets); i++)
        if (strlen(sets[i].name) == length && strncmp(sets[i].name, name, length) == 0)
            return set_is_there(&sets[i]);
    return true;
}

#else

static bool is_there(const char *name, size_t length)
{
    (void)name;
    (void)length;
    return true;
}

#endif

struct status processor_check(const char *instruction_sets)
{
    char missing[160] = "";
    size_t used = 0;
    for (const char *name = instruction_sets; name != NULL && *name != '\0';) {
        const size_t length = strcspn(name, " ");
        if (!is_there(name, length) && used < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%.*s",
                                     used > 0 ? ", " : "", (int)length, name);
        name += length + strspn(name + length, " ");
    }
    if (used == 0)
        return status_ok();
    return status_error(STATUS_INVALID,
                        "this was built for a processor with %s%s, which is not so here; `rnet "
                        "build` without --cpu makes one for this machine",
                        missing, used < sizeof missing ? "" : "...");
}
