/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "types.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

int types_init(struct types *types, size_t most)
{
    size_t slots = 64;

    while (slots < 2 * most)
        slots *= 2;
    *types = (struct types){.most = most, .slot_mask = slots - 1};
    types->slots = calloc(slots, sizeof(*types->slots));
    if (types->slots != NULL)
        return 0;
    errno = ENOMEM;
    return -1;
}

void types_release(struct types *types)
{
    free(types->names);
    free(types->slots);
    *types = (struct types){0};
}

static int add(struct types *types, size_t slot, const char *name, size_t len)
{
    if (types->count == types->room) {
        const size_t room = types->room == 0 ? 8 : types->room * 2;
        char(*grown)[EVENT_TYPE_MAX + 1] = reallocarray(types->names, room, sizeof(*grown));
        if (grown == NULL)
            return -1;
        types->names = grown;
        types->room = room;
    }
    memcpy(types->names[types->count], name, len);
    types->names[types->count][len] = '\0';
    types->slots[slot] = (uint16_t)(types->count + 1);
    return (int)types->count++;
}

static bool is(const char *name, const char *text, size_t len)
{
    return memcmp(name, text, len) == 0 && name[len] == '\0';
}

int types_number(struct types *types, const char *name, size_t len)
{
    if (len > EVENT_TYPE_MAX)
        return (int)types->most; /* event.h lets none pass */
    if (types->count > 0 && is(types->names[0], name, len))
        return 0; /* most senders have one */
    size_t slot = (size_t)record_id_hash(name, len) & types->slot_mask;
    for (; types->slots[slot] != 0; slot = (slot + 1) & types->slot_mask) {
        const size_t number = types->slots[slot] - (size_t)1;
        if (is(types->names[number], name, len))
            return (int)number;
    }
    return types->count < types->most ? add(types, slot, name, len) : (int)types->most;
}
