/* SPDX-License-Identifier: ISC */
/*
 * pool: the jobs of a drain: offers events of one source after the other to
 * the command, as many batches at a time as there are jobs.
 *
 * The cursor is written after each run, and synced while commands run, a few
 * times a second: what a power cut finds unsynced is offered again.
 *
 * The first signal that asks to end lets what runs come to its end, the second
 * ends it, the third kills it. One thread. Errors are logged and end up in
 * offers.status.
 */
#ifndef HOOKSPOOL_POOL_H
#define HOOKSPOOL_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "offer.h"
#include "progress.h"

struct pool {
    struct offers offers;
    struct offer *offer; /* as many as jobs */
    uint64_t begun;      /* events that were offered so far */
    bool full;           /* they are as many as was allowed: only what has begun goes on */
    bool broken;         /* a source was left because the command seemed to be broken */
    bool lost;           /* a system call failed, and what runs cannot be waited for */
    int64_t synced;      /* when the cursor was; io_now() */
    uint64_t start, end; /* of the log, for the bar */
    struct progress progress;
};

/* options, ledger, program and spool of the offers are set; dir and path: the log's. 0, or -1. */
int pool_open(struct pool *pool, int dir, const char *path);
void pool_close(struct pool *pool);

/* Offers all that there is in a lane, and waits for what runs. */
void pool_lane(struct pool *pool, struct lane *lane);
/* The same with the failed events that are due; if order matters, only with the first of all. */
void pool_retry(struct pool *pool);

/* Waits until fd can be read, or the deadline (io_now(); 0: none): false when it is time to end. */
bool pool_wait(struct pool *pool, int fd, int64_t deadline);

#endif
