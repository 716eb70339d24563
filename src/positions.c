/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "positions.h"

#include <errno.h>
#include <stdlib.h>

int positions_add(struct positions *positions, uint64_t position)
{
    if (positions->count == positions->room) {
        const size_t room = positions->room == 0 ? 64 : positions->room * 2;
        uint64_t *grown = reallocarray(positions->list, room, sizeof(*grown));
        if (grown == NULL) {
            errno = ENOMEM;
            return -1;
        }
        positions->list = grown;
        positions->room = room;
    }
    positions->list[positions->count++] = position;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void positions_sort(struct positions *positions)
{
    if (positions->count > 1)
        qsort(positions->list, positions->count, sizeof(*positions->list), compare);
}

bool positions_hold(const uint64_t *list, size_t count, uint64_t position)
{
    return count > 0 && bsearch(&position, list, count, sizeof(*list), compare) != NULL;
}
