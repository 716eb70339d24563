/* SPDX-License-Identifier: ISC */
/*
 * logstate: what the processes that append to one log tell each other: a page
 * of shared memory, the file log/state, and the lock over it, log/lock.
 *
 * The lock is a flock(2) between processes with a mutex under it between the
 * threads of one; the kernel frees it when its holder dies.
 *
 * Lives as long as the machine is up: after a boot it is not believed but
 * started anew from the segments (repair.h). It is never synced and nothing
 * durable rests on it. Written and read under the appenders' flock, or alone.
 * A process may die between any two stores (atomic, so in program order):
 * eventlog.c orders them such that the next to take the flock can go on.
 */
#ifndef HOOKSPOOL_LOGSTATE_H
#define HOOKSPOOL_LOGSTATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Moved under the exclusive lock on the spool, but for a new user's IN_USE. */
enum logstate_phase {
    LOGSTATE_DOUBTFUL, /* a repair has not been completed */
    LOGSTATE_CLEAN,    /* the last process to use it closed it in good order */
    LOGSTATE_IN_USE
};

enum { LOGSTATE_BOOT = 40 };

struct logstate_page {
    char magic[8];
    char boot[LOGSTATE_BOOT]; /* the kernel's boot id this page was written under */
    _Atomic uint64_t active;  /* position of the segment being appended to */
    _Atomic uint64_t written; /* end of the last whole append */
    _Atomic uint64_t synced;  /* all before it is on stable storage */
    _Atomic uint32_t cuts;    /* how often a failed sync has cut the log */
    _Atomic uint32_t opened;  /* cuts when the active segment was opened */
    _Atomic uint32_t closing; /* the active segment takes no more: the next begins at synced */
    _Atomic uint32_t phase;   /* enum logstate_phase */
    char beat;                /* logstate_announce() writes it */
};

struct logstate {
    struct logstate_page *page;
    const char *path; /* of the directory, for messages; borrowed */
    int lock_fd, page_fd;
    pthread_mutex_t mutex;
};

/* Opens, or creates, both files in the directory: 0, or -1 with errno, logged. */
int logstate_open(struct logstate *state, int dir, const char *path);
void logstate_close(struct logstate *state);

int logstate_enter(struct logstate *state); /* 0, or -1 with errno, logged */
void logstate_leave(struct logstate *state);

/* Was the page written since this boot, by a program that knows this layout? */
bool logstate_believed(const struct logstate *state);

/*
 * Says that synced was raised, to those who watch log/state by inotify(7): a
 * store to shared memory wakes nobody, a write of one byte does.
 */
void logstate_announce(const struct logstate *state);

/*
 * For those who only read, without opening: *synced as the page has it, under
 * the shared lock: 1; 0: there is no page of this boot. -1 with errno, logged;
 * but EWOULDBLOCK, not logged: the log is being repaired, or waits for it.
 */
int logstate_read(int dir, const char *path, uint64_t *synced);
int logstate_look(int dir, const char *path, struct logstate_page *page); /* all of it */

/* The kernel's id of this boot; "" when it does not tell. */
void logstate_boot(char boot[LOGSTATE_BOOT]);

/* Empties the page and stamps it with this boot: LOGSTATE_DOUBTFUL. */
void logstate_begin(struct logstate *state);

#endif
