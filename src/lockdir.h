/* SPDX-License-Identifier: ISC */
/*
 * lockdir: which event ids a spool knows; the index of its log.
 *
 * Owns the directory locks/:
 *   xx/ID      entry: the event is stored. xx is the low byte of the id's hash
 *   xx/.ID     pending: it is being stored, or its writer died
 *   claims     one byte an id in flight, write-locked (F_OFD_SETLK)
 *   days/DATE  the file that the entries of one day are hard links to
 *              (dayfile.h). An entry costs no inode, and its inode number
 *              tells its age
 *   settled    log position before which every id has its entry on disk
 *
 * Invariants: pending and entry of an id are made, moved and removed only
 * under its claim. The kernel frees a claim when its process dies, so a
 * pending name found under one's own claim is a dead writer's.
 * Trap: rename between two links of one inode succeeds and does nothing, so
 * a pending name is renamed only where no entry stands.
 *
 * Crash: entries need no sync of their own; what lies behind settled is made
 * again from the log. Threads: any. Ids are checked by delivery.h: no slash,
 * no leading dot. Errors: -1 with errno, logged here unless noted.
 */
#ifndef HOOKSPOOL_LOCKDIR_H
#define HOOKSPOOL_LOCKDIR_H

#include <stdint.h>
#include <sys/types.h>

struct lockdir;

/* Opens locks/ below the directory spool_fd, creating it; path is for messages. */
struct lockdir *lockdir_open(int spool_fd, const char *path);
void lockdir_close(struct lockdir *locks);

/* The directory and its name; borrowed. */
int lockdir_directory(const struct lockdir *locks, const char **path);

/* The exclusive right to store one id; while held, nobody else changes its names. */
struct lockdir_claim {
    int fd;
    off_t byte;
};

/*
 * Waits for the claim until the deadline (io_now()). -1 with errno EAGAIN,
 * not logged, when another still held it then.
 */
int lockdir_claim(struct lockdir *locks, const char *id, int64_t deadline,
                  struct lockdir_claim *claim);
void lockdir_release(struct lockdir *locks, struct lockdir_claim *claim);
/* For those who only look, with a descriptor of locks/claims: is it held? 1, 0, -1, not logged. */
int lockdir_claimed(int claims, const char *id);

int lockdir_stored(struct lockdir *locks, const char *id);  /* 1: has an entry, 0, -1 */
int lockdir_pending(struct lockdir *locks, const char *id); /* 1: has a pending name, 0, -1 */
/* These want the claim of id. */
int lockdir_pend(struct lockdir *locks, const char *id);    /* 1: was pending, 0: is now, -1 */
int lockdir_enter(struct lockdir *locks, const char *id);   /* pending, or nothing, to entry */
int lockdir_abandon(struct lockdir *locks, const char *id); /* pending to nothing */
int lockdir_renew(struct lockdir *locks, const char *id);   /* pending to pending as of today */
/*
 * As lockdir_enter(), for an event of the log that arrived at `received` (Unix seconds): an entry
 * made anew is of that day at least, so that it does not look old because a clock was wrong.
 */
int lockdir_restore(struct lockdir *locks, const char *id, int64_t received);
int lockdir_forget(struct lockdir *locks, const char *id); /* entry to nothing; durable */

/* The right to move settled on, read anew: a descriptor to close; -1, not logged, if taken. */
int lockdir_settling(struct lockdir *locks);

/* Everything that happened so far in the directories is on stable storage. */
int lockdir_sync(struct lockdir *locks);

/* As it was last read: when locks/ was opened, or by the two that say "anew". */
uint64_t lockdir_settled(struct lockdir *locks);
int lockdir_read_settled(struct lockdir *locks); /* anew */
int lockdir_set_settled(struct lockdir *locks, uint64_t position); /* durable when it returns 0 */

#endif
