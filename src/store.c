/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "eventlog.h"
#include "io.h"
#include "log.h"
#include "repair.h"
#include "segment.h"
#include "settle.h"

enum {
    INODES_RESERVED = 64, /* the spool needs one a segment and one or two a day */
    OPEN_PATIENCE = 15    /* seconds that opening waits for somebody to repair the spool */
};

struct store {
    char *path;
    int dir; /* holds the flock that says the spool is open */
    struct eventlog *log;
    struct lockdir *locks;
    struct commit *commit;
    _Atomic uint64_t min_free;
};

static int fail(const char *operation, const char *path)
{
    const int saved = errno;

    log_error("cannot %s '%s': %s", operation, path, strerror(saved));
    errno = saved;
    return -1;
}

/* Opens, or creates, the directory; refuses one that strangers can write to. */
static int open_directory(struct store *store)
{
    struct stat st;

    if (io_mkdirat(AT_FDCWD, store->path, 0750) < 0 && errno != EEXIST)
        return fail("create directory", store->path);
    store->dir = io_openat(AT_FDCWD, store->path, O_RDONLY | O_DIRECTORY, 0);
    if (store->dir < 0 || fstat(store->dir, &st) < 0)
        return fail("open directory", store->path);
    if ((st.st_mode & S_IWOTH) != 0) {
        log_error("spool '%s' can be written by others (mode %04o); chmod o-w", store->path,
                  (unsigned)(st.st_mode & 07777));
        errno = EPERM;
        return -1;
    }
    return 0;
}

static int lock_directory(const struct store *store, int how)
{
    int result;

    do
        result = flock(store->dir, how);
    while (result < 0 && errno == EINTR);
    return result;
}

/* The names of the spool and of what is in it are there after a power cut. */
static int sync_names(const struct store *store)
{
    const int parent = io_openat(store->dir, "..", O_RDONLY | O_DIRECTORY, 0);

    if (parent < 0)
        return fail("open the parent of", store->path);
    const int result = io_fsync(store->dir) < 0 || io_fsync(parent) < 0 ? fail("sync", store->path)
                                                                        : 0;
    close(parent);
    return result;
}

/* Where the log is settled up to. A position within a line would make damage of that line. */
static int find_settled(const struct store *store, uint64_t *settled)
{
    const char *path;
    const int dir = eventlog_directory(store->log, &path);

    *settled = lockdir_settled(store->locks);
    const int boundary = segment_boundary(dir, path, *settled);
    if (boundary == 0) {
        log_error("no line of '%s' begins at position %ju, up to which it is said to be settled: "
                  "all of it will be looked at", path, (uintmax_t)*settled);
        *settled = 0;
    }
    return boundary < 0 ? -1 : 0;
}

/*
 * Makes log and lock directory agree after a crash. First the log is whole
 * and durable, then each of its ids has an entry, then those are durable,
 * then settled says so: a crash in between is repaired by doing it again.
 */
static int repair(struct store *store)
{
    uint64_t from, end;

    eventlog_mark(store->log, LOGSTATE_DOUBTFUL); /* until this is complete, should we die in it */
    if (sync_names(store) < 0 || find_settled(store, &from) < 0
        || repair_log(store->log, from, &end) < 0)
        return -1;
    return from == end ? 0 : settle_alone(store->log, store->locks, from, end);
}

