/* SPDX-License-Identifier: ISC */
/*
 * segfile: one segment's file, open to be written to.
 *
 * Counted, because a sync may still go on when the segment has been closed
 * and the next one opened; users is the caller's to guard. Positions are
 * those of the log. Errors: NULL or -1 with errno, logged here.
 *
 * An open file learns of failed writes only once, and only of those since it
 * was opened that nobody had been told of before (errseq in the kernel). So
 * who opens a segment in which others have written does not hear of their
 * failed syncs: the pages are clean, yet not on disk, and his own sync reports
 * success. segfile_rewrite() makes them dirty again.
 */
#ifndef HOOKSPOOL_SEGFILE_H
#define HOOKSPOOL_SEGFILE_H

#include <stdint.h>

struct segfile {
    int fd;
    uint64_t start; /* position of its first byte */
    unsigned users;
    const char *path; /* of the directory, for messages; borrowed */
};

/* Opens name in a directory as the segment that begins at start, for one user. */
struct segfile *segfile_open(int dir, const char *path, const char *name, int flags,
                             uint64_t start);

/* The next segment, empty, under the name that it has until it is one. */
#define SEGFILE_NEXT "next"
struct segfile *segfile_create(int dir, const char *path, uint64_t start);

/* One user fewer; the last one closes it. NULL is fine. */
void segfile_release(struct segfile *segment);

/* Writes what it holds of [from, to) over itself, so that a sync of it can be believed. */
int segfile_rewrite(const struct segfile *segment, uint64_t from, uint64_t to);

#endif
