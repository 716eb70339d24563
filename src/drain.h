/* SPDX-License-Identifier: ISC */
/*
 * drain: offers a consumer's events to a command, and writes down what came of
 * it. drain_run() is one drain, from the lock to the last word.
 *
 * Order: failed events that are due, requests to replay, then the log from
 * the cursor on. A batch that failed is offered again in halves, in the order
 * of the log, until each event that fails has failed alone; only that counts
 * against an event. When `max_failures` events in a row have failed alone, and
 * nothing succeeded between, it is the command that is broken: the rest stays
 * where it is, until the next drain or, for one that stays, for a backoff or
 * until somebody asks for a retry.
 *
 * One that stays (`follow`) begins before there is a spool, goes on while the
 * responder repairs it, and sleeps until it is woken or a failed event is due.
 *
 * Nothing is acknowledged before its command has ended with 0, and nothing
 * passed by the cursor that is not acknowledged or durable in retry or dead
 * (ledger.h). After a crash the batches that ran are offered again.
 *
 * One thread. Errors are logged; the result is one of sysexits.h: EX_TEMPFAIL
 * when events have failed or were left, but for one that stays, whose end is
 * always too early.
 */
#ifndef HOOKSPOOL_DRAIN_H
#define HOOKSPOOL_DRAIN_H

#include "config.h"
#include "offer.h"

int drain_run(const struct offer_options *options, const struct config *config,
              const struct config_consumer *consumer);

#endif
