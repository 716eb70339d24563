/* SPDX-License-Identifier: ISC */
/*
 * runner: several runs of commands at a time (run.h), and one place to wait:
 * for the first of them that ends, for signals, for a descriptor, for a time.
 *
 * Signals: between runner_new() and runner_free() SIGTERM, SIGINT and SIGHUP
 * are held back and told by runner_wait(), unless they are ignored; SIGPIPE is
 * ignored. The commands have them as they were. SIGCHLD is not ignored, even
 * if it was: nobody would know how a command ended.
 *
 * One thread. Times are io_now() nanoseconds. Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_RUNNER_H
#define HOOKSPOOL_RUNNER_H

#include <signal.h>
#include <stdint.h>

#include "run.h"

/* Signals that ask a program to end. */
static const int runner_ends[] = {SIGTERM, SIGINT, SIGHUP};

struct runner;

struct runner *runner_new(unsigned jobs); /* at most so many at a time; NULL with errno, logged */
void runner_free(struct runner *runner);  /* kills what still runs */

/* 0; or -1 with errno, not logged: the command was not run. Borrows all but the struct itself. */
int runner_start(struct runner *runner, const struct run_job *job);

/* Asks all that run to end: SIGTERM; those that have been asked before get SIGKILL. */
void runner_stop(struct runner *runner);

unsigned runner_running(const struct runner *runner);

enum runner_event {
    RUNNER_ENDED,    /* a command: *result is set */
    RUNNER_SIGNAL,   /* somebody wants us to end; told once a signal, and before what came of it */
    RUNNER_READY,    /* extra_fd can be read */
    RUNNER_DEADLINE, /* the time has come */
    RUNNER_FAILED    /* a system call; logged */
};

/*
 * Works for all that run and returns with the first event. extra_fd: -1 for none; deadline: 0 for
 * none. With nothing running, no extra_fd and no deadline it still waits for a signal.
 */
enum runner_event runner_wait(struct runner *runner, int extra_fd, int64_t deadline,
                              struct run_result *result);

#endif
