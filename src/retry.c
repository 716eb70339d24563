/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "retry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"
#include "record.h"

enum {
    COMPACT_SLACK = 256 * 1024, /* so much may be superseded before it is worth a new file */
    DONE_MAX = 64
};

#define NAME "retry.ndjson"
#define DONE "{\"done\":"

struct retry {
    struct journal journal;
    struct retry_entry *entries; /* ascending by position */
    size_t count, room;
    size_t struck;     /* entries of length 0, which sweep() takes out */
    uint64_t standing; /* bytes of the lines that stand */
    uint64_t damaged;  /* bytes of lines that do not prove themselves: they are kept */
};

static int fail(const struct retry *retry, const char *operation)
{
    const int saved = errno;

    log_error("cannot %s '%s/" NAME "': %s", operation, retry->journal.path, strerror(saved));
    errno = saved;
    return -1;
}

/* ---- what stands */

/* The first entry at or behind a position. */
static size_t find(const struct retry *retry, uint64_t position)
{
    size_t low = 0, high = retry->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (retry->entries[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int put(struct retry *retry, const struct retry_entry *entry)
{
    const size_t at = find(retry, entry->position);

    retry->standing += entry->len;
    if (at < retry->count && retry->entries[at].position == entry->position) {
        retry->standing -= retry->entries[at].len;
        retry->struck -= retry->entries[at].len == 0;
        retry->entries[at] = *entry;
        return 0;
    }
    if (retry->count == retry->room) {
        const size_t room = retry->room == 0 ? 64 : retry->room * 2;
        struct retry_entry *grown = reallocarray(retry->entries, room, sizeof(*grown));
        if (grown == NULL)
            return fail(retry, "read");
        retry->entries = grown;
        retry->room = room;
    }
    memmove(&retry->entries[at + 1], &retry->entries[at],
            (retry->count - at) * sizeof(*retry->entries));
    retry->entries[at] = *entry;
    retry->count++;
    return 0;
}

static void strike(struct retry *retry, uint64_t position)
{
    const size_t at = find(retry, position);

    if (at == retry->count || retry->entries[at].position != position
        || retry->entries[at].len == 0)
        return;
    retry->standing -= retry->entries[at].len;
    retry->entries[at].len = 0;
    retry->struck++;
}

/* Takes out what was struck: once for many, since all behind it moves. */
static void sweep(struct retry *retry)
{
    size_t kept = 0;

    if (retry->struck == 0)
        return;
    for (size_t i = 0; i < retry->count; i++) {
        if (retry->entries[i].len > 0)
            retry->entries[kept++] = retry->entries[i];
    }
    retry->count = kept;
    retry->struck = 0;
}

static struct retry_entry entry_of(const struct failure *failure, const char *line, size_t len,
                                   uint64_t offset)
{
    return (struct retry_entry){
        .position = failure->position, .first = failure->first, .next = failure->next,
        .offset = offset, .len = len,
        .event_offset = offset + (uint64_t)(failure->event - line),
        .event_len = failure->event_len, .attempts = failure->attempts};
}

/* ---- reading */

static bool is_done(const char *line, size_t len, uint64_t *position)
{
    if (len < sizeof(DONE) || len > DONE_MAX || memcmp(line, DONE, sizeof(DONE) - 1) != 0)
        return false;
    *position = strtoull(line + sizeof(DONE) - 1, NULL, 10);
    return true;
}

static int take_line(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct retry *retry = context;
    struct failure failure;
    uint64_t position;

    if (proven && is_done(line, len, &position)) {
        strike(retry, position);
        return 0;
    }
    if (proven && failure_decode(line, len, &failure)) {
        const struct retry_entry entry = entry_of(&failure, line, len, offset);
        return put(retry, &entry);
    }
    log_error("damaged line of %zu bytes at offset %" PRIu64 " of '%s/" NAME "'", len, offset,
              retry->journal.path);
    retry->damaged += len;
    return 0;
}

static int scan(struct retry *retry)
{
    const int result = journal_scan(&retry->journal, take_line, retry);

    sweep(retry);
    return result;
}

struct retry *retry_open(int dir, const char *path, bool write)
{
    struct retry *retry = calloc(1, sizeof(*retry));

    if (retry == NULL) {
        log_error("cannot open '%s/" NAME "': %s", path, strerror(errno));
        return NULL;
    }
    if (journal_open(&retry->journal, dir, path, NAME, write) < 0
        || scan(retry) != 0) {
        retry_close(retry);
        return NULL;
    }
    return retry;
}

void retry_close(struct retry *retry)
{
    if (retry == NULL)
        return;
    journal_close(&retry->journal);
    free(retry->entries);
    free(retry);
}

/* Another file bears the name: begins anew with that. */
static int reopen(struct retry *retry)
{
    const struct journal old = retry->journal;

    journal_close(&retry->journal);
    retry->count = retry->struck = 0;
    retry->standing = retry->damaged = 0;
    return journal_open(&retry->journal, old.dir, old.path, NAME, old.write);
}

int retry_refresh(struct retry *retry)
{
    const uint64_t end = retry->journal.end;
    const int current = journal_current(&retry->journal);

    if (current < 0 || (current == 0 && reopen(retry) < 0) || scan(retry) != 0)
        return -1;
    return current == 0 || retry->journal.end != end;
}

size_t retry_count(const struct retry *retry)
{
    return retry->count;
}

int retry_descriptor(const struct retry *retry)
{
    return retry->journal.fd;
}

const struct retry_entry *retry_at(const struct retry *retry, size_t which)
{
    return &retry->entries[which];
}

const struct retry_entry *retry_find(const struct retry *retry, uint64_t position)
{
    const size_t at = find(retry, position);

    return at < retry->count && retry->entries[at].position == position ? &retry->entries[at]
                                                                        : NULL;
}

int64_t retry_when(const struct retry_entry *entry, struct retry_clock clock)
{
    return entry->next > clock.now && entry->next - clock.now > clock.longest ? clock.now
                                                                              : entry->next;
}

size_t retry_due(const struct retry *retry, struct retry_clock clock, uint64_t from, size_t most,
                 struct retry_entry *out)
{
    size_t found = 0;

    for (size_t i = find(retry, from); i < retry->count && found < most; i++) {
        if (retry_when(&retry->entries[i], clock) <= clock.now)
            out[found++] = retry->entries[i];
    }
    return found;
}

int64_t retry_next(const struct retry *retry, struct retry_clock clock)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < retry->count; i++) {
        const int64_t when = retry_when(&retry->entries[i], clock);
        if (when < next)
            next = when;
    }
    return next;
}

int retry_load(const struct retry *retry, const struct retry_entry *entry,
               struct failure *failure, char **line)
{
    size_t done = 0;
    ssize_t got = 1;

    *line = malloc(entry->len);
    if (*line == NULL)
        return fail(retry, "read");
    while (done < entry->len && got > 0) {
        got = pread(retry->journal.fd, *line + done, entry->len - done,
                    (off_t)(entry->offset + done));
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            done += (size_t)got;
    }
    if (done == entry->len && failure_decode(*line, entry->len, failure)
        && failure->position == entry->position)
        return 0;
    if (got >= 0)
        errno = EIO; /* it proved itself when it was found */
    free(*line);
    *line = NULL;
    return fail(retry, "read");
}

/* ---- changing */

int retry_add(struct retry *retry, const struct failure *failures, size_t count)
{
    struct iovec *lines = calloc(count, sizeof(*lines));
    struct iovec *parts = calloc(count, sizeof(*parts));
    uint64_t offset = retry->journal.end;
    size_t made = 0, bytes = 0;
    int result = -1;

    while (lines != NULL && parts != NULL && made < count
           && (lines[made].iov_base = failure_encode(&failures[made], &lines[made].iov_len))
                  != NULL) {
        bytes += lines[made].iov_len;
        parts[made] = lines[made];
        made++;
    }
    if (made == count && count > 0)
        result = journal_append(&retry->journal, parts, (int)count, bytes);
    else
        (void)fail(retry, "append to");
    for (size_t i = 0; i < made; i++) {
        if (result == 0) {
            const struct iovec *line = &lines[i];
            struct failure written;
            (void)failure_decode(line->iov_base, line->iov_len, &written);
            const struct retry_entry entry =
                entry_of(&written, line->iov_base, line->iov_len, offset);
            offset += line->iov_len;
            result = put(retry, &entry);
        }
        free(lines[i].iov_base);
    }
    free(lines);
    free(parts);
    return result;
}

int retry_done(struct retry *retry, const uint64_t *positions, size_t count)
{
    char *text = malloc(count * DONE_MAX);
    size_t len = 0;

    if (text == NULL)
        return fail(retry, "append to");
    for (size_t i = 0; i < count; i++) {
        char *line = text + len;
        const int head = snprintf(line, DONE_MAX, DONE "%" PRIu64, positions[i]);
        len += record_seal(line, (size_t)head);
    }
    struct iovec lines = {.iov_base = text, .iov_len = len};
    const int result = journal_append(&retry->journal, &lines, 1, len);
    free(text);
    for (size_t i = 0; i < count && result == 0; i++)
        strike(retry, positions[i]);
    sweep(retry);
    return result;
}

int retry_secure(struct retry *retry)
{
    return journal_secure(&retry->journal);
}

/* What is to be kept of the journal: lines that stand, and damaged ones. */
static bool stands(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    const struct retry *retry = context;
    struct failure failure;
    uint64_t position;

    if (!proven)
        return true;
    if (is_done(line, len, &position))
        return false;
    if (!failure_decode(line, len, &failure))
        return true;
    const struct retry_entry *entry = retry_find(retry, failure.position);
    return entry != NULL && entry->offset == offset;
}

int retry_compact(struct retry *retry)
{
    if (retry->journal.end < 2 * (retry->standing + retry->damaged) + COMPACT_SLACK)
        return 0;
    if (journal_rewrite(&retry->journal, stands, retry) < 0)
        return -1;
    return retry_refresh(retry) < 0 ? -1 : 0;
}
