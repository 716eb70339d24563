/* SPDX-License-Identifier: ISC */
/*
 * idset: which ids a stretch of a log may hold, in 10 to 20 bits an id: a
 * Bloom filter in blocks of a cache line. It never denies an id that it was
 * given, and says "perhaps" to one in a hundred others.
 *
 * Made large enough for whatever may come and folded when it is known what
 * came. No I/O. One thread. Errors: -1 with errno ENOMEM, not logged.
 */
#ifndef HOOKSPOOL_IDSET_H
#define HOOKSPOOL_IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDSET_BLOCK = 64 }; /* bytes */

struct idset {
    uint64_t *words;
    size_t blocks; /* a power of two */
};

int idset_init(struct idset *set, uint64_t most); /* ids */
void idset_release(struct idset *set);

/* hash: record_id_hash() of the id */
void idset_add(struct idset *set, uint64_t hash);
bool idset_may_hold(const struct idset *set, uint64_t hash);

/* Makes it as small as so many ids allow. */
void idset_fold(struct idset *set, uint64_t ids);

#endif
