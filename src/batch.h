/* SPDX-License-Identifier: ISC */
/*
 * batch: the events that one run of a command is offered, as pieces of files
 * that are fed to it as they stand: lines of segments, or events kept in
 * retry.ndjson. No event is held in memory.
 *
 * A batch of the log is an extent [from, to) of it. What stands in there and
 * is not offered belongs to it all the same: blanked and damaged lines, and
 * what a filter does not take. So batches tile the log, and a batch that is
 * done moves the cursor over all of it.
 *
 * The descriptors of the pieces are the batch's own. One thread.
 * Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_BATCH_H
#define HOOKSPOOL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "feed.h"
#include "filter.h"
#include "reader.h"
#include "retry.h"
#include "when.h"

/* What is known of the first event; what a batch of one tells its command. */
struct batch_event {
    uint64_t position;
    char id[FAILURE_ID + 1];
    char type[FAILURE_TYPE + 1];
    char time[WHEN_SIZE];
    char received[WHEN_SIZE];
};

struct batch {
    uint64_t from, to; /* of the log */
    size_t count;      /* events */
    uint64_t bytes;    /* that will be fed */
    struct batch_event first;
    struct feed_piece *pieces;
    size_t piece_count, piece_room;
};

/* Damage that was met: each is named once, in an error message. */
struct batch_damage {
    uint64_t count;
    uint64_t told; /* what begins before this position was named */
};

/*
 * At most `most` events that the filter takes out of [from, to). The batch ends behind the last of
 * them; with fewer it ends at `to`, or, behind 64 MiB that the filter does not take, there.
 */
int batch_read(struct batch *batch, struct reader *reader, const struct filter *filter,
               uint64_t from, uint64_t to, size_t most, struct batch_damage *damage);

/* These failed events. */
int batch_retry(struct batch *batch, const struct retry *retry, const struct retry_entry *entries,
                size_t count);

/* What is said of the first event, out of its record. */
void batch_describe(struct batch_event *event, const struct record_view *view, uint64_t position);

/* Empties it for the next one. */
void batch_clear(struct batch *batch);
void batch_release(struct batch *batch);

#endif
