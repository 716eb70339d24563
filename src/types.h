/* SPDX-License-Identifier: ISC */
/*
 * types: a bounded set of event types, numbered from 0 in the order in which
 * they came. Who sends a new type with every event fills it, and no more: the
 * number of what has no place is `most`.
 *
 * No I/O. One thread. Errors: -1 with errno ENOMEM, not logged.
 */
#ifndef HOOKSPOOL_TYPES_H
#define HOOKSPOOL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

struct types {
    char (*names)[EVENT_TYPE_MAX + 1];
    size_t count, room, most;
    uint16_t *slots; /* a hash table of numbers + 1 */
    size_t slot_mask;
};

int types_init(struct types *types, size_t most); /* most: up to 16384 */
void types_release(struct types *types);

/* The number of a type, which is taken in if there is room: up to types->most; -1. */
int types_number(struct types *types, const char *name, size_t len);

#endif
