/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "idtable.h"

#include <errno.h>
#include <stdlib.h>

void idtable_begin(struct idtable *table, size_t most)
{
    *table = (struct idtable){.most = most};
}

void idtable_end(struct idtable *table)
{
    free(table->items);
    table->items = NULL;
}

/* The parts are told apart by the highest bits: `halved` of them. */
static uint64_t part_of(const struct idtable *table, uint64_t hash)
{
    return table->halved == 0 ? 0 : hash >> (64 - table->halved);
}

bool idtable_wants(const struct idtable *table, uint64_t hash)
{
    return part_of(table, hash) == table->part;
}

/* The part at hand was too large: the first half of it is kept. */
static void halve(struct idtable *table)
{
    size_t kept = 0;

    table->halved++;
    table->part *= 2;
    for (size_t i = 0; i < table->count; i++) {
        if (idtable_wants(table, table->items[i].hash))
            table->items[kept++] = table->items[i];
    }
    table->count = kept;
}

static int grow(struct idtable *table)
{
    size_t room = table->room == 0 ? 4096 : table->room * 2;

    if (room > table->most)
        room = table->most;
    struct idtable_item *grown = reallocarray(table->items, room, sizeof(*grown));
    if (grown == NULL)
        return -1;
    table->items = grown;
    table->room = room;
    return 0;
}

int idtable_add(struct idtable *table, uint64_t hash, uint64_t position)
{
    while (table->count == table->most && table->halved < 63)
        halve(table);
    if (!idtable_wants(table, hash))
        return 0;
    if (table->count == table->room && grow(table) < 0)
        return -1;
    table->items[table->count++] = (struct idtable_item){hash, position};
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct idtable_item *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

void idtable_sort(struct idtable *table)
{
    if (table->count > 1)
        qsort(table->items, table->count, sizeof(*table->items), compare);
}

const struct idtable_item *idtable_find(const struct idtable *table, uint64_t hash)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (table->items[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->count && table->items[low].hash == hash ? &table->items[low] : NULL;
}

bool idtable_next(struct idtable *table)
{
    table->count = 0;
    if (table->part + 1 == (table->halved == 0 ? 1 : UINT64_C(1) << table->halved))
        return false;
    table->part++;
    return true;
}
