/* SPDX-License-Identifier: ISC */
/*
 * segment: the files of a log as a reader sees them.
 *
 * A segment is named by the position (byte offset in the whole log) of its
 * first byte, 20 decimal digits and ".ndjson", so that names sort as the log
 * runs. It ends where the next one begins: what its file holds beyond that
 * was given up after a failed sync and is no part of the log.
 *
 * Only reads. A line that does not prove itself (record.h) is reported as
 * damaged, never skipped in silence; bytes behind the last newline are no
 * line yet. Memory: one line and a read buffer, whatever the log's size.
 * Errors: -1 with errno, logged here, where the file is known.
 */
#ifndef HOOKSPOOL_SEGMENT_H
#define HOOKSPOOL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

enum { SEGMENT_NAME_SIZE = 20 + sizeof(".ndjson") };

void segment_name(char name[SEGMENT_NAME_SIZE], uint64_t start);

/* The starts of all segments in a directory, ascending; free with segment_list_release(). */
struct segment_list {
    uint64_t *starts;
    size_t count;
};

int segment_list_read(struct segment_list *list, int dir, const char *path);
void segment_list_release(struct segment_list *list);

/*
 * A line met by a scan; text points into the scan's buffer. Damage may end
 * without a newline: before a whole line, or after more than any record holds.
 */
struct segment_line {
    uint64_t position;
    const char *text;
    size_t len;
    bool damaged; /* then view is not set */
    struct record_view view;
};

/* Return 0 to go on; a positive value stops the scan, which returns it. */
typedef int segment_visit(void *context, const struct segment_line *line);

/* Visits every line from position `from`, where a line starts, up to position `to`. */
int segment_scan(int dir, const char *path, uint64_t from, uint64_t to, segment_visit *visit,
                 void *context);

/* Finds the line of an id in [from, to): 1 and its extent [*start, *end), 0, or -1. */
int segment_find(int dir, const char *path, uint64_t from, uint64_t to, const char *id,
                 uint64_t *start, uint64_t *end);

/* Where the last line of [from, to) ends that proves itself; from, if none does. 0, or -1. */
int segment_whole(int dir, const char *path, uint64_t from, uint64_t to, uint64_t *end);

/* May a line begin at this position, as far as the byte before it tells? 1, 0, -1. */
int segment_boundary(int dir, const char *path, uint64_t position);

/* The start of the segment that holds this position: 0, or -1 (ENOENT: none). */
int segment_holding(int dir, const char *path, uint64_t position, uint64_t *start);

#endif
