/* SPDX-License-Identifier: ISC */
/*
 * listing: events as a list, a row each: a table for people, or one JSON
 * object a line.
 *
 * One thread. What it is given is borrowed. Failed writes: out_flush() tells.
 */
#ifndef HOOKSPOOL_LISTING_H
#define HOOKSPOOL_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "segment.h"
#include "standing.h"
#include "table.h"

enum listing_kind {
    LISTING_EVENTS,
    LISTING_BRIEF,  /* as they come: no heads, no positions */
    LISTING_STATES, /* and what became of them at a consumer */
    LISTING_FAILED, /* failures that wait for the next attempt */
    LISTING_DEAD
};

struct listing {
    enum listing_kind kind;
    struct table *table; /* NULL: JSON */
    const struct standing *standing; /* for all kinds but the first two */
};

/* 0, or -1 after a message. */
int listing_open(struct listing *listing, enum listing_kind kind, bool json,
                 const struct standing *standing);
void listing_close(struct listing *listing);

/* A line that proves itself. */
void listing_event(struct listing *listing, const struct segment_line *line);
void listing_failure(struct listing *listing, const struct failure *failure);

/* How often, when and why it failed, as members of a JSON object. */
void listing_history(const struct failure *failure);
/* What has been held back is written. */
void listing_flush(struct listing *listing);

#endif
