/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "idset.h"

#include <errno.h>
#include <stdlib.h>

enum { BITS = 10, PROBES = 6, WORDS = IDSET_BLOCK / 8, BLOCK_BITS = IDSET_BLOCK * 8 };

/* Blocks for so many ids; 0: more than there is memory for. */
static size_t blocks_for(uint64_t ids)
{
    size_t blocks = 1;

    while (blocks != 0 && (uint64_t)blocks * BLOCK_BITS / BITS < ids)
        blocks *= 2;
    return blocks;
}

int idset_init(struct idset *set, uint64_t most)
{
    *set = (struct idset){.blocks = blocks_for(most)};
    if (set->blocks > 0)
        set->words = calloc(set->blocks, IDSET_BLOCK);
    if (set->words != NULL)
        return 0;
    errno = ENOMEM;
    return -1;
}

void idset_release(struct idset *set)
{
    free(set->words);
    *set = (struct idset){0};
}

/* The block of a hash, and the bits in it as numbers of 9 bits. */
static uint64_t *find_block(const struct idset *set, uint64_t hash, uint64_t *bits)
{
    *bits = hash * UINT64_C(0x9e3779b97f4a7c15) >> 10; /* the high bits depend on all of it */
    return set->words + (size_t)(hash >> 32 & (set->blocks - 1)) * WORDS;
}

void idset_add(struct idset *set, uint64_t hash)
{
    uint64_t bits;
    uint64_t *block = find_block(set, hash, &bits);

    for (int i = 0; i < PROBES; i++, bits >>= 9)
        block[bits >> 6 & (WORDS - 1)] |= UINT64_C(1) << (bits & 63);
}

bool idset_may_hold(const struct idset *set, uint64_t hash)
{
    uint64_t bits;
    const uint64_t *block = find_block(set, hash, &bits);

    for (int i = 0; i < PROBES; i++, bits >>= 9) {
        if ((block[bits >> 6 & (WORDS - 1)] >> (bits & 63) & 1) == 0)
            return false;
    }
    return true;
}

void idset_fold(struct idset *set, uint64_t ids)
{
    const size_t wanted = blocks_for(ids);

    while (set->blocks > wanted) {
        set->blocks /= 2;
        for (size_t i = 0; i < set->blocks * WORDS; i++)
            set->words[i] |= set->words[set->blocks * WORDS + i];
    }
    uint64_t *smaller = realloc(set->words, set->blocks * IDSET_BLOCK);
    if (smaller != NULL)
        set->words = smaller;
}
