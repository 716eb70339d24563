/* SPDX-License-Identifier: ISC */
/* Commands that behave, and all those that do not: real processes, fed from real files. */
#include "autoconf.h"

#include "runner.h"

#include <signal.h>
#include <sys/wait.h>

#include "tap.h"
#include "temp.h"

enum { BIG = 5 * 1024 * 1024 };

#define MS INT64_C(1000000)

static struct temp temp;
static struct runner *runner;
static char *const nothing[] = {NULL};

/* A shell's script as a command. */
struct job {
    struct run_job job;
    char *argv[4];
};

static struct run_job *make(struct job *made, const char *script)
{
    *made = (struct job){.argv = {(char *)"sh", (char *)"-c", (char *)script, NULL}};
    made->job = (struct run_job){.program = "/bin/sh", .argv = made->argv, .environment = nothing,
                                 .timeout = 60000 * MS, .context = made};
    return &made->job;
}

static void begin(unsigned jobs)
{
    temp_make(&temp);
    runner = runner_new(jobs);
    if (runner == NULL)
        temp_die("runner");
}

static void end(void)
{
    runner_free(runner);
    if (fchdir(temp_top.dir) < 0)
        temp_die("chdir");
    temp_drop(&temp);
}

static struct run_result wait_end(void)
{
    struct run_result result = {0};
    const enum runner_event event = runner_wait(runner, -1, temp_deadline(), &result);

    if (event != RUNNER_ENDED)
        ok(false, "a command ends: event %d", (int)event);
    return result;
}

static struct run_result run(const struct run_job *job)
{
    if (runner_start(runner, job) < 0)
        temp_die("start");
    return wait_end();
}

static bool exited(const struct run_result *result, int code)
{
    return WIFEXITED(result->status) && WEXITSTATUS(result->status) == code;
}

static bool signalled(const struct run_result *result, int sig)
{
    return WIFSIGNALED(result->status) && WTERMSIG(result->status) == sig;
}

/* A file of so many bytes, for input. */
static int big_file(size_t len)
{
    char *bytes = malloc(len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i % 24 == 23 ? '\n' : 'a' + (int)(i % 24));
    temp_put(temp.dir, "input", bytes, len);
    free(bytes);
    return openat(temp.dir, "input", O_RDONLY | O_CLOEXEC);
}

static void feeds(void)
{
    struct job job;

    begin(1);
    const int fd = big_file(BIG);
    const struct feed_piece pieces[] = {
        {.fd = fd, .offset = 1, .len = 3, .newline = true},
        {.fd = fd, .offset = 4, .len = 0, .newline = true},
        {.fd = fd, .offset = 24, .len = 2, .newline = false}};
    make(&job, "cat")->pieces = pieces;
    job.job.piece_count = COUNT(pieces);
    job.job.output_limit = 100;
    struct run_result result = run(&job.job);
    ok(exited(&result, 0) && result.context == &job && !result.timed_out && result.error == 0,
       "a command that does what it should");
    is_str(result.output, "bcd\n\nab", "gets the pieces in their order");
    is_int(result.output_len, 7, "and what it prints is kept");
    free(result.output);

    const struct feed_piece whole = {.fd = fd, .offset = 0, .len = BIG};
    make(&job, "cksum; cksum <'input'")->pieces = &whole;
    job.job.piece_count = 1;
    job.job.output_limit = 100;
    if (fchdir(temp.dir) < 0)
        temp_die("chdir");
    result = run(&job.job);
    size_t half = 0, other = 0;
    ok(sscanf(result.output, "%zu %*s %zu", &half, &other) == 2 && half == other && half != 0,
       "5 MiB come as they are");
    free(result.output);

    static const struct {
        const char *what, *script;
        int code;
    } careless[] = {{"that reads nothing", "exit 0", 0},
                    {"that reads a line and ends", "read line; exit 4", 4},
                    {"that closes its input and goes on", "exec <&-; sleep 0.05; exit 5", 5},
                    {"that reads slowly", "sleep 0.05; cat >/dev/null; exit 6", 6}};
    for (size_t i = 0; i < COUNT(careless); i++) {
        make(&job, careless[i].script)->pieces = &whole;
        job.job.piece_count = 1;
        result = run(&job.job);
        ok(exited(&result, careless[i].code) && result.error == 0, "a command %s",
           careless[i].what);
    }

    const struct feed_piece beyond = {.fd = fd, .offset = BIG - 10, .len = 20};
    make(&job, "cat >/dev/null")->pieces = &beyond;
    job.job.piece_count = 1;
    result = run(&job.job);
    is_int(result.error, EIO, "a file that is too short is our fault, and told");
    close(fd);
    end();
}

