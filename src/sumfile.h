/* SPDX-License-Identifier: ISC */
/*
 * sumfile: the summary of a closed segment (summary.h) in a file beside it,
 * log/POSITION.summary.
 *
 * Written by whoever has read the whole segment, and may be removed at any
 * time. It is never synced and nothing rests on it: what does not prove
 * itself, is of another extent, or is older than its segment counts as none.
 * Layout and byte order are those of the program and the machine.
 *
 * One thread. Errors: only of what is missing is it told, as 0.
 */
#ifndef HOOKSPOOL_SUMFILE_H
#define HOOKSPOOL_SUMFILE_H

#include <stdint.h>

#include "summary.h"

enum { SUMFILE_NAME_SIZE = 20 + sizeof(".summary") };

/* The name of the file for the segment that begins at start; who removes that removes this. */
void sumfile_name(char name[SUMFILE_NAME_SIZE], uint64_t start);

/* A file that is open to be read. */
struct sumfile {
    int fd;
    struct summary summary; /* without pieces and ids, until they are asked for */
    uint64_t at;            /* where they stand */
};

#define SUMFILE_NONE ((struct sumfile){.fd = -1})

/* That of the segment [from, to): 1; 0: there is none that fits. */
int sumfile_open(struct sumfile *file, int dir, uint64_t from, uint64_t to);
/* Its pieces with their rows, and its ids: 1; 0: they do not prove themselves, so do without. */
int sumfile_pieces(struct sumfile *file);
int sumfile_ids(struct sumfile *file);
void sumfile_close(struct sumfile *file);

/* Writes it, if the directory can be written to and there is room: no more is hoped for. */
void sumfile_write(const struct summary *summary, int dir);

#endif