/* Has the lock directory not been made, or been lost? Then it is made again from the log. */
static bool lacks_locks(const struct store *store)
{
    return faccessat(store->dir, "locks/ff", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Nobody else has the spool open: leaves it fit for use, under the shared lock. */
static int enter_alone(struct store *store)
{
    if ((store->log = eventlog_open(store->dir, store->path)) == NULL)
        return -1;
    if (lacks_locks(store)) { /* said before it looks complete, should we die on the way */
        eventlog_mark(store->log, LOGSTATE_DOUBTFUL);
        if (io_unlinkat(store->dir, "locks/settled") < 0 && errno != ENOENT)
            return fail("forget what is settled of", store->path);
    }
    if ((store->locks = lockdir_open(store->dir, store->path)) == NULL)
        return -1;
    if (eventlog_phase(store->log) != LOGSTATE_CLEAN && repair(store) < 0)
        return -1;
    eventlog_mark(store->log, LOGSTATE_IN_USE);
    return lock_directory(store, LOCK_SH) < 0 ? fail("lock", store->path) : 0;
}

/*
 * Beside others: 1 when the spool is fit for use, 0 when it is not, because
 * whoever had it to himself died, or gave up, before his repair was complete.
 */
static int enter_beside(struct store *store)
{
    if ((store->log = eventlog_open(store->dir, store->path)) == NULL)
        return -1;
    if (eventlog_phase(store->log) != LOGSTATE_DOUBTFUL && !lacks_locks(store)) {
        if ((store->locks = lockdir_open(store->dir, store->path)) == NULL)
            return -1;
        eventlog_mark(store->log, LOGSTATE_IN_USE); /* whoever left last may just have said clean */
        return 1;
    }
    eventlog_close(store->log);
    store->log = NULL;
    return lock_directory(store, LOCK_UN) < 0 ? fail("unlock", store->path) : 0;
}

/* Takes the shared lock on the spool; whoever finds himself alone repairs it first. */
static int enter_spool(struct store *store)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    const int64_t deadline = io_now() + (int64_t)OPEN_PATIENCE * 1000000000;

    while (io_now() < deadline) {
        if (lock_directory(store, LOCK_EX | LOCK_NB) == 0)
            return enter_alone(store);
        if (lock_directory(store, LOCK_SH | LOCK_NB) == 0) { /* else somebody repairs it */
            const int fit = enter_beside(store);
            if (fit != 0)
                return fit < 0 ? -1 : 0; /* else one of those who find this out will be alone */
        } else if (errno != EWOULDBLOCK) {
            return fail("lock", store->path);
        }
        nanosleep(&pause, NULL);
    }
    log_error("cannot open spool '%s': it is locked, or in use without its log/state or locks",
              store->path);
    errno = EBUSY;
    return -1;
}

struct store *store_open(const char *path, const struct store_limits *limits)
{
    struct store *store = calloc(1, sizeof(*store));

    if (store == NULL || (store->path = strdup(path)) == NULL) {
        free(store);
        (void)fail("open spool", path);
        return NULL;
    }
    store->dir = -1;
    if (open_directory(store) < 0 || enter_spool(store) < 0
        || (store->commit = commit_new(store->log)) == NULL) {
        const int saved = errno;
        store_close(store);
        errno = saved;
        return NULL;
    }
    store_limit(store, limits);
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    /* The last one out says that nothing is left to repair. */
    if (store->commit != NULL && lock_directory(store, LOCK_EX | LOCK_NB) == 0)
        eventlog_mark(store->log, LOGSTATE_CLEAN);
    commit_free(store->commit);
    lockdir_close(store->locks);
    eventlog_close(store->log);
    if (store->dir >= 0)
        close(store->dir);
    free(store->path);
    free(store);
}

void store_limit(struct store *store, const struct store_limits *limits)
{
    eventlog_limit(store->log, limits->segment_size);
    atomic_store(&store->min_free, limits->min_free);
}

int store_directory(const struct store *store)
{
    return store->dir;
}

struct eventlog *store_log(const struct store *store)
{
    return store->log;
}

struct lockdir *store_locks(const struct store *store)
{
    return store->locks;
}

static bool has_room(const struct store *store, size_t len)
{
    struct statvfs fs;

    if (fstatvfs(store->dir, &fs) < 0) {
        (void)fail("stat the file system of", store->path);
        return false;
    }
    const uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    const bool inodes = fs.f_files == 0 || fs.f_favail >= INODES_RESERVED; /* 0: has no limit */
    return inodes && free_bytes >= atomic_load(&store->min_free) + len;
}

static enum store_verdict failed(void)
{
    return errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_FAILED;
}

/* What came of the line: step 6, or back to nothing where that is certain. */
static enum store_verdict conclude(struct store *store, const char *id, enum commit_result result)
{
    switch (result) {
    case COMMIT_DURABLE:
        /* The event is safe: should this fail, the pending name and the log make up for it. */
        (void)lockdir_enter(store->locks, id);
        return STORE_STORED;
    case COMMIT_ABSENT: {
        const enum store_verdict verdict = errno == ETIMEDOUT ? STORE_SLOW : failed();
        (void)lockdir_abandon(store->locks, id); /* spares the retry a search of the log */
        return verdict;
    }
    case COMMIT_LATE:
        return STORE_LATE;
    case COMMIT_UNSURE: /* the pending name stays: the retry looks into the log */
        break;
    }
    return STORE_FAILED;
}

/* Steps 2 to 6, under the claim of id. */
static enum store_verdict put_claimed(struct store *store, const char *id, const char *line,
                                      size_t len, int64_t deadline, struct commit_entry *entry)
{
    const int stored = lockdir_stored(store->locks, id); /* 2 */
    if (stored != 0)
        return stored > 0 ? STORE_DUPLICATE : STORE_FAILED;

    if (!has_room(store, len))
        return STORE_FULL; /* before anything is written */

    const int pending = lockdir_pend(store->locks, id); /* 3 */
    if (pending < 0)
        return failed();
    if (pending > 0) { /* 4: its writer died, for we hold the claim */
        const int recovered = settle_pending(store->log, store->locks, id);
        if (recovered < 0)
            return STORE_FAILED;
        if (recovered > 0) {
            (void)lockdir_enter(store->locks, id);
            return STORE_DUPLICATE;
        }
        if (lockdir_renew(store->locks, id) < 0) /* else the entry were as old as his attempt */
            return failed();
    }
    return conclude(store, id, commit_line(store->commit, entry, line, len, deadline)); /* 5, 6 */
}

enum store_verdict store_put(struct store *store, const char *id, const char *line, size_t len,
                             int64_t deadline, struct store_ticket *ticket)
{
    if (lockdir_claim(store->locks, id, deadline, &ticket->claim) < 0) /* 1 */
        return errno == EAGAIN ? STORE_BUSY : STORE_FAILED;
    const enum store_verdict verdict =
        put_claimed(store, id, line, len, deadline, &ticket->entry);
    if (verdict != STORE_LATE) /* else nobody may store the id until it is known whether we did */
        lockdir_release(store->locks, &ticket->claim); /* 7 */
    return verdict;
}

void store_finish(struct store *store, const char *id, struct store_ticket *ticket)
{
    (void)conclude(store, id, commit_wait(&ticket->entry));
    lockdir_release(store->locks, &ticket->claim);
}

void store_settle(struct store *store)
{
    /* Should another be at it, the next closed segment brings us back. */
    if (commit_rotated(store->commit))
        (void)settle_beside(store->log, store->locks, eventlog_active(store->log), 0);
}

int store_settle_all(struct store *store, int64_t deadline)
{
    return settle_beside(store->log, store->locks, eventlog_synced(store->log), deadline);
}
