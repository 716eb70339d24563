/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "settle.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "forgotten.h"
#include "io.h"
#include "recap.h"

enum { PATIENCE = 10 /* seconds that settling waits for a live writer of an id */ };

struct settle {
    struct lockdir *locks;
    struct forgotten *forgotten;
    struct recap *recap; /* summaries of the segments that pass by */
    int error;           /* of a visit */
};

bool settle_id(char id[SETTLE_ID], const struct segment_line *line)
{
    if (line->damaged || line->view.id_len == 0 || line->view.id_len >= SETTLE_ID
        || line->view.id[0] == '.' || memchr(line->view.id, '/', line->view.id_len) != NULL)
        return false;
    memcpy(id, line->view.id, line->view.id_len);
    id[line->view.id_len] = '\0';
    return true;
}

static int stop(struct settle *settle)
{
    settle->error = errno;
    return 1;
}

/* Gives the id of a line its entry, if it has none and is to have one. */
static int restore(struct settle *settle, const char *id, const struct segment_line *line)
{
    const int stored = lockdir_stored(settle->locks, id);

    if (stored != 0)
        return stored > 0 ? 0 : -1;
    if (forgotten_refresh(settle->forgotten) < 0)
        return -1;
    if (line->position < forgotten_before(settle->forgotten, id, strlen(id)))
        return 0;
    return lockdir_restore(settle->locks, id, filter_received(&line->view));
}

static int visit_alone(void *context, const struct segment_line *line)
{
    struct settle *settle = context;
    char id[SETTLE_ID];

    recap_add(settle->recap, line);
    if (!settle_id(id, line))
        return 0;
    return restore(settle, id, line) < 0 ? stop(settle) : 0;
}

static int visit_beside(void *context, const struct segment_line *line)
{
    struct settle *settle = context;
    struct lockdir_claim claim;
    char id[SETTLE_ID];

    recap_add(settle->recap, line);
    if (!settle_id(id, line) || lockdir_stored(settle->locks, id) == 1)
        return 0;
    /* A live writer is about to make it himself, and holds the claim. */
    const int64_t deadline = io_now() + (int64_t)PATIENCE * 1000000000;
    if (lockdir_claim(settle->locks, id, deadline, &claim) < 0)
        return stop(settle);
    const int result = restore(settle, id, line);
    lockdir_release(settle->locks, &claim);
    return result < 0 ? stop(settle) : 0;
}

/* Visits all lines, syncs what was made of them, and moves settled. */
static int settle_extent(struct eventlog *log, struct lockdir *locks, uint64_t from, uint64_t to,
                         segment_visit *visit)
{
    const char *log_path, *path;
    const int log_dir = eventlog_directory(log, &log_path);
    const int dir = lockdir_directory(locks, &path);
    struct settle settle = {.locks = locks, .forgotten = forgotten_open(dir, path, false)};

    if (settle.forgotten == NULL)
        return -1;
    settle.recap = recap_begin(log_dir, log_path, from, to);
    int result = segment_scan(log_dir, log_path, from, to, visit, &settle);
    if (result > 0) {
        errno = settle.error;
        result = -1;
    }
    const int saved = errno;
    recap_end(settle.recap, result == 0);
    forgotten_close(settle.forgotten);
    errno = saved;
    if (result < 0 || lockdir_sync(locks) < 0)
        return -1;
    return lockdir_set_settled(locks, to);
}

int settle_alone(struct eventlog *log, struct lockdir *locks, uint64_t from, uint64_t to)
{
    return settle_extent(log, locks, from, to, visit_alone);
}

/* The right to settle, which another may have until the deadline. */
static int take_right(struct lockdir *locks, int64_t deadline)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    int right;

    while ((right = lockdir_settling(locks)) < 0 && errno == EAGAIN && io_now() < deadline)
        nanosleep(&pause, NULL);
    return right;
}

int settle_beside(struct eventlog *log, struct lockdir *locks, uint64_t to, int64_t deadline)
{
    const int right = take_right(locks, deadline);

    if (right < 0)
        return -1;
    const uint64_t from = lockdir_settled(locks);
    const int result = from < to ? settle_extent(log, locks, from, to, visit_beside) : 0;
    const int saved = errno;
    close(right);
    errno = saved;
    return result;
}

int settle_pending(struct eventlog *log, struct lockdir *locks, const char *id)
{
    struct eventlog_extent extent;
    const char *path;
    const int dir = lockdir_directory(locks, &path);

    /* Anew, for whoever forgot the id, or mended settled, was another process. */
    if (lockdir_read_settled(locks) < 0)
        return -1;
    struct forgotten *forgotten = forgotten_open(dir, path, false);
    if (forgotten == NULL)
        return -1;
    const uint64_t before = forgotten_before(forgotten, id, strlen(id));
    const uint64_t settled = lockdir_settled(locks);
    forgotten_close(forgotten);

    const int found = eventlog_find(log, settled > before ? settled : before, id, &extent);
    if (found <= 0)
        return found;
    return eventlog_sync(log, &extent) < 0 ? -1 : 1;
}

int settle_conclude(struct eventlog *log, struct lockdir *locks, const char *id)
{
    /* Beside an entry the name is of no use, and renaming it would do nothing. */
    const int stored = lockdir_stored(locks, id);
    const int found = stored != 0 ? stored : settle_pending(log, locks, id);

    if (found < 0)
        return -1;
    const int result =
        stored == 0 && found > 0 ? lockdir_enter(locks, id) : lockdir_abandon(locks, id);
    return result < 0 ? -1 : found;
}
