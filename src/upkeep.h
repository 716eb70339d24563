/* SPDX-License-Identifier: ISC */
/*
 * upkeep: a spool, opened as the responder opens it, by those who look after
 * it: beside others, or alone, and then it is repaired first if it needs that.
 * As root they act as the spool's owner meanwhile (owner.h).
 *
 * One spool at a time, one thread. Errors are logged below.
 */
#ifndef HOOKSPOOL_UPKEEP_H
#define HOOKSPOOL_UPKEEP_H

#include "config.h"
#include "store.h"

/*
 * NULL after a message, with *status: EX_UNAVAILABLE, it was never made; EX_TEMPFAIL, it is being
 * repaired; EX_NOPERM; EX_IOERR.
 */
struct store *upkeep_open(const struct config *config, const struct config_spool *which,
                          int *status);
void upkeep_close(struct store *store);

/* status_of() */
int upkeep_status(int error);

#endif
