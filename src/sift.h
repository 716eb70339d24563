/* SPDX-License-Identifier: ISC */
/*
 * sift: the events of a log that a filter takes. What summaries (sumfile.h)
 * show to hold none of them, by time, type or id, is not read; where one is
 * missing it is made, if it can be kept.
 *
 * Damaged lines are never passed over, but for blanked ones, so a segment or
 * a piece that holds one is read.
 *
 * One thread. Errors: -1 with errno, logged here. The spool and the filter
 * are borrowed.
 */
#ifndef HOOKSPOOL_SIFT_H
#define HOOKSPOOL_SIFT_H

#include <stddef.h>
#include <stdint.h>

#include "filter.h"
#include "segment.h"
#include "spool.h"

struct sift;

struct sift *sift_new(const struct spool *spool, const struct filter *filter);
void sift_free(struct sift *sift);

/* Goes to a position where a line starts. */
int sift_seek(struct sift *sift, uint64_t position);
/* Goes to where the last `count` of the events of [begin, end) begin. */
int sift_seek_last(struct sift *sift, uint64_t begin, uint64_t end, uint64_t count);

/*
 * The next event that is taken, or damage, that ends at or before `to`: 1; 0: none; -1. Later
 * calls with a greater `to` go on from there.
 */
int sift_next(struct sift *sift, uint64_t to, struct segment_line *line);

/* The file of the last line: see reader_descriptor(). */
int sift_descriptor(const struct sift *sift, uint64_t *start);

#endif
