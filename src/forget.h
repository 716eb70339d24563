/* SPDX-License-Identifier: ISC */
/*
 * forget: makes a spool forget an id, so that the sender's next attempt is
 * stored again, as a new line behind the old one.
 *
 * The order, under the claim of the id: a dead writer's line is made durable
 * and gets its entry, as in step 4 of the protocol; the note in
 * locks/forgotten is made durable; the entry is removed, and its directory
 * synced. Without the note the unsettled tail, a repair or fsck would bring the
 * entry back, or the line of a writer that died later would not be told from
 * the old one.
 *
 * Crash: before the note is durable nothing has happened; behind it the entry
 * may still stand, and the id has to be forgotten again, as it was not said to
 * be. One thread. Errors are logged below.
 */
#ifndef HOOKSPOOL_FORGET_H
#define HOOKSPOOL_FORGET_H

#include <stdint.h>

#include "forgotten.h"
#include "store.h"

enum forget_verdict {
    FORGET_DONE,    /* durable */
    FORGET_UNKNOWN, /* it has no entry: it is accepted as it is */
    FORGET_BUSY,    /* it is being stored, still at the deadline */
    FORGET_FAILED   /* a system call failed */
};

/* deadline in io_now() nanoseconds, now in Unix seconds. */
enum forget_verdict forget_id(struct store *store, struct forgotten *forgotten, const char *id,
                              int64_t deadline, int64_t now);

#endif
