/* SPDX-License-Identifier: ISC */
/*
 * store: one spool as the responder sees it: puts an event in, once, for
 * good, or says that it did not. The steps of store_put() are the protocol;
 * their numbers, and what a crash after each leaves, stand in HACKING.
 *
 * Owns the spool's directory while it is open (shared flock on it; whoever
 * finds itself alone repairs first) and, below it, log/ and locks/.
 *
 * Invariant: an id has its entry in locks/ only after its line is durable in
 * log/. Nothing is written before store_put() is called, and that is called
 * only for events whose signature holds. Duplicates over loss, where the two
 * meet: a doubt is answered STORE_FAILED, and the sender tries again.
 *
 * Crash: at any instruction, of any number of processes. Threads: any.
 * Deadlines are io_now() nanoseconds. Errors are logged below, once.
 */
#ifndef HOOKSPOOL_STORE_H
#define HOOKSPOOL_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "commit.h"
#include "lockdir.h"

struct store;

struct store_limits {
    uint64_t segment_size; /* bytes */
    uint64_t min_free;     /* bytes that must stay free */
};

/* Opens the spool at path, creating it (its parent must exist). NULL with errno, logged. */
struct store *store_open(const char *path, const struct store_limits *limits);
void store_close(struct store *store);

/* New limits from here on. */
void store_limit(struct store *store, const struct store_limits *limits);

/* The spool's directory, for files beside log/ and locks/; borrowed. */
int store_directory(const struct store *store);
/* What it is made of, for those who look after a spool (purge.h, forget.h, fsck.h); borrowed. */
struct eventlog *store_log(const struct store *store);
struct lockdir *store_locks(const struct store *store);

enum store_verdict {
    STORE_STORED,    /* durable now */
    STORE_DUPLICATE, /* was durable before */
    STORE_BUSY,      /* the same id is being stored by somebody else, still at the deadline */
    STORE_FULL,      /* no room, or less than min_free */
    STORE_FAILED,    /* a system call failed */
    STORE_SLOW,      /* the disk has not come to it at the deadline; nothing is left of it */
    STORE_LATE       /* the disk is at it, and has not answered at the deadline */
};

/* What outlives a late put: see store_finish(). */
struct store_ticket {
    struct lockdir_claim claim;
    struct commit_entry entry;
};

/*
 * Stores the line (record.h) of this id, len bytes, unless it is stored.
 * After STORE_LATE the line and the ticket stay in use until store_finish().
 */
enum store_verdict store_put(struct store *store, const char *id, const char *line, size_t len,
                             int64_t deadline, struct store_ticket *ticket);

/* After STORE_LATE, and after the answer: waits for the disk and lets the id go. */
void store_finish(struct store *store, const char *id, struct store_ticket *ticket);

/*
 * Does what can wait until after an answer: if a segment was closed, makes
 * sure that each of its ids has its entry on stable storage. Cheap when there
 * is nothing to do. A failure is logged and made up for by a later call.
 */
void store_settle(struct store *store);

/*
 * The same for all that is durable, whether its segment is closed or not. -1 with errno EAGAIN, not
 * logged: others were in the way until the deadline.
 */
int store_settle_all(struct store *store, int64_t deadline);

#endif
