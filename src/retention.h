/* SPDX-License-Identifier: ISC */
/*
 * retention: which segments of a log may go.
 *
 * From the first one on, each that has a successor (the active one never goes),
 * lies before `settled`, was passed by every consumer that the configuration
 * has for this spool, is in no request to replay, and whose newest event is
 * older than `keep`. A consumer that was never drained has passed nothing. One
 * that is no longer in the configuration holds nothing: else a directory that
 * somebody left behind would fill the disk. Its failed events are in its own
 * files, and stay.
 *
 * Consumers' locks are held from retention_open() on, so that nobody asks for
 * a replay between the look and the removal; a drain goes on meanwhile, and
 * only moves further. Their cursors are made durable first, so that a power
 * cut puts no consumer before what was removed.
 *
 * Crash: segments go one after the other, each durably. One thread.
 * Errors: -1 with errno, logged here or below.
 */
#ifndef HOOKSPOOL_RETENTION_H
#define HOOKSPOOL_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "throttle.h"

enum { RETENTION_HOLDER = 128 };

struct retention {
    const struct spool *spool; /* borrowed */
    struct consumer *consumers; /* that hold something; locked unless it is a dry run */
    size_t count;
    uint64_t hold; /* nothing at or behind it may go */
    char holder[RETENTION_HOLDER]; /* who says so: "consumer 'billing'"; "" for none */
};

/* dry: takes no lock and syncs nothing. */
int retention_open(struct retention *retention, const struct config *config,
                   const struct spool *spool, bool dry);
void retention_close(struct retention *retention);

enum retention_reason {
    RETENTION_ACTIVE, /* is appended to */
    RETENTION_UNSETTLED,
    RETENTION_HELD,   /* by the holder */
    RETENTION_YOUNG
};

struct retention_plan {
    uint64_t begin; /* of the log afterwards */
    size_t segments;
    uint64_t bytes;
    enum retention_reason reason; /* why the next one stays */
};

/* now: age_now(). */
int retention_plan(const struct retention *retention, uint64_t settled, int64_t now,
                   struct retention_plan *plan);

/* Removes what begins before plan->begin. */
int retention_carry_out(const struct retention *retention, const struct retention_plan *plan,
                        struct throttle *throttle);

#endif
