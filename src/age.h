/* SPDX-License-Identifier: ISC */
/*
 * age: how old what a log holds is, by a time that can be relied upon.
 *
 * A clock that has jumped ahead must not expire anything. What is certain is
 * the newest event of the log: it was taken in because the time that its sender
 * signed was, within the tolerance, ours as well. So it is no later than that,
 * as far as this module goes, unless the kernel says that a time server keeps
 * the clock (adjtimex(2); setting the clock by hand takes that back). Nothing
 * expires in a spool where nothing arrives, on a machine whose clock nobody
 * keeps; nor does anything grow there.
 *
 * Only reads. Times are Unix seconds. Any thread. Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_AGE_H
#define HOOKSPOOL_AGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When the newest event of the segment that begins at start, and ends for us at end, arrived: that
 * of its last line that proves itself. 1; 0: it has none; -1.
 */
int age_newest(int dir, const char *path, uint64_t start, uint64_t end, int64_t *received);

/*
 * The time for a log that is durable up to `end`: never later than the clock. *held is true when it
 * is earlier, since only the newest event vouches for it; INT64_MIN when nothing does.
 */
int age_now(int dir, const char *path, uint64_t end, int64_t *now, bool *held);

#endif
