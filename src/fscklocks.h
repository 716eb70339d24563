/* SPDX-License-Identifier: ISC */
/*
 * fscklocks: fsck of what the lock directory consists of: its directories and
 * its small files.
 *
 * A missing directory is made beside its place, filled from the log, and
 * renamed. Nobody can store an id of it until then, so none is taken for new
 * because its entry has not been made yet. One thread. Errors are logged;
 * audit->status.
 */
#ifndef HOOKSPOOL_FSCKLOCKS_H
#define HOOKSPOOL_FSCKLOCKS_H

#include "audit.h"

/* Before the spool is opened as a store. Without `repair` only tells. */
void fscklocks_shards(struct audit *audit, bool repair);

/* Likewise: removes a settled that would lead whoever opens the spool astray. */
void fscklocks_unsettle(struct audit *audit);

/* settled, expired, forgotten; after the log was gone over, and entries were made. */
void fscklocks_files(struct audit *audit);

#endif
