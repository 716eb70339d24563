/* SPDX-License-Identifier: ISC */
/*
 * fsckjobs: fsck of the consumers of a spool: that their cursors stand in the
 * log, that every line of what has failed or was given up proves itself, and
 * that requests to replay can be read.
 *
 * With a store open damaged lines are moved aside, under the consumer's lock.
 * A cursor is left alone: a person has to say what is to be offered again.
 * One thread. Errors are logged; audit->status.
 */
#ifndef HOOKSPOOL_FSCKJOBS_H
#define HOOKSPOOL_FSCKJOBS_H

#include "audit.h"

void fsckjobs_run(struct audit *audit);

#endif
