/* SPDX-License-Identifier: ISC */
/*
 * idtable: which ids stand in a log, and where, within bounded memory: 16 bytes
 * an id, as many as were allowed, the rest in further rounds over the same ids.
 *
 * A round takes in the ids whose hash falls into its part of all hashes; when
 * that becomes too much, the part is halved. Go over everything in each round:
 *
 *   do { idtable_add() for each id; idtable_sort(); look; } while (idtable_next());
 *
 * `most` has to be more than how often one id can stand there.
 * Ids are told apart by their hash (record.h). One thread. Errors: ENOMEM.
 */
#ifndef HOOKSPOOL_IDTABLE_H
#define HOOKSPOOL_IDTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idtable_item {
    uint64_t hash, position;
};

struct idtable {
    struct idtable_item *items;
    size_t count, room, most;
    uint64_t part; /* of all hashes, whose highest `halved` bits it is */
    unsigned halved;
};

void idtable_begin(struct idtable *table, size_t most);
void idtable_end(struct idtable *table);

/* Does this round look at the id? */
bool idtable_wants(const struct idtable *table, uint64_t hash);
int idtable_add(struct idtable *table, uint64_t hash, uint64_t position);

/* By hash, then by position. */
void idtable_sort(struct idtable *table);
/* The first item of this hash in a sorted table; NULL: none. */
const struct idtable_item *idtable_find(const struct idtable *table, uint64_t hash);

/* Empties it for the next round: false when all parts have had theirs. */
bool idtable_next(struct idtable *table);

#endif
