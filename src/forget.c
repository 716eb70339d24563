/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "forget.h"

#include <errno.h>

#include "settle.h"

static enum forget_verdict forget_claimed(struct store *store, struct forgotten *forgotten,
                                          const char *id, int64_t now)
{
    struct lockdir *locks = store_locks(store);
    int stored = lockdir_stored(locks, id);

    if (stored == 0) { /* or did a writer die before he made it? */
        stored = lockdir_pending(locks, id);
        if (stored > 0)
            stored = settle_conclude(store_log(store), locks, id);
    }
    if (stored <= 0)
        return stored < 0 ? FORGET_FAILED : FORGET_UNKNOWN;
    /* It has an entry, so its line is durable; nobody adds another while we hold the claim. */
    const uint64_t before = eventlog_synced(store_log(store));
    if (forgotten_add(forgotten, id, before, now) < 0 || lockdir_forget(locks, id) < 0)
        return FORGET_FAILED;
    return FORGET_DONE;
}

enum forget_verdict forget_id(struct store *store, struct forgotten *forgotten, const char *id,
                              int64_t deadline, int64_t now)
{
    struct lockdir_claim claim;

    if (lockdir_claim(store_locks(store), id, deadline, &claim) < 0)
        return errno == EAGAIN ? FORGET_BUSY : FORGET_FAILED;
    const enum forget_verdict verdict = forget_claimed(store, forgotten, id, now);
    lockdir_release(store_locks(store), &claim);
    return verdict;
}
