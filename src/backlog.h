/* SPDX-License-Identifier: ISC */
/*
 * backlog: the events of a log that consumers have not decided, counted for
 * several consumers in one pass.
 *
 * Closed segments are counted by their summaries (sumfile.h); a piece is read
 * only where a cursor or the end of a column of the tally lies in it. A
 * summary that is missing is made by reading its segment, and kept if it may
 * be. So the figures are those of the lines themselves.
 *
 * One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_BACKLOG_H
#define HOOKSPOOL_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#include "cursor.h"
#include "spool.h"
#include "tally.h"
#include "types.h"

struct backlog {
    const struct cursor *cursor; /* borrowed; NULL: it has decided nothing */
    struct tally tally;
};

struct backlogs {
    struct types types; /* their names */
    struct backlog *list;
    size_t count;
};

/* Sets the tallies of backlogs->list, whose cursors are set, for [begin, end) of the log. */
int backlog_count(struct backlogs *backlogs, const struct spool *spool, uint64_t begin,
                  uint64_t end, int64_t now);
void backlog_release(struct backlogs *backlogs);

#endif
