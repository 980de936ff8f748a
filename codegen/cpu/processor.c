/* Processors by name, and this one. See processor.h. */
#include "codegen/cpu/processor.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <string.h>

#include "base/text.h"
#include "codegen/cpu/lower_llvm.h"

/* What llvm::StringRef is in the C++ ABI. */
struct string_reference {
    const char *data;
    size_t size;
};

/* llvm::X86::parseArchX86: LLVM's own list of processors. The C interface does not offer it, and
 * an unknown name, or one without 64 bits, would otherwise be ignored or end the process. */
int llvm_parse_arch_x86(struct string_reference name,
                        bool only_64_bit) __asm__("_ZN4llvm3X8612parseArchX86ENS_9StringRefEb");

/* An llvm::SmallVector of string references; it would only grow beyond the places that it has. */
enum { MOST_FEATURES = 1024 };
struct string_references {
    struct string_reference *items;
    uint32_t count, capacity;
    struct string_reference places[MOST_FEATURES];
};

/* llvm::X86::getFeaturesForCPU: the instruction sets of a processor, which the C interface does not
 * offer either. */
void llvm_features_for_cpu(struct string_reference name, struct string_references *features,
                           bool need_plus) __asm__("_ZN4llvm3X8617getFeaturesForCPUENS_"
                                                   "9StringRefERNS_15SmallVectorImplIS1_EEb");

static bool cpu_is_known(const char *triple, const char *cpu)
{
    const struct string_reference name = {cpu, strlen(cpu)};
    return strncmp(triple, "x86_64", 6) == 0 && llvm_parse_arch_x86(name, true) != 0;
}

void processor_release(struct processor *processor)
{
    LLVMDisposeMessage(processor->triple);
    if (processor->is_host) {
        LLVMDisposeMessage(processor->name);
        LLVMDisposeMessage(processor->features);
    }
}

struct status processor_find(const char *cpu, struct processor *processor)
{
    static char no_features[] = "";
    char *message = NULL;
    *processor = (struct processor){.triple = LLVMGetDefaultTargetTriple(),
                                    .is_host = strcmp(cpu, "native") == 0};
    if (processor->is_host) {
        processor->name = LLVMGetHostCPUName();
        processor->features = LLVMGetHostCPUFeatures();
    } else {
        processor->name = (char *)cpu;
        processor->features = no_features;
    }
    if (!processor->is_host && !cpu_is_known(processor->triple, cpu))
        return status_error(STATUS_INVALID,
                            "'%s' is no processor that code can be generated for; known are "
                            "native, x86-64-v2, x86-64-v3, x86-64-v4 and LLVM's names",
                            cpu);
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    if (!LLVMGetTargetFromTriple(processor->triple, &processor->target, &message))
        return status_ok();
    const struct status status =
        status_error(STATUS_INVALID, "no code can be generated for this machine: %s", message);
    LLVMDisposeMessage(message);
    return status;
}

/* "+sse2,-avx512f,..." to what has a plus. */
static void add_host_features(struct text_builder *text, const char *features)
{
    while (*features) {
        const size_t length = strcspn(features, ",");
        if (*features == '+')
            text_add(text, "%s%.*s", text->length > 0 ? " " : "", (int)length - 1, features + 1);
        features += length + (features[length] == ',');
    }
}

static const char *processor_features(struct arena *arena, const struct processor *processor)
{
    struct text_builder text = {.arena = arena};
    if (processor->is_host) {
        add_host_features(&text, processor->features);
        return text_result(&text);
    }
    struct string_references *found = ARENA_NEW(arena, struct string_references);
    found->items = found->places;
    found->capacity = MOST_FEATURES;
    llvm_features_for_cpu((struct string_reference){processor->name, strlen(processor->name)},
                          found, false);
    for (uint32_t i = 0; i < found->count; i++)
        text_add(&text, "%s%.*s", i > 0 ? " " : "", (int)found->items[i].size,
                 found->items[i].data);
    return text_result(&text);
}

struct status cpu_features(struct arena *arena, const char *cpu, const char **out_features)
{
    struct processor processor;
    struct status status = processor_find(cpu, &processor);
    if (status_is_ok(&status))
        *out_features = processor_features(arena, &processor);
    processor_release(&processor);
    return status;
}
