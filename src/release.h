/* SPDX-License-Identifier: ISC */
/*
 * release: refused requests that are kept, verified again with the secrets and
 * limits of now, and those that hold stored as hookspoold would have.
 *
 * Candidates are refusals that a mended configuration can undo: 401, and 400
 * for a timestamp beyond the tolerance. A request is judged against the time
 * it came, by the very functions that judge it when it comes, and put into the
 * spool by the same protocol (store.h), so a second release, or the sender's
 * retry, finds a duplicate. In the record, `received` is the time of the
 * release: consumers that go by it, and filters, would miss it otherwise.
 *
 * Root becomes the owner of the spool, for what it makes there must be his.
 * One thread. Crash: as hookspoold's; run it again.
 */
#ifndef HOOKSPOOL_RELEASE_H
#define HOOKSPOOL_RELEASE_H

#include <stdbool.h>

#include "config.h"
#include "keyring.h"
#include "ringview.h"

struct release_options {
    bool dry_run; /* only says what would be stored */
    bool json;
    bool quiet;   /* says only what was stored, or failed to be */
};

/* One of sysexits.h, after a message unless it is EX_OK: EX_TEMPFAIL when some were not stored. */
int release_run(const struct release_options *options, const struct config *config,
                struct ringview *view, const struct keyring *keyring);

#endif
