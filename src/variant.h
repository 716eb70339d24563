/* SPDX-License-Identifier: ISC */
/*
 * variant: what a body may have been before somebody changed it on its way: a
 * line feed more or less at its end, other line ends, JSON written again by a
 * library, a byte order mark, and the like.
 *
 * Pure but for what it allocates; any thread.
 */
#ifndef HOOKSPOOL_VARIANT_H
#define HOOKSPOOL_VARIANT_H

#include <stddef.h>

/* How many there are; the likeliest come first. */
unsigned variant_count(void);

/*
 * The variant of this number, *made bytes, malloc()ed (never NULL for an empty one), and in *what
 * words that complete "it matches if ". NULL with errno: 0 when there is no such variant of this
 * body, or it would be longer than `most`; ENOMEM.
 */
char *variant_make(unsigned number, const char *body, size_t len, size_t most, size_t *made,
                   const char **what);

#endif
