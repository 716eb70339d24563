/* SPDX-License-Identifier: ISC */
/*
 * stats: what happened in a spool: counters, matches of each secret, and a
 * day of history by the minute.
 *
 * Owns the file `stats` in the spool's directory, memory shared by all its
 * processes and readable by anybody who may read the file; struct stats_page
 * is its layout. Counters only go up; each store is atomic, the page as a
 * whole is not. Nothing rests on it: it is never synced, and where it cannot
 * be opened or is not ours it is done without (NULL is a valid stats).
 *
 * Threads and processes: any. A crash loses nothing; a power cut may lose the
 * last minutes. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_STATS_H
#define HOOKSPOOL_STATS_H

#include <stdint.h>

enum stats_outcome {
    STATS_STORED, STATS_DUPLICATE, STATS_IGNORED, STATS_REFUSED, STATS_FORGED, STATS_UNAVAILABLE
};

enum { STATS_OUTCOMES = STATS_UNAVAILABLE + 1, STATS_SECRETS = 64, STATS_MINUTES = 24 * 60 };

struct stats_secret {
    _Atomic uint64_t fingerprint; /* 0: free */
    _Atomic uint64_t matches;
    _Atomic int64_t last;         /* when it matched last */
};

struct stats_minute {
    _Atomic uint32_t minute; /* Unix minutes; another value than expected: long ago */
    _Atomic uint32_t count[STATS_OUTCOMES];
};

struct stats_page {
    char magic[8];
    _Atomic uint64_t count[STATS_OUTCOMES];
    _Atomic int64_t last[STATS_OUTCOMES];
    struct stats_secret secrets[STATS_SECRETS];
    struct stats_minute minutes[STATS_MINUTES]; /* by minute modulo their number */
};

struct stats;

/* Opens the file in a directory, creating it. NULL with errno, not logged. */
struct stats *stats_open(int dir);
void stats_close(struct stats *stats);

void stats_count(struct stats *stats, enum stats_outcome outcome, int64_t now);

/* One more event was signed with the secret of this fingerprint. */
void stats_match(struct stats *stats, uint64_t fingerprint, int64_t now);

/* What the file of a directory holds, without writing to it: 0, or -1 with errno, not logged. */
int stats_read(int dir, struct stats_page *page);

/* How many so far; *last is when, 0 for never. */
uint64_t stats_matches(struct stats *stats, uint64_t fingerprint, int64_t *last);

/* "stored" */
const char *stats_name(enum stats_outcome outcome);
/* How many events had this outcome in the last so many minutes, at most STATS_MINUTES. */
uint64_t stats_recent(const struct stats_page *page, enum stats_outcome outcome, int64_t now,
                      unsigned minutes);

#endif
