/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "dead.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "log.h"
#include "positions.h"

#define NAME "dead.ndjson"

static int fail(const char *operation, const char *path)
{
    const int saved = errno;

    log_error("cannot %s '%s/" NAME "': %s", operation, path, strerror(saved));
    errno = saved;
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
        result = memory == NULL ? fail("write", path)
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

/* What is being listed, and where. */
struct graves {
    struct positions positions;
    const char *path;
};

static int note_position(void *context, const struct failure *failure)
{
    struct graves *graves = context;

    if (positions_add(&graves->positions, failure->position) == 0)
        return 0;
    return fail("read", graves->path);
}

int dead_positions(int dir, const char *path, uint64_t **list, size_t *count)
{
    struct graves graves = {.path = path};

    const int result = dead_scan(dir, path, note_position, &graves);
    if (result < 0) {
        const int saved = errno;
        free(graves.positions.list);
        errno = saved;
        return -1;
    }
    positions_sort(&graves.positions);
    *list = graves.positions.list;
    *count = graves.positions.count;
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
