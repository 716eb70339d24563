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
 *
 * Owned by the one drain of the consumer. Times are Unix seconds.
 * Errors: -1 with errno, logged below.
 */
#ifndef HOOKSPOOL_LEDGER_H
#define HOOKSPOOL_LEDGER_H

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
    uint64_t failed, buried; /* so far */
};

/* begin: of the log's first segment; end: what is known to be durable. */
int ledger_open(struct ledger *ledger, struct consumer *consumer, uint64_t begin, uint64_t end);
void ledger_close(struct ledger *ledger);

/* Takes in what others have asked for since: `retry --dead`, `retry`. */
int ledger_refresh(struct ledger *ledger);

/*
 * Each of these events has failed once more, now: it will be offered again after a backoff or, when
 * it has had its attempts and its time, is given up. reason, status and stderr_text are given, the
 * rest of the history is filled in here.
 */
int ledger_fail(struct ledger *ledger, struct failure *failures, size_t count, int64_t now);

/* These events, offered again, were acknowledged. */
int ledger_acknowledge(struct ledger *ledger, const uint64_t *positions, size_t count);

/* How long to wait after so many attempts. */
int64_t ledger_backoff(const struct config_consumer *config, unsigned attempts);

#endif
