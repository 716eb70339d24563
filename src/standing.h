/* SPDX-License-Identifier: ISC */
/*
 * standing: how a consumer stands, for those who report it: its cursor, its
 * failed and its dead events, and whether it is being drained.
 *
 * Only reads, without any lock but a look at the drain's, so what a drain does
 * meanwhile may be seen in part. A consumer that was taken out of the
 * configuration is told as long as its directory is there.
 *
 * One thread. Times are Unix seconds. Errors are logged here; what cannot be
 * read of one consumer is marked, and the others are told all the same.
 */
#ifndef HOOKSPOOL_STANDING_H
#define HOOKSPOOL_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "consumer.h"
#include "cursor.h"
#include "failure.h"
#include "retry.h"
#include "spool.h"

struct standing {
    char *name;
    const struct config_consumer *config; /* NULL: it is not in the configuration any more */
    bool unread;    /* something of it could not be read */
    bool drained;   /* a drain runs */
    struct cursor cursor; /* at 0 if it was never drained */
    size_t failed;  /* events that wait for their next attempt */
    int64_t next;   /* when the first of them is due; 0: none waits */
    size_t dead;
    size_t replays; /* that are still to be carried out */
    int64_t oldest_failure; /* of those that wait or are dead; 0: none */
    struct consumer consumer; /* .dir is -1: it was never drained */
    struct retry *retry;      /* NULL: as above */
    uint64_t *dead_positions; /* `dead` of them, ascending */
};

struct standings {
    struct standing *list; /* those of the configuration, then the others by name */
    size_t count;
};

/* All consumers of a spool, or, unless `only` is NULL, the one of that name. 0, or -1: ENOMEM. */
int standings_read(struct standings *standings, const struct config *config,
                   const struct spool *spool, const char *only);
void standings_release(struct standings *standings);

/* EX_OK, or EX_NOPERM when one of them could not be read. */
int standings_status(const struct standings *standings);

/* What became of an event. */
enum fate { FATE_WAITING, FATE_FAILED, FATE_DEAD, FATE_DONE };
enum fate standing_fate(const struct standing *standing, uint64_t position);
const char *standing_fate_name(enum fate fate);

#endif
