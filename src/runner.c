/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "runner.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "io.h"
#include "log.h"

enum { FDS = 4 /* that are waited for, of each run */ };

struct runner {
    struct run *runs;
    unsigned jobs, running;
    unsigned turn;         /* who is looked at first */
    struct pollfd *polled; /* FDS of each run, the signals, extra_fd */
    int signals;
    sigset_t held, mask;   /* what we hold back; what was held back before */
    struct sigaction pipe, child; /* what was done at SIGPIPE and SIGCHLD */
    posix_spawnattr_t attributes;
    char **environment;    /* our own, and room for a job's behind it */
    size_t environment_count, environment_room;
};

/* ---- a runner */

static int fail(const char *operation)
{
    const int saved = errno;

    log_error("cannot %s: %s", operation, strerror(saved));
    errno = saved;
    return -1;
}

/* Holds back the signals that ask us to end, unless they are ignored, as by nohup(1). */
static int hold_signals(struct runner *runner)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN}, normal = {.sa_handler = SIG_DFL};
    struct sigaction before;

    sigemptyset(&runner->held);
    for (size_t i = 0; i < sizeof(runner_ends) / sizeof(runner_ends[0]); i++) {
        if (sigaction(runner_ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaddset(&runner->held, runner_ends[i]);
    }
    sigprocmask(SIG_BLOCK, &runner->held, &runner->mask);
    sigaction(SIGPIPE, &ignore, &runner->pipe);
    sigaction(SIGCHLD, &normal, &runner->child);
    runner->signals = signalfd(-1, &runner->held, SFD_CLOEXEC | SFD_NONBLOCK);
    return runner->signals < 0 ? fail("watch for signals") : 0;
}

/* The commands have their signals as we had them, and a process group each. */
static void set_attributes(struct runner *runner)
{
    sigset_t reset;

    sigemptyset(&reset);
    if (runner->pipe.sa_handler == SIG_DFL)
        sigaddset(&reset, SIGPIPE);
    posix_spawnattr_init(&runner->attributes);
    posix_spawnattr_setsigdefault(&runner->attributes, &reset);
    posix_spawnattr_setsigmask(&runner->attributes, &runner->mask);
    posix_spawnattr_setpgroup(&runner->attributes, 0);
    posix_spawnattr_setflags(&runner->attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
                                                      | POSIX_SPAWN_SETPGROUP);
}

struct runner *runner_new(unsigned jobs)
{
    struct runner *runner = calloc(1, sizeof(*runner));

    if (runner == NULL) {
        (void)fail("run commands");
        return NULL;
    }
    runner->signals = -1;
    runner->jobs = jobs;
    runner->runs = calloc(jobs, sizeof(*runner->runs));
    runner->polled = calloc((size_t)jobs * FDS + 2, sizeof(*runner->polled));
    if (runner->runs == NULL || runner->polled == NULL) {
        (void)fail("run commands");
        free(runner->runs);
        free(runner->polled);
        free(runner);
        return NULL;
    }
    for (unsigned i = 0; i < jobs; i++)
        run_clear(&runner->runs[i]);
    const int held = hold_signals(runner);
    set_attributes(runner);
    if (held == 0)
        return runner;
    runner_free(runner);
    return NULL;
}

void runner_free(struct runner *runner)
{
    if (runner == NULL)
        return;
    for (unsigned i = 0; i < runner->jobs; i++) {
        if (runner->runs[i].busy)
            run_kill(&runner->runs[i]);
    }
    if (runner->signals >= 0)
        close(runner->signals);
    posix_spawnattr_destroy(&runner->attributes);
    sigaction(SIGPIPE, &runner->pipe, NULL);
    sigaction(SIGCHLD, &runner->child, NULL);
    sigprocmask(SIG_SETMASK, &runner->mask, NULL);
    free(runner->environment);
    free(runner->polled);
    free(runner->runs);
    free(runner);
}

unsigned runner_running(const struct runner *runner)
{
    return runner->running;
}

/* ---- starting a command */

/* What a drain above us, say, was told of an event; but where the configuration is, is for all. */
static bool is_ours(const char *variable)
{
    static const char prefix[] = "HOOKSPOOL_", kept[] = "HOOKSPOOL_CONF=";

    return strncmp(variable, prefix, sizeof(prefix) - 1) == 0
        && strncmp(variable, kept, sizeof(kept) - 1) != 0;
}

/* Our environment, with the job's variables in place of those of such names. */
static char **make_environment(struct runner *runner, char *const *variables)
{
    size_t own = 0, theirs = 0, count = 0;

    while (environ[own] != NULL)
        own++;
    while (variables[theirs] != NULL)
        theirs++;
    if (runner->environment_room < own + theirs + 1) {
        const size_t room = own + theirs + 16;
        char **grown = reallocarray(runner->environment, room, sizeof(*grown));
        if (grown == NULL)
            return NULL;
        runner->environment = grown;
        runner->environment_room = room;
    }
    for (size_t i = 0; i < own; i++) {
        if (!is_ours(environ[i]))
            runner->environment[count++] = environ[i];
    }
    for (size_t i = 0; i <= theirs; i++)
        runner->environment[count++] = variables[i];
    return runner->environment;
}

int runner_start(struct runner *runner, const struct run_job *job)
{
    char **environment = make_environment(runner, job->environment);
    struct run *run = runner->runs;

    if (environment == NULL)
        return -1;
    while (run->busy)
        run++;
    if (run_start(run, job, environment, &runner->attributes) < 0)
        return -1;
    runner->running++;
    return 0;
}

void runner_stop(struct runner *runner)
{
    for (unsigned i = 0; i < runner->jobs; i++) {
        if (runner->runs[i].busy)
            run_stop(&runner->runs[i], io_now());
    }
}

/* ---- waiting */

/* What is to be waited for; a negative descriptor is not. */
static nfds_t collect(struct runner *runner, int extra_fd, int64_t *deadline)
{
    struct pollfd *polled = runner->polled;

    *polled++ = (struct pollfd){.fd = runner->signals, .events = POLLIN};
    *polled++ = (struct pollfd){.fd = extra_fd, .events = POLLIN};
    for (unsigned i = 0; i < runner->jobs; i++) {
        const struct run *run = &runner->runs[i];
        if (!run->busy)
            continue;
        *polled++ = (struct pollfd){.fd = run->pid_fd, .events = POLLIN};
        *polled++ = (struct pollfd){.fd = run->in, .events = POLLOUT};
        *polled++ = (struct pollfd){.fd = run->err, .events = POLLIN};
        *polled++ = (struct pollfd){.fd = run->out, .events = POLLIN};
        if (run->deadline < *deadline)
            *deadline = run->deadline;
    }
    return (nfds_t)(polled - runner->polled);
}

/* Does what there is to do for the runs; one that has ended, each in its turn, or NULL. */
static struct run *attend(struct runner *runner)
{
    const struct pollfd *polled = runner->polled + 2;
    const int64_t now = io_now();
    struct run *ended = NULL;
    unsigned least = UINT_MAX; /* how far from the turn */

    for (unsigned i = 0; i < runner->jobs; i++) {
        struct run *run = &runner->runs[i];
        if (!run->busy)
            continue;
        if (polled[1].revents != 0)
            run_feed(run);
        if (polled[2].revents != 0)
            run_take_error(run);
        if (polled[3].revents != 0)
            run_take_output(run);
        const unsigned distance = (i + runner->jobs - runner->turn) % runner->jobs;
        if (polled[0].revents == 0 && run->deadline <= now)
            run_late(run, now);
        if (polled[0].revents != 0 && distance < least) {
            ended = run;
            least = distance;
        }
        polled += FDS;
    }
    return ended;
}

enum runner_event runner_wait(struct runner *runner, int extra_fd, int64_t deadline,
                              struct run_result *result)
{
    const int64_t until = deadline == 0 ? INT64_MAX : deadline;

    for (;;) {
        int64_t first = until;
        const nfds_t count = collect(runner, extra_fd, &first);
        const int64_t wait = first == INT64_MAX ? 0 : first - io_now();
        const struct timespec time = {.tv_sec = wait > 0 ? wait / 1000000000 : 0,
                                      .tv_nsec = wait > 0 ? wait % 1000000000 : 0};
        if (ppoll(runner->polled, count, first == INT64_MAX ? NULL : &time, NULL) < 0
            && errno != EINTR) {
            (void)fail("wait for commands");
            return RUNNER_FAILED;
        }
        struct run *ended = attend(runner);
        if (runner->polled[0].revents != 0) {
            struct signalfd_siginfo info;
            if (read(runner->signals, &info, sizeof(info)) == sizeof(info))
                return RUNNER_SIGNAL;
        }
        if (ended != NULL) {
            run_finish(ended, result);
            runner->turn = (unsigned)(ended - runner->runs + 1) % runner->jobs;
            runner->running--;
            return RUNNER_ENDED;
        }
        if (runner->polled[1].revents != 0)
            return RUNNER_READY;
        if (io_now() >= until)
            return RUNNER_DEADLINE;
    }
}
