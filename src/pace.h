/* SPDX-License-Identifier: ISC */
/*
 * pace: so many events a second, counted from the start, so that what one took
 * too long the next make up for, and the rate does not drift.
 *
 * One thread.
 */
#ifndef HOOKSPOOL_PACE_H
#define HOOKSPOOL_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t number; /* events ... 0: as fast as they go */
    int64_t period; /* ... in so many nanoseconds */
    int64_t start;  /* as io_now() has it */
};

/* "20", "20/s", "90/m", "500/h"; at most a million. Leaves start alone. */
bool pace_parse(struct pace *pace, const char *text);

/* When the event with this number, from 0, is due. */
int64_t pace_due(const struct pace *pace, int64_t which);

/* Sleeps until then: 0, or -1 when a signal came in between. */
int pace_wait(const struct pace *pace, int64_t which);

#endif
