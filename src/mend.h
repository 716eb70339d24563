/* SPDX-License-Identifier: ISC */
/*
 * mend: fsck of a journal (journal.h): tells of lines that do not prove
 * themselves and, with a store open, moves them to NAME.damaged beside it and
 * writes the journal anew without them.
 *
 * Whoever appends to the journal must be kept out by the caller. Crash: the
 * lines are durable in NAME.damaged first; a crash behind that may put them
 * there twice. One thread. Errors are logged; audit->status.
 */
#ifndef HOOKSPOOL_MEND_H
#define HOOKSPOOL_MEND_H

#include "audit.h"

/* directory: the name of dir below the spool. */
void mend_journal(struct audit *audit, int dir, const char *directory, const char *name);

#endif
