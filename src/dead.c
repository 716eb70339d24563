/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "dead.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "log.h"

#define NAME "dead.ndjson"

static int no_memory(const char *path)
{
    log_error("cannot write '%s/" NAME "': %s", path, strerror(ENOMEM));
    errno = ENOMEM;
    return -1;
}

int dead_add(int dir, const char *path, const struct failure *failures, size_t count)
{
    struct journal journal;
    int result = journal_open(&journal, dir, path, NAME, true);

    if (result == 0)
        result = journal_skip(&journal);
    for (size_t i = 0; i < count && result == 0; i++) {
        struct iovec line;
        line.iov_base = failure_encode(&failures[i], &line.iov_len);
        char *const memory = line.iov_base;
        result = memory == NULL ? no_memory(path)
                                : journal_append(&journal, &line, 1, line.iov_len);
        free(memory);
    }
    journal_close(&journal);
    return result;
}

struct scan {
    const char *path;
    dead_visit *visit;
    void *context;
};

static int visit_line(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    const struct scan *scan = context;
    struct failure failure;

    if (proven && failure_decode(line, len, &failure))
        return scan->visit(scan->context, &failure);
    log_error("damaged line of %zu bytes at offset %" PRIu64 " of '%s/" NAME "'", len, offset,
              scan->path);
    return 0;
}

int dead_scan(int dir, const char *path, dead_visit *visit, void *context)
{
    struct scan scan = {.path = path, .visit = visit, .context = context};
    struct journal journal;
    int result = journal_open(&journal, dir, path, NAME, false);

    if (result == 0)
        result = journal_scan(&journal, visit_line, &scan);
    journal_close(&journal);
    return result;
}

struct positions {
    uint64_t *list;
    size_t count, room;
};

static int note_position(void *context, const struct failure *failure)
{
    struct positions *positions = context;

    if (positions->count == positions->room) {
        const size_t room = positions->room == 0 ? 64 : positions->room * 2;
        uint64_t *grown = reallocarray(positions->list, room, sizeof(*grown));
        if (grown == NULL)
            return -1;
        positions->list = grown;
        positions->room = room;
    }
    positions->list[positions->count++] = failure->position;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int dead_positions(int dir, const char *path, uint64_t **list, size_t *count)
{
    struct positions positions = {0};

    const int result = dead_scan(dir, path, note_position, &positions);
    if (result < 0) {
        const int saved = errno;
        free(positions.list);
        errno = saved;
        return -1;
    }
    if (positions.count > 1)
        qsort(positions.list, positions.count, sizeof(*positions.list), compare);
    *list = positions.list;
    *count = positions.count;
    return 0;
}

struct drop {
    dead_choose *choose;
    void *context;
    size_t count;
};

/* What stays: what is not to be dropped, and what is damaged. */
static bool stays(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    const struct drop *drop = context;
    struct failure failure;

    (void)offset;
    return !proven || !failure_decode(line, len, &failure)
        || !drop->choose(drop->context, &failure);
}

static int count_chosen(void *context, const char *line, size_t len, uint64_t offset, bool proven)
{
    struct drop *drop = context;

    drop->count += !stays(context, line, len, offset, proven);
    return 0;
}

int dead_count(int dir, const char *path, dead_choose *choose, void *context, size_t *count)
{
    struct drop drop = {.choose = choose, .context = context};
    struct journal journal;
    int result = journal_open(&journal, dir, path, NAME, false);

    if (result == 0)
        result = journal_scan(&journal, count_chosen, &drop);
    *count = drop.count;
    journal_close(&journal);
    return result;
}

int dead_drop(int dir, const char *path, dead_choose *choose, void *context, size_t *dropped)
{
    struct drop drop = {.choose = choose, .context = context};
    struct journal journal;
    int result = journal_open(&journal, dir, path, NAME, false);

    if (result == 0)
        result = journal_scan(&journal, count_chosen, &drop);
    if (result == 0 && drop.count > 0) /* else the file stays as it is */
        result = journal_rewrite(&journal, stays, &drop);
    *dropped = result == 0 ? drop.count : 0;
    journal_close(&journal);
    return result;
}
