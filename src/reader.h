/* SPDX-License-Identifier: ISC */
/*
 * reader: the lines of a log one after the other, as far as the caller says.
 *
 * It follows the log across segments and can go on when more was appended:
 * reader_next() returns 0 at `to`, and a later call with a greater `to` goes
 * on there. A line that does not prove itself is reported as damaged, never
 * skipped in silence. Bytes behind the last newline are no line yet; in a
 * segment that has a successor they are damage. What no file holds that should
 * is told by reader_missing().
 *
 * Memory: one buffer of 256 KiB, more only for a line that is longer.
 * One thread a reader. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_READER_H
#define HOOKSPOOL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment.h"

struct reader;

/* dir and path (for messages) are borrowed. NULL: ENOMEM. */
struct reader *reader_new(int dir, const char *path);
void reader_free(struct reader *reader);

/* Goes to a position where a line starts; below the first segment: to its start. 0 or -1. */
int reader_seek(struct reader *reader, uint64_t position);

/* Where the next line begins. */
uint64_t reader_position(const struct reader *reader);

/*
 * The next line that ends at or before `to`: 1; 0: none; -1. Its text points into the buffer and
 * is gone with the next call. Behind a gap (a segment that was removed) it goes on at the next one.
 */
int reader_next(struct reader *reader, uint64_t to, struct segment_line *line);

/* How many bytes before the position, since this was last asked, stand in no file. */
uint64_t reader_missing(struct reader *reader);

/* The file that the last line stands in, and the position of its first byte; borrowed. */
int reader_descriptor(const struct reader *reader, uint64_t *start);

/* Is the line nothing but blanks, where damage was moved aside? */
bool reader_blank(const struct segment_line *line);

#endif
