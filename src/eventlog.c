/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "logstate.h"
#include "segfile.h"
#include "segment.h"

struct eventlog {
    char *path;
    int dir;
    struct logstate lock;
    struct logstate_page *state; /* of lock: what all processes see */
    _Atomic uint64_t segment_size;
    struct segfile *active; /* as far as we know; see use_active() */
    uint32_t active_cuts;
};

struct eventlog *eventlog_open(int spool_fd, const char *path)
{
    struct eventlog *log = calloc(1, sizeof(*log));

    if (log == NULL || asprintf(&log->path, "%s/log", path) < 0) {
        free(log);
        log_error("cannot open spool '%s': %s", path, strerror(ENOMEM));
        errno = ENOMEM;
        return NULL;
    }
    atomic_init(&log->segment_size, UINT64_MAX);
    log->lock.lock_fd = log->lock.page_fd = -1;
    log->dir = -1;
    if (io_mkdirat(spool_fd, "log", 0750) == 0 || errno == EEXIST)
        log->dir = io_openat(spool_fd, "log", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (log->dir < 0)
        log_error("cannot open directory '%s': %s", log->path, strerror(errno));
    else if (logstate_open(&log->lock, log->dir, log->path) == 0) {
        log->state = log->lock.page;
        return log;
    }
    const int saved = errno;
    eventlog_close(log);
    errno = saved;
    return NULL;
}

void eventlog_close(struct eventlog *log)
{
    if (log == NULL)
        return;
    segfile_release(log->active);
    logstate_close(&log->lock);
    if (log->dir >= 0)
        close(log->dir);
    free(log->path);
    free(log);
}

void eventlog_limit(struct eventlog *log, uint64_t segment_size)
{
    atomic_store(&log->segment_size, segment_size);
}

int eventlog_directory(const struct eventlog *log, const char **path)
{
    *path = log->path;
    return log->dir;
}

static int fail(const struct eventlog *log, const char *operation, uint64_t segment)
{
    const int saved = errno;

    log_error("cannot %s '%s/%020" PRIu64 ".ndjson': %s", operation, log->path, segment,
              strerror(saved));
    errno = saved;
    return -1;
}

static void set_active(struct eventlog *log, struct segfile *segment)
{
    segfile_release(log->active);
    log->active = segment;
    log->active_cuts = log->state->cuts;
}

/* Another process may have closed the segment we know, by rotation or after a failed sync. */
static int use_active(struct eventlog *log)
{
    const struct logstate_page *state = log->state;
    char name[SEGMENT_NAME_SIZE];

    if (log->active != NULL && log->active->start == state->active
        && log->active_cuts == state->cuts)
        return 0;
    segment_name(name, state->active);
    struct segfile *segment = segfile_open(log->dir, log->path, name, 0, state->active);
    if (segment == NULL)
        return -1;
    if (segfile_rewrite(segment, state->synced, state->written) < 0) {
        segfile_release(segment);
        return -1;
    }
    set_active(log, segment);
    return 0;
}

/*
 * The active segment takes no more: opens a new, empty one at synced, where
 * the log ends. By rename, because after a failed sync nothing may be left of
 * a segment that was cut to its very beginning and has the new one's name.
 * Death in here leaves closing set, and the next appender does it again.
 */
static int next_segment(struct eventlog *log)
{
    struct logstate_page *state = log->state;
    char name[SEGMENT_NAME_SIZE];

    state->closing = 1;
    segment_name(name, state->synced);
    struct segfile *segment = segfile_create(log->dir, log->path, state->synced);
    if (segment == NULL)
        return -1;
    /* The name is durable before anything is answered that relies on it. */
    if (io_renameat(log->dir, SEGFILE_NEXT, name) < 0 || io_fsync(log->dir) < 0) {
        (void)fail(log, "name", state->synced);
        segfile_release(segment);
        return -1;
    }
    state->active = state->written = state->synced;
    state->opened = state->cuts;
    state->closing = 0;
    set_active(log, segment);
    return 0;
}

/* After a failed sync: what lies behind synced is lost, and so is this file. */
static void cut(struct eventlog *log)
{
    struct logstate_page *state = log->state;

    log_error("segment '%s/%020" PRIu64 ".ndjson' is closed and cut at position %" PRIu64
              " after a failed sync", log->path, state->active, state->synced);
    const bool usable = use_active(log) == 0;

    /* In one store: nobody may call his extent durable, or append to this segment, any more. */
    state->cuts++;
    if (usable && io_ftruncate(log->active->fd, (off_t)(state->synced - state->active)) < 0)
        (void)fail(log, "cut", state->active); /* the next one's name bounds it all the same */
    (void)next_segment(log); /* or the next append tries again */
}

static int rotate(struct eventlog *log)
{
    /* Everybody's records in it: then one number can say what is durable. */
    if (io_fdatasync(log->active->fd) < 0) {
        (void)fail(log, "sync", log->active->start);
        cut(log);
        errno = EIO;
        return -1;
    }
    log->state->synced = log->state->written;
    logstate_announce(&log->lock);
    return next_segment(log);
}

/*
 * Somebody died between his write and noting it: his whole lines stay, a torn
 * one is cut. We hold the lock, so nobody is writing. A sync that covered his
 * lines may have failed before we opened the segment: they are written again.
 */
static int tidy(struct eventlog *log)
{
    struct logstate_page *state = log->state;
    struct stat st;

    if (fstat(log->active->fd, &st) < 0)
        return fail(log, "stat", state->active);
    const uint64_t end = state->active + (uint64_t)st.st_size;
    if (end == state->written)
        return 0;
    if (end < state->written) {
        log_error("segment '%s/%020" PRIu64 ".ndjson' has lost its end: %" PRIu64 " bytes",
                  log->path, state->active, state->written - end);
        state->cuts++; /* nobody may call durable what was there */
        state->synced = state->written;
        return next_segment(log);
    }
    uint64_t whole;
    if (segment_whole(log->dir, log->path, state->written, end, &whole) < 0
        || segfile_rewrite(log->active, state->written, whole) < 0)
        return -1;
    if (whole < end) {
        if (io_ftruncate(log->active->fd, (off_t)(whole - state->active)) < 0)
            return fail(log, "cut", state->active);
        log_warn("cut a torn line of %" PRIu64 " bytes at position %" PRIu64 " of '%s'",
                 end - whole, whole, log->path);
    }
    state->written = whole;
    return 0;
}

/* Makes the active segment fit to be appended to, whatever its last user left. Locked. */
static int prepare(struct eventlog *log)
{
    const bool closing = log->state->closing || log->state->opened != log->state->cuts;

    if (closing && next_segment(log) < 0)
        return -1;
    return use_active(log) < 0 || tidy(log) < 0 ? -1 : 0;
}

static enum eventlog_appended append_locked(struct eventlog *log, struct iovec *lines, int count,
                                            size_t bytes, struct eventlog_extent *extent)
{
    struct logstate_page *state = log->state;
    const uint64_t before = state->active;

    if (prepare(log) < 0)
        return EVENTLOG_ABSENT;

    const uint64_t size = state->written - state->active;
    if (size > 0 && size + bytes > atomic_load(&log->segment_size) && rotate(log) < 0)
        return EVENTLOG_ABSENT;

    const uint64_t start = state->written;
    if (io_pwritev_all(log->active->fd, lines, count, (off_t)(start - state->active)) < 0) {
        (void)fail(log, "write", state->active);
        const int saved = errno;
        const bool back = io_ftruncate(log->active->fd, (off_t)(start - state->active)) == 0;
        if (!back)
            (void)fail(log, "cut", state->active); /* the next appender does it: tidy() */
        errno = saved;
        return back ? EVENTLOG_ABSENT : EVENTLOG_UNSURE;
    }
    state->written = start + bytes;
    log->active->users++;
    *extent = (struct eventlog_extent){.segment = log->active, .start = start,
                                       .end = start + bytes, .cuts = state->cuts,
                                       .rotated = state->active != before};
    return EVENTLOG_APPENDED;
}

enum eventlog_appended eventlog_append(struct eventlog *log, struct iovec *lines, int count,
                                       size_t bytes, struct eventlog_extent *extent)
{
    if (logstate_enter(&log->lock) < 0)
        return EVENTLOG_ABSENT;
    const enum eventlog_appended result = append_locked(log, lines, count, bytes, extent);
    logstate_leave(&log->lock);
    return result;
}

int eventlog_sync(struct eventlog *log, struct eventlog_extent *extent)
{
    /* Outside the lock: others append, and sync, meanwhile. */
    const int synced = io_fdatasync(extent->segment->fd);
    if (synced < 0)
        (void)fail(log, "sync", extent->segment->start);

    if (logstate_enter(&log->lock) < 0) {
        if (synced < 0)
            log->state->cuts++; /* the next one who can lock closes the segment: prepare() */
        return -1;
    }
    int result = -1;
    if (extent->cuts != log->state->cuts) {
        log_error("position %" PRIu64 " of '%s' was cut after another's failed sync",
                  extent->start, log->path);
    } else if (synced < 0) {
        cut(log);
    } else {
        if (log->state->synced < extent->end)
            log->state->synced = extent->end;
        result = 0;
    }
    segfile_release(extent->segment);
    logstate_leave(&log->lock);
    if (result < 0)
        errno = EIO;
    else
        logstate_announce(&log->lock);
    return result;
}

/*
 * Makes an extent of the line found at [start, end). Locked. All that its sync
 * will vouch for is written again, and then the line is looked at once more: its
 * page may have been dropped, which a dirty one cannot be, and zeros written back.
 */
static int take_found(struct eventlog *log, uint64_t start, uint64_t end, const char *id,
                      struct eventlog_extent *extent)
{
    char name[SEGMENT_NAME_SIZE];
    uint64_t segment, again, behind;

