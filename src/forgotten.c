/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "forgotten.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "io.h"
#include "journal.h"
#include "log.h"
#include "record.h"
#include "when.h"

#define NAME "forgotten"
#define HEAD "{\"forgotten\":\""
#define BEFORE "\",\"before\":"

enum { LINE = 512 }; /* an id of 200 bytes, two numbers and the frame */

struct item {
    uint64_t hash; /* of the id */
    uint64_t before;
};

struct forgotten {
    struct journal journal;
    int lock; /* locks/claims; -1: only reads */
    struct item *items; /* ascending by hash, each once */
    size_t count, room;
    size_t lines, damaged;
};

static int fail(const struct forgotten *forgotten, const char *operation, const char *name)
{
    const int saved = errno;

    log_error("cannot %s '%s/%s': %s", operation, forgotten->journal.path, name, strerror(saved));
    errno = saved;
    return -1;
}

/* ---- what it holds */

/* The first item at or behind a hash. */
static size_t find(const struct forgotten *forgotten, uint64_t hash)
{
    size_t low = 0, high = forgotten->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (forgotten->items[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int put(struct forgotten *forgotten, uint64_t hash, uint64_t before)
{
    const size_t at = find(forgotten, hash);

    if (at < forgotten->count && forgotten->items[at].hash == hash) {
        if (forgotten->items[at].before < before)
            forgotten->items[at].before = before;
        return 0;
    }
    if (forgotten->count == forgotten->room) {
        const size_t room = forgotten->room == 0 ? 16 : forgotten->room * 2;
        struct item *grown = reallocarray(forgotten->items, room, sizeof(*grown));
        if (grown == NULL)
            return fail(forgotten, "read", NAME);
        forgotten->items = grown;
        forgotten->room = room;
    }
    memmove(&forgotten->items[at + 1], &forgotten->items[at],
            (forgotten->count - at) * sizeof(*forgotten->items));
    forgotten->items[at] = (struct item){hash, before};
    forgotten->count++;
    return 0;
}

/* What a line says, if it is one of ours. */
static bool parse(const char *line, size_t len, struct item *item)
{
    char text[LINE + 1];
    char *end;

    if (len > LINE || len < sizeof(HEAD) || memcmp(line, HEAD, sizeof(HEAD) - 1) != 0)
        return false;
    memcpy(text, line, len);
    text[len] = '\0';
    const char *id = text + sizeof(HEAD) - 1;
    const char *behind = strstr(id, BEFORE);
    if (behind == NULL)
        return false;
    item->hash = record_id_hash(id, (size_t)(behind - id));
    item->before = strtoull(behind + sizeof(BEFORE) - 1, &end, 10);
    return *end == ',';
}

static int take_line(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct forgotten *forgotten = context;
    struct item item;

    if (proven && parse(line, len, &item)) {
        forgotten->lines++;
        return put(forgotten, item.hash, item.before);
    }
    log_error("damaged line of %zu bytes at offset %" PRIu64 " of '%s/" NAME "'", len, offset,
              forgotten->journal.path);
    forgotten->damaged++;
    return 0;
}

struct forgotten *forgotten_open(int dir, const char *path, bool write)
{
    struct forgotten *forgotten = calloc(1, sizeof(*forgotten));

    if (forgotten == NULL) {
        log_error("cannot open '%s/" NAME "': %s", path, strerror(errno));
        return NULL;
    }
    forgotten->lock = -1;
    if (journal_open(&forgotten->journal, dir, path, NAME, write) == 0) {
        if (write)
            forgotten->lock = io_openat(dir, "claims", O_RDWR | O_NOFOLLOW, 0);
        if (write && forgotten->lock < 0)
            (void)fail(forgotten, "open", "claims");
        else if (journal_scan(&forgotten->journal, take_line, forgotten) == 0)
            return forgotten;
    }
    const int saved = errno;
    forgotten_close(forgotten);
    errno = saved;
    return NULL;
}

void forgotten_close(struct forgotten *forgotten)
{
    if (forgotten == NULL)
        return;
    journal_close(&forgotten->journal);
    if (forgotten->lock >= 0)
        close(forgotten->lock);
    free(forgotten->items);
    free(forgotten);
}

int forgotten_refresh(struct forgotten *forgotten)
{
    struct journal *journal = &forgotten->journal;
    const int current = journal_current(journal);

    if (current < 0)
        return -1;
    if (current == 0) { /* it was written anew, or there is one now */
        const struct journal old = *journal;
        journal_close(journal);
        forgotten->count = forgotten->lines = forgotten->damaged = 0;
        if (journal_open(journal, old.dir, old.path, NAME, old.write) < 0)
            return -1;
    }
    return journal_scan(journal, take_line, forgotten) == 0 ? 0 : -1;
}

uint64_t forgotten_before(const struct forgotten *forgotten, const char *id, size_t len)
{
    const uint64_t hash = record_id_hash(id, len);
    const size_t at = find(forgotten, hash);

    return at < forgotten->count && forgotten->items[at].hash == hash
             ? forgotten->items[at].before
             : 0;
}

size_t forgotten_count(const struct forgotten *forgotten)
{
    return forgotten->lines;
}

size_t forgotten_damaged(const struct forgotten *forgotten)
{
    return forgotten->damaged;
}

/* ---- changing it */

/* Alone with the file, and having seen all of it. */
static int enter(struct forgotten *forgotten)
{
    while (flock(forgotten->lock, LOCK_EX) < 0) {
        if (errno != EINTR)
            return fail(forgotten, "lock", "claims");
    }
    return forgotten_refresh(forgotten);
}

static void leave(struct forgotten *forgotten)
{
    const int saved = errno;

    (void)flock(forgotten->lock, LOCK_UN);
    errno = saved;
}

static int append(struct forgotten *forgotten, const char *id, uint64_t before, int64_t now)
{
    struct journal *journal = &forgotten->journal;
    char line[LINE + RECORD_SEAL], time[WHEN_SIZE];

    when_stamp(time, now);
    const int len = snprintf(line, LINE, HEAD "%s" BEFORE "%" PRIu64 ",\"time\":\"%s\"", id,
                             before, time);
    struct iovec part = {.iov_base = line, .iov_len = record_seal(line, (size_t)len)};
    const size_t bytes = part.iov_len;
    if (journal_append(journal, &part, 1, bytes) < 0)
        return -1;
    forgotten->lines++;
    return put(forgotten, record_id_hash(id, strlen(id)), before);
}

int forgotten_add(struct forgotten *forgotten, const char *id, uint64_t before, int64_t now)
{
    int result = enter(forgotten);

    if (result == 0)
        result = append(forgotten, id, before, now);
    leave(forgotten);
    return result;
}

/* Damaged lines are kept: fsck moves them aside. */
static bool is_useful(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    const uint64_t *begin = context;
    struct item item;

    (void)offset;
    return !proven || !parse(line, len, &item) || item.before > *begin;
}

struct usefulness {
    uint64_t begin;
    size_t useless;
};

static int count_useless(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct usefulness *usefulness = context;

    usefulness->useless += !is_useful(&usefulness->begin, line, len, offset, proven);
    return 0;
}

int forgotten_trim(struct forgotten *forgotten, uint64_t begin)
{
    struct usefulness usefulness = {.begin = begin};
    int result = enter(forgotten);

    if (result == 0) {
        forgotten->journal.end = 0; /* over all of it once more */
        result = journal_scan(&forgotten->journal, count_useless, &usefulness);
    }
    if (result == 0 && usefulness.useless > 0)
        result = journal_rewrite(&forgotten->journal, is_useful, &begin);
    if (result == 0)
        result = forgotten_refresh(forgotten);
    leave(forgotten);
    return result;
}
