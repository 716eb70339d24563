/* SPDX-License-Identifier: ISC */
/*
 * summary: what a closed segment holds, so that who looks at a spool need not
 * read it: by pieces of about a megabyte how many events of which types, and
 * from when to when they arrived; and which ids it may hold.
 *
 * It is made while the lines of its segment pass by, each once and in order;
 * sumfile.h keeps it in a file. Of the lines only those count as events that
 * prove themselves; blanked ones count as nothing.
 *
 * Memory: bounded, whatever a segment holds: 255 types, the rest are counted
 * together under the name "". Times are Unix seconds, 0 for one that cannot
 * be read. One thread. Errors: -1 with errno, not logged.
 */
#ifndef HOOKSPOOL_SUMMARY_H
#define HOOKSPOOL_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "idset.h"
#include "segment.h"
#include "types.h"

enum {
    SUMMARY_TYPES = 255,
    SUMMARY_PIECE = 1 << 20 /* bytes; a piece ends with the line that reaches this */
};

/* Events of one type. */
struct summary_row {
    uint32_t type, events;
    uint64_t bytes;
};

struct summary_type {
    char name[EVENT_TYPE_MAX + 8];
    uint64_t events, bytes;
};

struct summary_piece {
    uint64_t from, to;
    int64_t first, last; /* when its events arrived; first > last: it has none */
    uint32_t events, damaged;
    uint32_t row, rows;  /* its part of summary.rows */
};

struct summary {
    uint64_t from, to; /* of the log: the whole segment */
    uint64_t events, bytes;
    int64_t first, last;
    uint64_t damaged; /* lines that neither prove themselves nor are blank, or a lost end */
    struct summary_type *types;
    struct summary_piece *pieces;
    struct summary_row *rows;
    uint32_t type_count, piece_count, row_count;
    struct idset ids;
};

void summary_release(struct summary *summary);

struct summary_maker {
    struct summary summary; /* complete after summary_end(): then it may be taken out */
    struct types types;
    uint64_t seen; /* where the last line ends */
    uint32_t piece_room, row_room;
    uint32_t row_of[SUMMARY_TYPES + 1]; /* in the piece at hand, plus one */
};

int summary_begin(struct summary_maker *maker, uint64_t from, uint64_t to);
int summary_add(struct summary_maker *maker, const struct segment_line *line);
int summary_end(struct summary_maker *maker);
/* In place of the end, or when the summary was taken out. */
void summary_abandon(struct summary_maker *maker);

/* The same by reading the segment; what fails is logged. */
int summary_make(struct summary *summary, int dir, const char *path, uint64_t from, uint64_t to);

#endif