    if (segment_holding(log->dir, log->path, start, &segment) < 0)
        return -1;
    segment_name(name, segment);
    struct segfile *opened = segfile_open(log->dir, log->path, name, 0, segment);
    if (opened == NULL)
        return -1;
    const uint64_t synced = log->state->synced;
    int found = segfile_rewrite(opened, start < synced ? start : synced, end);
    if (found == 0)
        found = segment_find(log->dir, log->path, start, end, id, &again, &behind);
    if (found <= 0) { /* the sender's retry looks again */
        const int saved = found == 0 ? EIO : errno;
        segfile_release(opened);
        errno = saved;
        return -1;
    }
    *extent = (struct eventlog_extent){.segment = opened, .start = start, .end = end,
                                       .cuts = log->state->cuts};
    return 0;
}

int eventlog_find(struct eventlog *log, uint64_t from, const char *id,
                  struct eventlog_extent *extent)
{
    uint64_t start, end;

    if (logstate_enter(&log->lock) < 0)
        return -1;
    const bool usable = prepare(log) == 0;
    const uint64_t to = log->state->written;
    const uint32_t cuts = log->state->cuts;
    logstate_leave(&log->lock);
    if (!usable)
        return -1;

    /* Outside the lock, for it may take long; the claim on the id keeps others from adding it. */
    const int found = segment_find(log->dir, log->path, from, to, id, &start, &end);
    if (found <= 0)
        return found;

    if (logstate_enter(&log->lock) < 0)
        return -1;
    int result = -1;
    if (cuts == log->state->cuts)
        result = take_found(log, start, end, id, extent);
    else
        errno = EIO; /* it may have been cut meanwhile: the sender's retry looks again */
    logstate_leave(&log->lock);
    return result < 0 ? -1 : 1;
}

uint64_t eventlog_active(const struct eventlog *log)
{
    return log->state->active;
}

uint64_t eventlog_synced(const struct eventlog *log)
{
    return log->state->synced;
}

enum logstate_phase eventlog_phase(const struct eventlog *log)
{
    return logstate_believed(&log->lock) ? log->state->phase : LOGSTATE_DOUBTFUL;
}

void eventlog_mark(struct eventlog *log, enum logstate_phase phase)
{
    log->state->phase = phase;
}

uint64_t eventlog_doubtful(const struct eventlog *log)
{
    return logstate_believed(&log->lock) ? log->state->synced : UINT64_MAX;
}

int eventlog_restart(struct eventlog *log, uint64_t active, uint64_t end)
{
    logstate_begin(&log->lock);
    log->state->active = active;
    log->state->written = log->state->synced = end;
    logstate_announce(&log->lock); /* readers may have waited for this */
    return use_active(log);
}
