/* SPDX-License-Identifier: ISC */
/*
 * fsck: goes over a whole spool: its log (fscklog.h), its lock directory
 * (fscklocks.h, fsckids.h) and its consumers (fsckjobs.h), and tells what it
 * finds (flaw.h).
 *
 * Without repair it only reads, beside whoever uses the spool. With repair it
 * has the spool open as a responder has it: beside others, or alone, and then
 * the spool is repaired first like by anybody who opens it. Everything that is
 * mended is mended so that others may go on meanwhile; what cannot be mended
 * beside them is told.
 *
 * Crash: each step leaves a spool that is no worse. One thread.
 */
#ifndef HOOKSPOOL_FSCK_H
#define HOOKSPOOL_FSCK_H

#include "audit.h"

/* audit->flaws is set up by the caller. One of sysexits.h: EX_DATAERR if there is damage. */
int fsck_spool(struct audit *audit, const struct config *config,
               const struct config_spool *which, bool repair);

#endif
