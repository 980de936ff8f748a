/* A library to preload: the n-th call of one kind fails.
 *
 *     FAULT_CALL    malloc, open, read, write, fsync or rename
 *     FAULT_AT      which call fails, from 1; 0: none
 *     FAULT_STAYS   set: every later one fails too, as on a disk that is full
 *     FAULT_COUNT   a file that takes the number of calls when the program ends
 *
 * Allocations are overridden by name. System calls are caught where they enter the kernel, so that
 * those which libc makes for stdio count as well: a seccomp filter turns them into SIGSYS, and the
 * handler makes the call itself, from the one place that the filter lets through. x86-64 only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static const struct {
    const char *name;
    int numbers[2]; /* of the system calls that count; 0: none */
    int error;
} calls[] = {
    {"malloc", {0, 0}, ENOMEM},
    {"open", {SYS_openat, SYS_open}, EMFILE},
    {"read", {SYS_read, SYS_pread64}, EIO},
    {"write", {SYS_write, SYS_writev}, ENOSPC},
    {"fsync", {SYS_fsync, SYS_fdatasync}, EIO},
    {"rename", {SYS_rename, SYS_renameat}, EACCES},
};

static int chosen = -1;
static long fail_at;
static bool stays;
static atomic_long count;

static bool fails_now(void)
{
    long number = atomic_fetch_add(&count, 1) + 1;
    return number == fail_at || (stays && fail_at > 0 && number > fail_at);
}

/* ---- allocations ---- */

static bool allocation_fails(void)
{
    if (chosen != 0 || !fails_now())
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return allocation_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t items, size_t size)
{
    return allocation_fails() ? NULL : __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size)
{
    return allocation_fails() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return allocation_fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (allocation_fails())
        return ENOMEM;
    *out = __libc_memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

/* ---- system calls ---- */

/* (number, a, b, c, d, e, f): the instruction before fault_call_end is the one let through. */
long fault_call(long number, long a, long b, long c, long d, long e, long f);
extern const char fault_call_end[];
__asm__(".text\n.globl fault_call\n.globl fault_call_end\n"
        "fault_call:\n"
        "    mov %rdi, %rax\n    mov %rsi, %rdi\n    mov %rdx, %rsi\n    mov %rcx, %rdx\n"
        "    mov %r8, %r10\n    mov %r9, %r8\n    mov 8(%rsp), %r9\n"
        "    syscall\n"
        "fault_call_end:\n"
        "    ret\n");

static void call_caught(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)number;
    if (fails_now())
        registers[REG_RAX] = -calls[chosen].error;
    else
        registers[REG_RAX] =
            fault_call(info->si_syscall, registers[REG_RDI], registers[REG_RSI],
                       registers[REG_RDX], registers[REG_R10], registers[REG_R8],
                       registers[REG_R9]);
}

static bool filter_install(const int numbers[2])
{
    const uint64_t allowed = (uint64_t)(uintptr_t)fault_call_end;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[0], 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[1], 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, instruction_pointer) + sizeof(uint32_t)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(allowed >> 32), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    struct sigaction action = {.sa_sigaction = call_caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
    return sigaction(SIGSYS, &action, NULL) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- begin and end ---- */

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FAULT_CALL"), *at = getenv("FAULT_AT");
    if (name == NULL)
        return;
    fail_at = at != NULL ? atol(at) : 0;
    stays = getenv("FAULT_STAYS") != NULL;
    for (int i = 0; i < (int)(sizeof calls / sizeof *calls); i++)
        if (strcmp(calls[i].name, name) == 0)
            chosen = i;
    if (chosen > 0 && !filter_install(calls[chosen].numbers)) {
        fputs("fault: no seccomp filter here\n", stderr);
        _exit(77);
    }
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAULT_COUNT");
    char text[32];
    int descriptor;
    if (chosen < 0 || path == NULL)
        return;
    snprintf(text, sizeof text, "%ld\n", atomic_load(&count));
    fail_at = 0;
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (descriptor >= 0 && write(descriptor, text, strlen(text)) > 0)
        close(descriptor);
}
