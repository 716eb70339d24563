/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

enum {
    PIPE_BYTES = 64 * 1024, /* what a pipe holds, unless it is told otherwise */
    PIPE_WANTED = 1024 * 1024,
    ROUNDS = 16,            /* of reads, and then others have their turn */
    LAST_ROUNDS = 64        /* more than what a pipe held when its writer ended */
};

/* ---- starting */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_run(struct run *run)
{
    close_fd(&run->pid_fd);
    close_fd(&run->in);
    close_fd(&run->out);
    close_fd(&run->err);
    run->busy = false;
}

void run_clear(struct run *run)
{
    *run = (struct run){.pid_fd = -1, .in = -1, .out = -1, .err = -1};
}

/* The command's ends of its pipes. */
struct ends {
    int in, out, err; /* out -1: ours */
};

static int make_pipes(struct run *run, struct ends *ends)
{
    int pair[2];

    if (pipe2(pair, O_CLOEXEC) < 0)
        return -1;
    ends->in = pair[0];
    run->in = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -1;
    run->err = pair[0];
    ends->err = pair[1];
    if (run->job.output_limit > 0) {
        if (pipe2(pair, O_CLOEXEC) < 0)
            return -1;
        run->out = pair[0];
        ends->out = pair[1];
        (void)fcntl(run->out, F_SETFL, O_NONBLOCK);
    }
    (void)fcntl(run->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(run->err, F_SETFL, O_NONBLOCK);
    if (feed_bytes(&run->feed) > PIPE_BYTES)
        (void)fcntl(run->in, F_SETPIPE_SZ, PIPE_WANTED);
    return 0;
}

/* Writes what the pipe takes, and closes it when nothing is to follow. */
void run_feed(struct run *run)
{
    switch (feed_write(&run->feed, run->in)) {
    case FEED_FULL:
        return;
    case FEED_FAILED:
        run->result.error = errno;
        break;
    case FEED_OVER:
    case FEED_CLOSED:
        break;
    }
    close_fd(&run->in);
}

static int spawn(struct run *run, const struct ends *ends, char **environment,
                 const posix_spawnattr_t *attributes)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, ends->in, STDIN_FILENO);
        if (error == 0 && ends->out >= 0)
            error = posix_spawn_file_actions_adddup2(&actions, ends->out, STDOUT_FILENO);
        if (error == 0)
            error = posix_spawn_file_actions_adddup2(&actions, ends->err, STDERR_FILENO);
        if (error == 0)
            error = posix_spawn(&run->pid, run->job.program, &actions, attributes,
                                run->job.argv, environment);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (error == 0) {
        run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
        if (run->pid_fd < 0) {
            error = errno;
            (void)kill(-run->pid, SIGKILL);
            (void)waitpid(run->pid, NULL, 0);
        }
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

int run_start(struct run *run, const struct run_job *job, char **environment,
              const posix_spawnattr_t *attributes)
{
    struct ends ends = {-1, -1, -1};

    run->job = *job;
    run->feed = (struct feed){.pieces = job->pieces, .count = job->piece_count};
    run->result = (struct run_result){.context = job->context};
    run->output_room = 0;
    run->pressed = false;
    run->deadline = job->timeout > 0 ? io_now() + job->timeout : INT64_MAX;
    int result = make_pipes(run, &ends);
    if (result == 0) {
        run_feed(run); /* often this is all, and the command finds it there */
        result = spawn(run, &ends, environment, attributes);
    }
    const int saved = errno;
    close_fd(&ends.in);
    close_fd(&ends.out);
    close_fd(&ends.err);
    if (result < 0)
        close_run(run);
    run->busy = result == 0;
    errno = saved;
    return result;
}

/* ---- while it runs */

/* To our standard error; where nobody listens it is lost. */
static void pass_on(const char *text, size_t len)
{
    while (len > 0) {
        const ssize_t wrote = write(STDERR_FILENO, text, len);
        if (wrote < 0 && errno != EINTR)
            return;
        text += wrote > 0 ? wrote : 0;
        len -= wrote > 0 ? (size_t)wrote : 0;
    }
}

/* Passes on what it says, and keeps the beginning. */
static void take_error(struct run *run, int rounds)
{
    struct run_result *result = &run->result;
    char text[4096];
    ssize_t got = 1;

    while (got > 0 && rounds-- > 0) {
        got = read(run->err, text, sizeof(text));
        if (got <= 0)
            break;
        size_t room = RUN_STDERR - result->stderr_len;
        if (room > (size_t)got)
            room = (size_t)got;
        memcpy(result->stderr_text + result->stderr_len, text, room);
        result->stderr_len += room;
        pass_on(text, (size_t)got);
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&run->err);
}

void run_take_error(struct run *run)
{
    take_error(run, ROUNDS);
}

static int grow_output(struct run *run)
{
    const size_t limit = run->job.output_limit + 2; /* one too many tells, and a NUL */
    size_t room = run->output_room == 0 ? 4096 : run->output_room * 2;

    if (room > limit)
        room = limit;
    char *grown = realloc(run->result.output, room);
    if (grown == NULL)
        return -1;
    run->result.output = grown;
    run->output_room = room;
    return 0;
}

/* Keeps what it prints, up to the limit. */
void run_take_output(struct run *run)
{
    struct run_result *result = &run->result;
    ssize_t got = 1;

    while (got > 0) {
        if (result->output_len + 1 >= run->output_room && grow_output(run) < 0) {
            result->output_over = true;
            break;
        }
        got = read(run->out, result->output + result->output_len,
                   run->output_room - 1 - result->output_len);
        if (got > 0)
            result->output_len += (size_t)got;
        if (result->output_len > run->job.output_limit) {
            result->output_over = true;
            break;
        }
    }
    if (result->output != NULL)
        result->output[result->output_len] = '\0';
    if (got >= 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(&run->out);
}

/* Asks its process group to end or, when it has been asked, makes it. */
static void press(struct run *run, int64_t now)
{
    (void)kill(-run->pid, run->pressed ? SIGKILL : SIGTERM);
    run->deadline = run->pressed ? INT64_MAX
                                 : now + (run->job.grace > 0 ? run->job.grace : RUN_GRACE);
    run->pressed = true;
}

void run_late(struct run *run, int64_t now)
{
    run->result.timed_out |= !run->result.stopped;
    press(run, now);
}

void run_stop(struct run *run, int64_t now)
{
    run->result.stopped |= !run->result.timed_out;
    press(run, now);
}

/* The command has ended. What it has left running is not waited for. */
void run_finish(struct run *run, struct run_result *result)
{
    pid_t pid;

    if (run->pressed)
        (void)kill(-run->pid, SIGKILL); /* what of its group did not listen */
    do
        pid = waitpid(run->pid, &run->result.status, 0);
    while (pid < 0 && errno == EINTR);
    if (pid < 0)
        run->result.error = errno;
    if (run->err >= 0)
        take_error(run, LAST_ROUNDS);
    if (run->out >= 0)
        run_take_output(run);
    *result = run->result;
    run->result.output = NULL;
    close_run(run);
}

void run_kill(struct run *run)
{
    (void)kill(-run->pid, SIGKILL);
    (void)waitpid(run->pid, NULL, 0);
    free(run->result.output);
    close_run(run);
}
