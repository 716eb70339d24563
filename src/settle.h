/* SPDX-License-Identifier: ISC */
/*
 * settle: makes log and lock directory agree: every id that stands in the log
 * has its entry, durable, up to a position that is written down as settled.
 *
 * An id that was forgotten (forgotten.h) gets none for the lines before that.
 *
 * Crash: settled moves last, so what was done is done again. Threads: any.
 * Errors: -1 with errno, logged here or below unless noted.
 */
#ifndef HOOKSPOOL_SETTLE_H
#define HOOKSPOOL_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "eventlog.h"
#include "lockdir.h"
#include "segment.h"

enum { SETTLE_ID = 256 /* more than any id that delivery.h lets pass */ };

/* The id of a line as a string: false when the line has none that we could have written. */
bool settle_id(char id[SETTLE_ID], const struct segment_line *line);

/* After a repair, alone: all before `to`, which is durable. */
int settle_alone(struct eventlog *log, struct lockdir *locks, uint64_t from, uint64_t to);

/*
 * Beside others: from where it is settled up to `to`, which is durable; ids are claimed, and live
 * writers waited for. EAGAIN, not logged: another was at it until the deadline (io_now()), or an
 * id was not let go in time.
 */
int settle_beside(struct eventlog *log, struct lockdir *locks, uint64_t to, int64_t deadline);

/*
 * Under the claim of an id that is pending, so that its writer died: does the log hold its line
 * after all? Then makes that durable: 1, 0, -1. Step 4 of the protocol.
 */
int settle_pending(struct eventlog *log, struct lockdir *locks, const char *id);

/*
 * Likewise, for those who do not want to store it: what the dead writer left becomes an entry, 1,
 * or nothing, 0; -1.
 */
int settle_conclude(struct eventlog *log, struct lockdir *locks, const char *id);

#endif
