/* SPDX-License-Identifier: ISC */
/*
 * cursor: how far a consumer is: the position before which every event is
 * decided (acknowledged, or recorded as failed), and, with several jobs, the
 * extents behind it that are decided already.
 *
 * A file of two slots of CURSOR_SLOT bytes, each one line:
 *   POSITION SERIAL [FROM-TO ...] XXH3\n
 * The slot with the greatest serial that proves itself counts. One of them is
 * on stable storage at any time: the other is written, over and over, until it
 * has been synced; then they change places.
 *
 * Crash: cursor_done() is in the kernel when it returns (kill -9 loses
 * nothing) and on stable storage after cursor_sync(); a power cut in between
 * offers again what was decided since. The caller syncs retry.ndjson before
 * it moves the cursor over a failed event: duplicates over loss.
 *
 * One thread, under the consumer's lock. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_CURSOR_H
#define HOOKSPOOL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURSOR_EXTENTS = 64, CURSOR_SLOT = 4096 };

struct cursor_extent {
    uint64_t from, to;
};

struct cursor {
    int fd;
    const char *path; /* of the directory, for messages; borrowed */
    const char *name; /* borrowed */
    uint64_t position, serial;
    struct cursor_extent done[CURSOR_EXTENTS]; /* ascending, apart, behind position */
    size_t count;
    int slot;   /* that is written */
    bool dirty; /* it is not synced */
};

/* Opens it to be moved, creating it at 0. */
int cursor_open(struct cursor *cursor, int dir, const char *path, const char *name);
void cursor_close(struct cursor *cursor);

/* Only reads, for those who report: 1, 0 when there is none, -1. fd stays -1. */
int cursor_read(struct cursor *cursor, int dir, const char *path, const char *name);

/* All of [from, to) is decided. ENOBUFS, not logged: too many extents are open. */
int cursor_done(struct cursor *cursor, uint64_t from, uint64_t to);
int cursor_sync(struct cursor *cursor);

/* Is this position decided? */
bool cursor_passed(const struct cursor *cursor, uint64_t position);

/* The first extent of [*from, *to) that is not decided, put there; false: all of it is. */
bool cursor_gap(const struct cursor *cursor, uint64_t *from, uint64_t *to);
/* How many decided extents begin at or behind this position. */
size_t cursor_ahead(const struct cursor *cursor, uint64_t position);

#endif
