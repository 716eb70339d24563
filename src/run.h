/* SPDX-License-Identifier: ISC */
/*
 * run: one run of a command: fed its standard input from files, the beginning
 * of what it says on standard error kept, ended when it takes too long.
 *
 * It is a process group of its own, so that a terminal's ^C is ours and a
 * timeout reaches its children: SIGTERM, and SIGKILL ten seconds later. Its
 * standard error is passed on to ours as it comes; its standard output is
 * ours, unless it is to be kept. A command need not read its input. What its
 * children do after it has ended is not waited for. However much a command
 * writes or reads, each call here comes back soon.
 *
 * The descriptors do not block: runner.h waits for them, and calls what fits.
 * One thread; SIGPIPE is ignored. Times are io_now() nanoseconds. Errors: -1
 * with errno, not logged.
 */
#ifndef HOOKSPOOL_RUN_H
#define HOOKSPOOL_RUN_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "feed.h"

enum { RUN_STDERR = 1024 + 3 /* so that a character that begins in 1 KiB is whole */ };

#define RUN_GRACE (INT64_C(10) * 1000000000)

struct run_job {
    const char *program;      /* program_find() */
    char *const *argv;        /* of the command */
    char *const *environment; /* NAME=VALUE, beside and over our own; ends with NULL */
    const struct feed_piece *pieces; /* borrowed until the run has ended */
    size_t piece_count;
    int64_t timeout;     /* nanoseconds; 0: none */
    int64_t grace;       /* from SIGTERM to SIGKILL; 0: RUN_GRACE */
    size_t output_limit; /* of what it prints, to be kept; 0: goes to our standard output */
    void *context;       /* comes back with the result */
};

struct run_result {
    void *context;
    int status;     /* wait status, as waitpid(2) has it */
    bool timed_out;
    bool stopped;   /* run_stop() */
    bool output_over; /* it printed more than output_limit */
    int error;      /* errno when it did not get all of its input, or nobody knows how it ended */
    char stderr_text[RUN_STDERR];
    size_t stderr_len;
    char *output;   /* what it printed, if it was to be kept, and a NUL; the caller frees */
    size_t output_len;
};

struct run {
    bool busy;
    struct run_job job;
    struct feed feed;
    pid_t pid;
    int pid_fd, in, out, err; /* -1: closed */
    int64_t deadline;
    bool pressed; /* it was asked to end */
    size_t output_room;
    struct run_result result;
};

/* Without descriptors: busy is false. */
void run_clear(struct run *run);

/* Starts it, with this environment and these attributes. Borrows all but the job itself. */
int run_start(struct run *run, const struct run_job *job, char **environment,
              const posix_spawnattr_t *attributes);

void run_feed(struct run *run);        /* `in` takes more */
void run_take_error(struct run *run);  /* `err` can be read */
void run_take_output(struct run *run); /* likewise `out` */
void run_late(struct run *run, int64_t now); /* the deadline has passed */
void run_stop(struct run *run, int64_t now); /* it is to end; a second time: at once */

/* It has ended: what came of it. */
void run_finish(struct run *run, struct run_result *result);
/* Ends it here and now, and forgets it. */
void run_kill(struct run *run);

#endif
