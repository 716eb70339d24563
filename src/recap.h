/* SPDX-License-Identifier: ISC */
/*
 * recap: writes the summaries of closed segments (sumfile.h) while somebody
 * reads them for another purpose.
 *
 * It is fed every line from `from` on, in order; for a segment that begins
 * before `from` it reads the lines before it by itself. Whatever goes wrong
 * costs a summary and is not told.
 *
 * One thread. dir and path are borrowed.
 */
#ifndef HOOKSPOOL_RECAP_H
#define HOOKSPOOL_RECAP_H

#include <stdbool.h>
#include <stdint.h>

#include "segment.h"

struct recap;

/* The lines of [from, to) are about to pass by. NULL is fine for the rest. */
struct recap *recap_begin(int dir, const char *path, uint64_t from, uint64_t to);
void recap_add(struct recap *recap, const struct segment_line *line);
/* All have passed, or (complete = false) reading has failed. */
void recap_end(struct recap *recap, bool complete);

#endif
