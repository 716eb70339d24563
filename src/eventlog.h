/* SPDX-License-Identifier: ISC */
/*
 * eventlog: the log of a spool: appending to it, and what of it is on stable
 * storage.
 *
 * Owns the directory log/: the segments (segment.h), lock (the appenders'
 * flock) and state (memory shared by all processes, believed for one boot).
 *
 * Invariants, under the flock: written is the end of the last whole append;
 * what stands behind it is a dead writer's. synced <= written; what lies
 * before synced was covered by an fdatasync that returned 0. A failed sync
 * raises cuts, cuts the segment at synced and closes it: an extent written
 * under another value of cuts is lost, even if its own sync returned 0.
 *
 * Crash: at any instruction the files hold whole, durable lines up to synced;
 * behind it whole lines and at most one torn one after the death of a process,
 * anything after a power cut. repair.h makes lines of it again.
 *
 * Threads: any, unless "alone" is said: then nobody else has the spool open.
 * Positions are bytes from the start of the log.
 * Errors: -1 with errno, logged once here, where the path is known.
 */
#ifndef HOOKSPOOL_EVENTLOG_H
#define HOOKSPOOL_EVENTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "logstate.h"
#include "segfile.h"

struct eventlog;

/* Opens log/ below the directory spool_fd, creating it; path is for messages. */
struct eventlog *eventlog_open(int spool_fd, const char *path);
void eventlog_close(struct eventlog *log);

/* A segment is closed before an append that would take it beyond this many bytes. */
void eventlog_limit(struct eventlog *log, uint64_t segment_size);

/* What was appended: hand it to eventlog_sync() once, which lets it go. */
struct eventlog_extent {
    struct segfile *segment;
    uint64_t start, end;
    uint32_t cuts;
    bool rotated; /* a segment was closed on the way: it wants settling */
};

enum eventlog_appended {
    EVENTLOG_APPENDED,
    EVENTLOG_ABSENT, /* errno says why; nothing of the lines is in the log */
    EVENTLOG_UNSURE  /* likewise, but what was written could not be cut back */
};

/* Appends whole lines, bytes in all. The iovecs are consumed. */
enum eventlog_appended eventlog_append(struct eventlog *log, struct iovec *lines, int count,
                                       size_t bytes, struct eventlog_extent *extent);

/* Makes an extent durable. THE COMMIT POINT is the fdatasync in here returning 0. */
int eventlog_sync(struct eventlog *log, struct eventlog_extent *extent);

/*
 * Looks for the line of this id at or after `from`, whoever wrote it and
 * whether or not it was synced: 1 and an extent to be synced; 0; -1.
 */
int eventlog_find(struct eventlog *log, uint64_t from, const char *id,
                  struct eventlog_extent *extent);

/* Where the segment begins that is being appended to; all before it is durable. */
uint64_t eventlog_active(const struct eventlog *log);
/* Up to where everything is durable, and stays. */
uint64_t eventlog_synced(const struct eventlog *log);

/* The directory and its name, for scans (segment.h); borrowed. */
int eventlog_directory(const struct eventlog *log, const char **path);

/* What its last user left: doubtful, too, after a boot. */
enum logstate_phase eventlog_phase(const struct eventlog *log);
void eventlog_mark(struct eventlog *log, enum logstate_phase phase);

/* From here on a sync may have failed in this boot, unseen; UINT64_MAX after a boot. Alone. */
uint64_t eventlog_doubtful(const struct eventlog *log);
/* Starts the shared state: the segment at `active` ends at `end`, all durable. Alone. */
int eventlog_restart(struct eventlog *log, uint64_t active, uint64_t end);

#endif
