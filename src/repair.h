/* SPDX-License-Identifier: ISC */
/*
 * repair: makes a log whole again after a crash of its processes or of the
 * machine. Runs before the first append, and only while nobody else has the
 * spool open (store.h holds the lock that says so).
 *
 * From the position `from`, a line's start, to the end of the log:
 *   bytes behind the last newline: a torn line, cut;
 *   a line that does not prove itself: its bytes are copied to
 *     log/POSITION.damaged and replaced by blanks, so that the file stays
 *     NDJSON and every position after it stays what it was;
 *   bytes behind a segment's end: given up after a failed sync, cut;
 *   what was not known to be synced: written again and synced.
 * Nothing that was answered 200 is ever torn or cut: it was covered by an
 * fdatasync, and so were all bytes before it in its segment.
 *
 * Idempotent: a crash in here is repaired by doing it again.
 * Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_REPAIR_H
#define HOOKSPOOL_REPAIR_H

#include <stdint.h>

#include "eventlog.h"

/* Returns with the log ready to be appended to, all of it durable; *end is where it ends. */
int repair_log(struct eventlog *log, uint64_t from, uint64_t *end);

#endif
