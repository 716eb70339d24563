/* SPDX-License-Identifier: ISC */
/*
 * purge: removes from one spool what has had its time: segments (retention.h),
 * ids and the pending names of dead writers (expiry.h), leftovers.
 *
 * It runs beside responders and drains, as one of those who have the spool
 * open, and alone repairs it first. Two at once exclude each other by an
 * flock(2) of locks/days, fsck --repair as well; the second leaves it at that.
 *
 * First the log is settled as far as it is durable, so that no id of the
 * unsettled tail is old. Where that fails no id is removed.
 *
 * Crash: at any step leaves a spool from which less was removed. One thread.
 * Errors are logged here or below.
 */
#ifndef HOOKSPOOL_PURGE_H
#define HOOKSPOOL_PURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "retention.h"

enum { PURGE_REST = 4 /* bench/purge */ };

struct purge {
    bool dry, verbose, quiet; /* dry: nothing is changed, nor locked */
    unsigned rest;     /* so many times as long as it works; PURGE_REST beside a service */
    int64_t now;       /* of the spool, age_now(); INT64_MIN: nothing vouches for any time */
    bool held;         /* it is behind the clock */
    bool other;        /* another one is at it, so nothing was done */
    struct retention_plan segments;
    char holder[RETENTION_HOLDER]; /* who keeps the next segment, with RETENTION_HELD */
    uint64_t ids, pending, recovered, busy, days, leftovers;
};

/* One of sysexits.h: EX_TEMPFAIL when a part is left for the next time, EX_DATAERR for damage. */
int purge_spool(struct purge *purge, const struct config *config,
                const struct config_spool *which);

/*
 * The right to look after a spool, for purge and fsck --repair: a descriptor. EAGAIN, not logged:
 * another has it.
 */
int purge_right(int locks_dir, const char *path);

#endif
