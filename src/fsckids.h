/* SPDX-License-Identifier: ISC */
/*
 * fsckids: fsck of the lock directory against the log: that the ids of the log
 * have their entries, that none stands there twice, and what entries there are
 * beside those.
 *
 * With a store open missing entries are made again, each under the claim of its
 * id, beside writers.
 *
 * An id may be without an entry when it was forgotten, or has expired
 * (locks/expired); in the unsettled tail it may not have it yet.
 *
 * Memory: idtable.h. One thread. Errors are logged; audit->status.
 */
#ifndef HOOKSPOOL_FSCKIDS_H
#define HOOKSPOOL_FSCKIDS_H

#include "idtable.h"
#include "segment.h"
#include "audit.h"

struct fsckids {
    struct audit *audit;
    struct idtable table;
    bool first;             /* round */
    bool entered;           /* entries were made, and are to be synced */
    int claims;             /* locks/claims; -1: not open */
    int64_t oldest, newest; /* days of the log; oldest is 0 without an event */
};

bool fsckids_begin(struct fsckids *ids, struct audit *audit);
void fsckids_end(struct fsckids *ids);

/* A line of the log: for fscklog_run(). */
int fsckids_line(void *context, const struct segment_line *line);
/* After all lines: what stands there twice, and entries without a line. */
void fsckids_round(struct fsckids *ids);
/* Another round? Then all lines are to be gone over once more, and for nothing else. */
bool fsckids_next(struct fsckids *ids);

#endif
