/* SPDX-License-Identifier: ISC */
/*
 * fscklog: fsck of the log: that its segments follow one another, that every
 * line proves itself, and what is said of the log in locks/settled and
 * log/state. With a store open, damage is moved aside (aside.h): only what is
 * durable, and under the appenders' lock, so that it is nobody's to write.
 *
 * Positions never move. One thread. Errors are logged; audit->status.
 */
#ifndef HOOKSPOOL_FSCKLOG_H
#define HOOKSPOOL_FSCKLOG_H

#include "segment.h"
#include "audit.h"

/* Goes over all of it; every line that proves itself is visited, in order (0: go on). */
void fscklog_run(struct audit *audit, segment_visit *visit, void *context);

/* Files of the log directory that are none of ours, and those that ought to be files. */
void fscklog_names(struct audit *audit);

/* Does log/state fit the segments? Asked before the spool is opened. */
bool fscklog_state(struct audit *audit);

#endif