/* ---- what it says */

static void says(void)
{
    struct job job;
    struct stat before, after;

    begin(1);
    struct run_result result = run(make(&job, "echo one >&2; echo two >&2; exit 3"));
    ok(exited(&result, 3), "a command that fails");
    is_mem(result.stderr_text, result.stderr_len, "one\ntwo\n", 8, "says why");
    is_int(temp_said("two"), 1, "and we pass it on");

    (void)fstat(temp_top.messages, &before);
    result = run(make(&job, "head -c 3000000 /dev/zero | tr '\\0' x >&2"));
    (void)fstat(temp_top.messages, &after);
    ok(exited(&result, 0) && result.stderr_len == RUN_STDERR, "of megabytes the beginning is kept");
    is_int(after.st_size - before.st_size, 3000000, "and all is passed on");

    make(&job, "echo 12345678")->output_limit = 9;
    result = run(&job.job);
    ok(!result.output_over && strcmp(result.output, "12345678\n") == 0, "as much as allowed");
    free(result.output);
    make(&job, "echo 123456789; sleep 0.02; yes | head -100000")->output_limit = 9;
    result = run(&job.job);
    ok(result.output_over, "more than allowed");
    free(result.output);
    make(&job, "printf 'a\\0b'")->output_limit = 9;
    result = run(&job.job);
    is_mem(result.output, result.output_len, "a\0b", 3, "bytes are kept as they are");
    free(result.output);
    make(&job, "exit 0")->output_limit = 9;
    result = run(&job.job);
    is_int(result.output_len, 0, "nothing is nothing");
    free(result.output);
    end();
}

static void leaves_behind(void)
{
    struct job job;

    begin(1);
    const int64_t start = io_now();
    make(&job, "sleep 30 & echo $!")->output_limit = 100;
    struct run_result result = run(&job.job);
    ok(exited(&result, 0) && io_now() - start < 10000 * MS, "what it leaves is not waited for");
    const pid_t left = (pid_t)atoi(result.output);
    ok(left > 0 && kill(left, 0) == 0, "nor is it ended");
    (void)kill(left, SIGKILL);
    free(result.output);

    /* It goes on talking when the command has ended, faster than we can write it. */
    const int file = openat(temp.dir, "said", O_WRONLY | O_CREAT | O_SYNC | O_CLOEXEC, 0600);
    const int old = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    make(&job, "yes >&2 & sleep 0.05; echo $!")->output_limit = 100;
    result = run(&job.job);
    ok(exited(&result, 0) && io_now() - start < 20000 * MS, "even if it never stops talking");
    (void)kill((pid_t)atoi(result.output), SIGKILL);
    free(result.output);
    make(&job, "yes >&2")->timeout = 50 * MS;
    result = run(&job.job);
    ok(result.timed_out && io_now() - start < 30000 * MS, "a command that does so is timed out");
    dup2(old, STDERR_FILENO);
    close(old);
    close(file);
    end();
}

/* ---- time */

/* Is a process gone, or but a zombie that nobody waits for? */
static bool is_gone(pid_t pid)
{
    char path[64], text[256] = "";

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    const bool found = file != NULL && fgets(text, sizeof(text), file) != NULL;
    if (file != NULL)
        fclose(file);
    return !found || strstr(text, ") Z ") != NULL;
}

static void times_out(void)
{
    struct job job;

    begin(2);
    make(&job, "sleep 100")->timeout = 30 * MS;
    struct run_result result = run(&job.job);
    ok(result.timed_out && signalled(&result, SIGTERM), "a command that takes too long: SIGTERM");
    make(&job, "trap 'exit 0' TERM; sleep 100 & wait")->timeout = 30 * MS;
    result = run(&job.job);
    ok(result.timed_out && exited(&result, 0), "it may end well, and was too late");
    make(&job, "trap '' TERM; while :; do sleep 0.01; done")->timeout = 30 * MS;
    job.job.grace = 30 * MS;
    result = run(&job.job);
    ok(result.timed_out && signalled(&result, SIGKILL), "if it does not listen: SIGKILL");

    make(&job, "sh -c \"trap 'echo child; exit' TERM; sleep 100 & wait\" & "
               "trap : TERM; wait; wait")->timeout = 200 * MS;
    job.job.output_limit = 100;
    result = run(&job.job);
    is_str(result.output, "child\n", "SIGTERM is for its children, too");
    free(result.output);
    make(&job, "sh -c \"trap '' TERM; echo \\$\\$; while :; do sleep 0.01; done\" & "
               "trap 'exit 1' TERM; wait")->timeout = 200 * MS;
    job.job.grace = 30 * MS;
    job.job.output_limit = 100;
    result = run(&job.job);
    const pid_t child = (pid_t)atoi(result.output);
    free(result.output);
    const int64_t deadline = temp_deadline();
    while (child > 0 && !is_gone(child) && io_now() < deadline)
        temp_pause();
    ok(child > 0 && is_gone(child), "its children go with it, if they listen or not");

    struct job other;
    make(&job, "sleep 0.1; exit 2")->timeout = 0;
    make(&other, "sleep 100")->timeout = 20 * MS;
    if (runner_start(runner, &job.job) < 0 || runner_start(runner, &other.job) < 0)
        temp_die("start");
    is_int(runner_running(runner), 2, "two at a time");
    result = wait_end();
    ok(result.context == &other && result.timed_out, "one is timed out");
    result = wait_end();
    ok(result.context == &job && !result.timed_out && exited(&result, 2), "the other is not");
    end();
}

