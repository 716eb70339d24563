/* SPDX-License-Identifier: ISC */
/*
 * commit: group commit. Lines that arrive together share one write and one
 * fdatasync.
 *
 * The first thread to find nobody at it leads: it takes all that is queued,
 * writes and syncs it, passes the lead to the first of those who came
 * meanwhile, and tells each of its batch what came of it. Threads of one
 * process only; between processes eventlog.h has the lock.
 *
 * A line is in one of three places: queued (can be withdrawn), taken (its
 * result will be known when the leader is through; nobody can hurry that) or
 * done. Late is a line that was taken and not done at the deadline: its owner
 * may answer, but must keep the line, the entry and the claim on its id until
 * commit_wait() returned.
 *
 * Crash: nothing here outlives the process. Errors: errno, logged below.
 */
#ifndef HOOKSPOOL_COMMIT_H
#define HOOKSPOOL_COMMIT_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eventlog.h"

struct commit;

struct commit *commit_new(struct eventlog *log); /* log is borrowed; NULL: ENOMEM */
void commit_free(struct commit *commit);

enum commit_result {
    COMMIT_DURABLE,
    COMMIT_ABSENT, /* errno says why; nothing of the line is in the log */
    COMMIT_UNSURE, /* the line may or may not be in the log: a sync or a cut failed */
    COMMIT_LATE
};

enum commit_call { COMMIT_NO_CALL, COMMIT_LEAD, COMMIT_DONE };

/* One line on its way; initialised and used by commit_line(), owned by the caller. */
struct commit_entry {
    const char *line;
    size_t len;
    struct commit_entry *next;
    enum commit_result result;
    int error;
    bool taken;                    /* by a leader; under the queue's mutex */
    _Atomic enum commit_call call; /* why it is woken */
    sem_t woken;
};

/* Returns when the line's fate is known, or at the deadline (io_now()) unless it leads. */
enum commit_result commit_line(struct commit *commit, struct commit_entry *entry, const char *line,
                               size_t len, int64_t deadline);

/* After COMMIT_LATE: waits until the fate is known. */
enum commit_result commit_wait(struct commit_entry *entry);

/* True once after each time a segment was closed: somebody ought to settle it. */
bool commit_rotated(struct commit *commit);

#endif
