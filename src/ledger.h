/* SPDX-License-Identifier: ISC */
/*
 * ledger: what a consumer has done with its events, as one: the cursor, the
 * failed ones that will be offered again, and the dead ones.
 *
 * The order of the writes is the consumer's half of the protocol (HACKING):
 * a failure is durable in retry.ndjson before the cursor moves over its event;
 * a dead letter is durable in dead.ndjson before its event leaves retry. What a
 * crash leaves between two of them is put right by ledger_open():
 *   in retry, not passed by the cursor: struck out, the log offers it again;
 *   dead, and in retry or not passed: the dead copy is taken out.
 * What an error leaves is put right in the same way by the next one: doubtful.
 *
 * An event that is replayed may stand in retry, or be dead, from before. When
 * it is acknowledged it leaves both; when it fails it stands in retry.
 *
 * Owned by the one drain of the consumer. Times are Unix seconds.
 * Errors: -1 with errno, logged below.
 */
#ifndef HOOKSPOOL_LEDGER_H
#define HOOKSPOOL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "cursor.h"
#include "failure.h"
#include "retry.h"

struct ledger {
    struct consumer *consumer; /* borrowed */
    struct cursor cursor;
    struct retry *retry;
    uint64_t *dead; /* positions, ascending; NULL until they are asked for */
    size_t dead_count;
    uint64_t failed, buried; /* so far */
    bool doubtful; /* a change came to nothing, or to half: the next drain has to look closely */
};

/* begin: of the log's first segment; end: what is known to be durable. */
int ledger_open(struct ledger *ledger, struct consumer *consumer, uint64_t begin, uint64_t end);
void ledger_close(struct ledger *ledger);

/*
 * Takes in what others have asked for since: `retry --dead`, `retry`: 1; 0: nothing. While nothing
 * runs, for it may write the journal of retry anew.
 */
int ledger_refresh(struct ledger *ledger);

/* The clock that failures are due by. */
struct retry_clock ledger_clock(const struct ledger *ledger);

/*
 * This event has failed once more, now: it will be offered again after a backoff or, when it has
 * had its attempts and its time, is given up. reason, status and stderr_text are given, the rest of
 * the history is filled in here.
 */
int ledger_fail(struct ledger *ledger, struct failure *failure, int64_t now);

/* Does an event of [from, to) wait in retry, or is one dead? 1, 0, -1. */
int ledger_holds(struct ledger *ledger, uint64_t from, uint64_t to);
/* These events, which were offered again, were acknowledged. Ascending. */
int ledger_acknowledge(struct ledger *ledger, const uint64_t *positions, size_t count);

/* How long to wait after so many attempts. */
int64_t ledger_backoff(const struct config_consumer *config, unsigned attempts);

#endif
