/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "tally.h"

#include <errno.h>
#include <stdlib.h>

const unsigned tally_minutes[TALLY_AGES - 1] = {5, 10, 20, 40, 80, 160, 320, 640, 1280};

int tally_init(struct tally *tally)
{
    *tally = (struct tally){.oldest = INT64_MAX};
    tally->rows = calloc(TALLY_TYPES + 1, sizeof(*tally->rows));
    if (tally->rows != NULL)
        return 0;
    errno = ENOMEM;
    return -1;
}

void tally_release(struct tally *tally)
{
    free(tally->rows);
    *tally = (struct tally){0};
}

int tally_age(int64_t now, int64_t received)
{
    int age = 0;

    while (age < TALLY_AGES - 1 && now - received >= (int64_t)tally_minutes[age] * 60)
        age++;
    return age;
}

static void add(struct tally_row *row, int age, uint64_t events, uint64_t bytes)
{
    row->events += events;
    row->bytes += bytes;
    row->ages[age] += events;
}

void tally_add(struct tally *tally, int type, int age, uint64_t events, uint64_t bytes)
{
    add(&tally->rows[type], age, events, bytes);
    add(&tally->total, age, events, bytes);
}

void tally_arrived(struct tally *tally, int64_t received)
{
    if (received < tally->oldest)
        tally->oldest = received;
}
