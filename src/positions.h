/* SPDX-License-Identifier: ISC */
/*
 * positions: positions of a log, as many as there are, and the question whether
 * one is among them.
 *
 * No I/O. One thread. Errors: -1 with errno ENOMEM, not logged.
 */
#ifndef HOOKSPOOL_POSITIONS_H
#define HOOKSPOOL_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is none of them. The caller frees the list. */
struct positions {
    uint64_t *list;
    size_t count, room;
};

int positions_add(struct positions *positions, uint64_t position);
/* Makes them ascending. */
void positions_sort(struct positions *positions);
/* Is it in an ascending list? */
bool positions_hold(const uint64_t *list, size_t count, uint64_t position);

#endif
