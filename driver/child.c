/* Starting and watching a program. See child.h. */
#include "driver/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/interrupt.h"

enum { CANNOT_RUN = 127, MOMENT = 100 * 1000 * 1000 /* nanoseconds */, LONGEST_WORDS = 8192 };

/* Between fork and exec: nothing but system calls. */
static void become(pid_t parent, char *const *arguments, int log)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
        execv(arguments[0], arguments);
    _exit(CANNOT_RUN);
}

struct status child_start(struct child *child, char *const *arguments, const char *log)
{
    const int descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const pid_t self = getpid();

    *child = (struct child){.path = arguments[0], .log = log};
    if (descriptor < 0)
        return status_error(STATUS_IO, "can't write %s: %s", log, strerror(errno));
    child->log_begin = lseek(descriptor, 0, SEEK_END);
    child->process = fork();
    if (child->process == 0)
        become(self, arguments, descriptor);
    const int error = errno;
    close(descriptor);
    if (child->process < 0)
        return status_error(STATUS_IO, "can't run %s: %s", arguments[0], strerror(error));
    setpgid(child->process, child->process);
    return status_ok();
}

bool child_wait(struct child *child, int *out_status)
{
    int state;
    const struct timespec moment = {0, MOMENT};

    if (interrupt_requested() && !child->is_asked) {
        child->is_asked = true;
        kill(child->process, SIGTERM);
    }
    if (waitpid(child->process, &state, WNOHANG) != child->process) {
        nanosleep(&moment, NULL);
        return false;
    }
    *out_status = WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
    return true;
}

const char *child_last_words(struct arena *arena, const struct child *child)
{
    char words[LONGEST_WORDS + 1];
    FILE *stream = fopen(child->log, "re");
    size_t size = 0;

    if (!stream)
        return "";
    if (fseeko(stream, -(off_t)LONGEST_WORDS, SEEK_END) != 0 || ftello(stream) < child->log_begin)
        fseeko(stream, child->log_begin, SEEK_SET);
    size = fread(words, 1, LONGEST_WORDS, stream);
    fclose(stream);
    while (size > 0 && words[size - 1] == '\n')
        size--;
    words[size] = '\0';
    const char *line = strrchr(words, '\n') ? strrchr(words, '\n') + 1 : words;
    const size_t own = strlen(child->path);
    if (strncmp(line, child->path, own) == 0 && strncmp(line + own, ": ", 2) == 0)
        line += own + 2;
    return arena_copy_text(arena, line, strlen(line));
}