static void waits(void)
{
    struct run_result result;
    struct job job;
    int pair[2];

    begin(1);
    is_int(runner_wait(runner, -1, io_now() - 1, &result), RUNNER_DEADLINE, "a time that is past");
    is_int(runner_wait(runner, -1, io_now() + 20 * MS, &result), RUNNER_DEADLINE, "that comes");
    if (pipe(pair) < 0)
        temp_die("pipe");
    is_int(runner_wait(runner, pair[0], io_now() + 20 * MS, &result), RUNNER_DEADLINE, "nothing");
    if (write(pair[1], "x", 1) != 1)
        temp_die("write");
    is_int(runner_wait(runner, pair[0], temp_deadline(), &result), RUNNER_READY, "a descriptor");
    if (runner_start(runner, make(&job, "sleep 100")) < 0)
        temp_die("start");
    is_int(runner_wait(runner, pair[0], 0, &result), RUNNER_READY, "while a command runs");
    close(pair[0]);
    close(pair[1]);
    runner_free(runner); /* kills it */
    ok(waitpid(-1, NULL, 0) < 0 && errno == ECHILD, "no child is left");
    runner = NULL;
    end();
}

/* ---- signals */

static void stops(void)
{
    struct run_result result;
    struct job job, stubborn;

    begin(2);
    (void)raise(SIGTERM);
    is_int(runner_wait(runner, -1, 0, &result), RUNNER_SIGNAL, "a signal is told");
    is_int(runner_wait(runner, -1, io_now(), &result), RUNNER_DEADLINE, "once");
    make(&job, "sleep 100");
    make(&stubborn, "trap '' TERM; echo ready; while :; do sleep 0.01; done")->output_limit = 99;
    if (runner_start(runner, &job.job) < 0 || runner_start(runner, &stubborn.job) < 0)
        temp_die("start");
    (void)raise(SIGINT);
    is_int(runner_wait(runner, -1, 0, &result), RUNNER_SIGNAL, "another, while commands run");
    is_int(runner_wait(runner, -1, io_now() + 200 * MS, &result), RUNNER_DEADLINE, "they go on");
    runner_stop(runner);
    result = wait_end();
    ok(result.context == &job && result.stopped && !result.timed_out
           && signalled(&result, SIGTERM), "until they are stopped");
    runner_stop(runner);
    result = wait_end();
    ok(result.context == &stubborn && result.stopped && signalled(&result, SIGKILL),
       "a second time at once");
    free(result.output);

    /* When both are to be told, the signal comes first. */
    siginfo_t info;
    if (runner_start(runner, make(&job, "kill -TERM $$")) < 0
        || waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
        temp_die("start");
    (void)raise(SIGTERM);
    is_int(runner_wait(runner, -1, 0, &result), RUNNER_SIGNAL, "a signal");
    result = wait_end();
    ok(signalled(&result, SIGTERM), "and then what it did to a command");
    end();
    (void)signal(SIGTERM, SIG_IGN);
    begin(1);
    (void)raise(SIGTERM);
    is_int(runner_wait(runner, -1, io_now() + 10 * MS, &result), RUNNER_DEADLINE,
           "a signal that was ignored is ignored");
    end();
    (void)signal(SIGTERM, SIG_DFL);
}

static void dispositions(void)
{
    struct sigaction action;
    sigset_t mask;
    struct job job;

    (void)signal(SIGCHLD, SIG_IGN);
    begin(1);
    struct run_result result = run(make(&job, "exit 9"));
    ok(exited(&result, 9) && result.error == 0, "SIGCHLD was ignored: the status is known");
    make(&job, "grep -E '^Sig(Blk|Ign):' /proc/self/status; ps -o pgid= -p $$; echo $$");
    job.job.output_limit = 999;
    result = run(&job.job);
    int pgid = 0, pid = 1;
    char blocked[32] = "", ignored[32] = "";
    ok(sscanf(result.output, "SigBlk: %31s SigIgn: %31s %d %d", blocked, ignored, &pgid, &pid) == 4
           && strtoull(blocked, NULL, 16) == 0
           && (strtoull(ignored, NULL, 16) & 0x7fffffff) == 0, /* the C library has two beyond */
       "the command has no signal held back or ignored");
    is_int(pgid, pid, "and is a process group of its own");
    free(result.output);
    end();
    (void)sigaction(SIGCHLD, NULL, &action);
    ok(action.sa_handler == SIG_IGN, "SIGCHLD is ignored again");
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigaction(SIGPIPE, NULL, &action);
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    ok(action.sa_handler == SIG_DFL && !sigismember(&mask, SIGTERM), "all is as it was");
}

/* ---- starting */

static void starts(void)
{
    static char id[] = "HOOKSPOOL_ID=new", *variables[] = {id, NULL};
    struct job job;

    begin(2);
    (void)setenv("HOOKSPOOL_ID", "old", 1);
    (void)setenv("HOOKSPOOL_ATTEMPT", "7", 1);
    (void)setenv("HOOKSPOOL_CONF", "/etc/x", 1);
    make(&job, "echo $HOOKSPOOL_ID,$HOOKSPOOL_ATTEMPT,$HOOKSPOOL_CONF")->environment = variables;
    job.job.output_limit = 99;
    struct run_result result = run(&job.job);
    is_str(result.output, "new,,/etc/x\n", "the environment is the job's, over ours");
    free(result.output);

    const int before = temp_descriptors();
    char *large = malloc(3 * 1024 * 1024), *too_large[] = {large, NULL};
    memset(large, 'x', 3 * 1024 * 1024);
    memcpy(large, "HOOKSPOOL_X=", 12);
    large[3 * 1024 * 1024 - 1] = '\0';
    make(&job, "exit 0")->environment = too_large;
    is_int(runner_start(runner, &job.job), -1, "an environment that is too large");
    is_int(errno, E2BIG, "cannot be had");
    free(large);
    static const struct {
        const char *program;
        int error;
    } none[] = {{"/nowhere/to/be/found", ENOENT}, {"/", EACCES}, {"input", ENOEXEC}};
    temp_put(temp.dir, "input", "echo no first line\n", 19);
    if (fchmodat(temp.dir, "input", 0755, 0) < 0 || fchdir(temp.dir) < 0)
        temp_die("script");
    for (size_t i = 0; i < COUNT(none); i++) {
        make(&job, "exit 0")->program = none[i].program;
        ok(runner_start(runner, &job.job) == -1 && errno == none[i].error, "%s cannot be run: %s",
           none[i].program, strerror(none[i].error));
    }
    is_int(runner_running(runner), 0, "none of them runs");
    is_int(temp_descriptors(), before, "and no descriptor is left open");
    result = run(make(&job, "exit 1"));
    ok(exited(&result, 1), "others can be run");
    is_int(temp_descriptors(), before, "and leave none either");
    end();
}

static void many(void)
{
    enum { JOBS = 64, RUNS = 200 };
    struct job jobs[JOBS];
    int seen[JOBS] = {0}, started = 0, ended = 0, wrong = 0;

    begin(JOBS);
    const int fd = big_file(200 * 1000);
    const struct feed_piece piece = {.fd = fd, .offset = 0, .len = 200 * 1000};
    for (int i = 0; i < JOBS; i++) {
        make(&jobs[i], "wc -c")->pieces = &piece;
        jobs[i].job.piece_count = 1;
        jobs[i].job.output_limit = 99;
        if (runner_start(runner, &jobs[i].job) < 0)
            temp_die("start");
        started++;
    }
    is_int(runner_running(runner), JOBS, "64 at a time");
    while (ended < RUNS) {
        struct run_result result = wait_end();
        struct job *job = result.context;
        seen[job - jobs]++;
        wrong += !exited(&result, 0) || atoi(result.output) != 200 * 1000;
        free(result.output);
        ended++;
        if (started < RUNS && runner_start(runner, &job->job) == 0)
            started++;
    }
    int least = RUNS;
    for (int i = 0; i < JOBS; i++)
        least = seen[i] < least ? seen[i] : least;
    ok(wrong == 0 && least > 0 && runner_running(runner) == 0, "each gets all, and ends once");
    close(fd);
    end();
}

int main(void)
{
    temp_start();
    feeds();
    says();
    leaves_behind();
    times_out();
    waits();
    stops();
    dispositions();
    starts();
    many();
    return done_testing();
}
