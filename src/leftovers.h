/* SPDX-License-Identifier: ISC */
/*
 * leftovers: files that nobody will finish or ask for any more: those that a
 * writer died over, NAME.new and log/next; what stands beside a segment that
 * was removed, log/POSITION.damaged and log/POSITION.summary; and how far a
 * replay was that is through.
 *
 * Each goes only where the lock under which it is made is held, or, where a
 * drain makes it, when it was left an hour ago. The caller excludes others who
 * look after the spool. One thread. Errors: -1 with errno, logged here.
 */
#ifndef HOOKSPOOL_LEFTOVERS_H
#define HOOKSPOOL_LEFTOVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "spool.h"

/* begin: of the first segment that stays. dry: only counts. Summaries go uncounted. */
int leftovers_remove(const struct spool *spool, uint64_t begin, bool dry, uint64_t *count);

#endif
