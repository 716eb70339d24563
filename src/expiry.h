/* SPDX-License-Identifier: ISC */
/*
 * expiry: entries of a lock directory that are old enough go, and the pending
 * names that dead writers left.
 *
 * An entry is as old as the day file that it is a link to, and the inode number
 * that reading its directory yields says which that is: nothing is looked up
 * for an entry that stays. One that is a link to no day file that is known, as
 * in a spool that was copied, is as old as its inode.
 *
 * Each name is removed under the claim of its id, and an entry only if it is
 * still the one that was seen: meanwhile its id may have been forgotten and
 * stored again. Who holds a claim keeps his names; the next purge sees them. A
 * pending name whose claim is free has lost its writer: its line is looked for
 * in the log, as in step 4 of the protocol, and it becomes an entry or goes.
 *
 * The caller has settled the log first, so that no id of the unsettled tail is
 * as old. What a crash leaves is a smaller lock directory. Memory: 16 bytes a
 * day file. One thread. Errors: -1 with errno, logged here or below.
 */
#ifndef HOOKSPOOL_EXPIRY_H
#define HOOKSPOOL_EXPIRY_H

#include <stdint.h>

#include "store.h"
#include "throttle.h"

struct expiry {
    struct store *store; /* NULL: only counts */
    int dir;             /* locks/; borrowed, as is path, for messages */
    const char *path;
    int64_t last;        /* entries of this day (dayfile.h) and of those before go */
    uint64_t ids;        /* entries removed */
    uint64_t pending;    /* pending names of dead writers: removed, */
    uint64_t recovered;  /* or made entries, as the log held the line */
    uint64_t busy;       /* names left alone, as somebody had their claim */
    uint64_t days;       /* day files removed */
};

/* The last day whose entries are older than `window` seconds, all of them. */
int64_t expiry_last(int64_t now, int64_t window);

int expiry_run(struct expiry *expiry, struct throttle *throttle);

/*
 * The file locks/expired says up to which day entries were removed, so that fsck does not miss
 * them. It is written before the first one goes. 1, 0: none ever was, -1; EUCLEAN: it holds no day.
 */
int expiry_marker(int dir, const char *path, int64_t *day);
int expiry_mark(int dir, const char *path, int64_t day);

#endif
