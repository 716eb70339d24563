/* SPDX-License-Identifier: ISC */
/*
 * retry: the failed events of a consumer that will be offered again: the
 * journal retry.ndjson and, in memory, what of it still stands.
 *
 * Lines are appended and synced: a failure (failure.h), which supersedes
 * earlier ones of its position, or {"done":POSITION,"xxh3":"…"}, after which
 * nothing of it stands. When more is superseded than stands, the journal is
 * written anew and renamed.
 *
 * Crash: a torn last line is cut by the next append; what was appended before
 * stands. An event is in the journal and not yet behind the cursor only when
 * the drain died between the two: ledger.c strikes it out then, for the log
 * will offer it again.
 *
 * All changes are made between consumer_enter() and consumer_leave(), and
 * after retry_refresh(), for others append as well. One thread.
 * Memory: about 72 bytes an event that stands. Errors: -1 with errno, logged.
 */
#ifndef HOOKSPOOL_RETRY_H
#define HOOKSPOOL_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

struct retry;

struct retry_entry {
    uint64_t position;
    int64_t first, next;
    uint64_t offset; /* of its line in the journal */
    uint64_t event_offset; /* in the journal: the event's bytes, event_len of them, no newline */
    size_t len, event_len;
    unsigned attempts;
};

/* Reads the journal; with `write`, creates it and keeps it open for changes. */
struct retry *retry_open(int dir, const char *path, bool write);
void retry_close(struct retry *retry);
/* Takes in what others have appended: 1; 0: nothing; -1. */
int retry_refresh(struct retry *retry);

size_t retry_count(const struct retry *retry);
/* The descriptor that the offsets of the entries are of; borrowed, changes with a compaction. */
int retry_descriptor(const struct retry *retry);

/* Every entry that stands, ascending by position: 0..retry_count()-1. Gone with the next change. */
const struct retry_entry *retry_at(const struct retry *retry, size_t which);
const struct retry_entry *retry_find(const struct retry *retry, uint64_t position);

/*
 * No failure has to wait longer than a backoff can be, `longest`: one that would was written while
 * the clock was wrong, or under another configuration, and is due.
 */
struct retry_clock {
    int64_t now, longest;
};

/* When an entry is due: its `next`, or now. */
int64_t retry_when(const struct retry_entry *entry, struct retry_clock clock);
/* Up to `most` entries that are due and not below `from`, ascending, copied to out; how many. */
size_t retry_due(const struct retry *retry, struct retry_clock clock, uint64_t from, size_t most,
                 struct retry_entry *out);
/* When the next one is due; INT64_MAX: none stands. */
int64_t retry_next(const struct retry *retry, struct retry_clock clock);

/* Its whole failure: 0; *line is malloc()ed and what failure->event points into. */
int retry_load(const struct retry *retry, const struct retry_entry *entry,
               struct failure *failure, char **line);

/* Each is durable when it returns 0; after -1, see journal_append(). */
int retry_add(struct retry *retry, const struct failure *failures, size_t count);
int retry_done(struct retry *retry, const uint64_t *positions, size_t count);

/* What stands is durable when it returns 0, whoever wrote it: journal_secure(). */
int retry_secure(struct retry *retry);

/*
 * Writes the journal anew if most of it is superseded. For the drain, while nothing runs: offsets
 * and descriptor change. After -1 the journal may be used on, behind a retry_refresh().
 */
int retry_compact(struct retry *retry);

#endif
