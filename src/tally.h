/* SPDX-License-Identifier: ISC */
/*
 * tally: how many events of which type are how old: the table that qshape(1)
 * prints of a mail queue.
 *
 * The columns are ages in minutes: below 5, 10, 20 and so on, each twice the
 * one before it, up to 1280, and all beyond. The rows are numbers of types
 * (types.h), which several tallies share; what is beyond TALLY_TYPES is
 * counted in the last row.
 *
 * No I/O. One thread. Times are Unix seconds. Errors: -1 with errno ENOMEM,
 * not logged.
 */
#ifndef HOOKSPOOL_TALLY_H
#define HOOKSPOOL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_AGES = 10, TALLY_TYPES = 1000 };

extern const unsigned tally_minutes[TALLY_AGES - 1]; /* where each column ends; the last does not */

struct tally_row {
    uint64_t events, bytes;
    uint64_t ages[TALLY_AGES];
};

struct tally {
    struct tally_row total;
    uint64_t damaged; /* lines that are none any more */
    int64_t oldest;   /* when it arrived; INT64_MAX: there are no events */
    struct tally_row *rows; /* TALLY_TYPES + 1 */
};

int tally_init(struct tally *tally);
void tally_release(struct tally *tally);

/* The column of an event that arrived then. */
int tally_age(int64_t now, int64_t received);

void tally_add(struct tally *tally, int type, int age, uint64_t events, uint64_t bytes);
/* One of them arrived then. */
void tally_arrived(struct tally *tally, int64_t received);

#endif
