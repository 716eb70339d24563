/* SPDX-License-Identifier: ISC */
/*
 * sheet: one event on a page: its fields, what became of it at each consumer,
 * its entry in the lock directory, its body; for people or as one JSON object.
 *
 * One thread. What it is given is borrowed. Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_SHEET_H
#define HOOKSPOOL_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "entry.h"
#include "segment.h"
#include "standing.h"

struct sheet {
    const struct standings *standings;
    const struct entry *entry;
    int64_t now;
    bool json;
};

/* keeper: the consumer that has kept the event, when it is not in the log any more; else NULL. */
void sheet_put(const struct sheet *sheet, const struct segment_line *line,
               const struct standing *keeper);

#endif
