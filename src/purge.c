/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "purge.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "age.h"
#include "cursor.h"
#include "expiry.h"
#include "forgotten.h"
#include "io.h"
#include "leftovers.h"
#include "log.h"
#include "upkeep.h"

enum {
    PATIENCE = 10,          /* seconds that others who settle are waited for */
    LEAST_WINDOW = 3 * 24 * 60 * 60, /* the sender's retries span up to 66 h */
    SLICE = 200 * 1000      /* nanoseconds of work between two rests: bench/purge */
};

/* One run over one spool. */
struct run {
    struct purge *purge;
    const struct config *config;
    struct spool spool;
    struct store *store; /* NULL: dry */
    int locks;           /* the directory; borrowed from the store unless dry */
    const char *locks_path;
    struct throttle throttle;
    uint64_t end;        /* the log is durable up to here */
    bool settled;        /* and every id before has its entry */
    int status;
};

static void note(struct run *run, int status)
{
    if (run->status == EX_OK || run->status == EX_TEMPFAIL)
        run->status = status;
}

int purge_right(int locks_dir, const char *path)
{
    const int fd = io_openat(locks_dir, "days", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    const int saved = errno;
    if (saved != EAGAIN)
        log_error("cannot lock '%s/days': %s", path, strerror(saved));
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

static void settle(struct run *run)
{
    if (store_settle_all(run->store, io_now() + (int64_t)PATIENCE * 1000000000) == 0) {
        run->settled = true;
        return;
    }
    if (errno == EAGAIN)
        log_warn("others settle the log of spool '%s', or store an event, for more than %d s: its "
                 "ids stay until the next time", run->spool.config->name, PATIENCE);
    note(run, upkeep_status(errno));
}

/* ---- segments */

/* Tells of consumers that are no longer in the configuration and had not come as far. */
static void tell_left_behind(const struct run *run)
{
    char **names;
    size_t count;

    if (run->purge->quiet || consumer_names(&run->spool, &names, &count) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct consumer consumer;
        struct cursor cursor;
        bool configured = false;
        for (size_t j = 0; j < run->config->consumer_count; j++)
            configured |= strcmp(run->config->consumers[j].name, names[i]) == 0
                       && run->config->consumers[j].spool_config == run->spool.config;
        if (configured || consumer_open(&consumer, &run->spool, names[i], NULL, false) < 0)
            continue;
        if (cursor_read(&cursor, consumer.dir, consumer.path, "cursor") > 0
            && cursor.position < run->purge->segments.begin)
            log_warn("consumer '%s' is not in the configuration, and had not passed what was "
                     "removed; if it is not to come back, remove '%s'", names[i], consumer.path);
        consumer_close(&consumer);
    }
    consumer_names_free(names, count);
}

static int remove_segments(struct run *run, struct retention *retention, uint64_t settled)
{
    struct purge *purge = run->purge;

    if (retention_plan(retention, settled, purge->now, &purge->segments) < 0)
        return -1;
    snprintf(purge->holder, sizeof(purge->holder), "%s", retention->holder);
    if (purge->dry || purge->segments.segments == 0)
        return 0;
    return retention_carry_out(retention, &purge->segments, &run->throttle);
}

static void purge_segments(struct run *run)
{
    struct retention retention;
    const uint64_t settled = run->store == NULL ? run->end
                                                : lockdir_settled(store_locks(run->store));

    if (retention_open(&retention, run->config, &run->spool, run->purge->dry) < 0) {
        note(run, upkeep_status(errno));
        return;
    }
    if (remove_segments(run, &retention, settled) < 0)
        note(run, upkeep_status(errno));
    retention_close(&retention);
    if (run->purge->segments.segments > 0)
        tell_left_behind(run);
}

/* ---- ids */

static void purge_ids(struct run *run)
{
    struct purge *purge = run->purge;
    const int64_t window = run->spool.config->dedupe_window;
    struct expiry expiry = {.store = run->store, .dir = run->locks, .path = run->locks_path};

    expiry.last = purge->now == INT64_MIN
                    ? -1
                    : expiry_last(purge->now, window > LEAST_WINDOW ? window : LEAST_WINDOW);
    int result = purge->dry ? 0 : expiry_mark(run->locks, run->locks_path, expiry.last);
    if (result == 0)
        result = expiry_run(&expiry, &run->throttle);
    if (result < 0)
        note(run, upkeep_status(errno));
    purge->ids = expiry.ids;
    purge->pending = expiry.pending;
    purge->recovered = expiry.recovered;
    purge->busy = expiry.busy;
    purge->days = expiry.days;
}

/* ---- what is left */

/* Notes of forgotten ids that are of no use any more. */
static int trim_forgotten(const struct run *run, uint64_t begin)
{
    if (faccessat(run->locks, "forgotten", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return 0;
    struct forgotten *forgotten = forgotten_open(run->locks, run->locks_path, true);
    if (forgotten == NULL)
        return -1;
    const int result = forgotten_trim(forgotten, begin);
    const int saved = errno;
    forgotten_close(forgotten);
    errno = saved;
    return result;
}

static void purge_leftovers(struct run *run)
{
    struct purge *purge = run->purge;
    uint64_t begin = purge->segments.begin;

    if (!purge->dry && spool_begin(&run->spool, &begin) < 0) { /* what there is, not the plan */
        note(run, EX_IOERR);
        return;
    }
    if (leftovers_remove(&run->spool, begin, purge->dry, &purge->leftovers) < 0
        || (!purge->dry && trim_forgotten(run, begin) < 0))
        note(run, upkeep_status(errno));
}

/* ---- the run */

static void carry_out(struct run *run)
{
    struct purge *purge = run->purge;

    throttle_begin(&run->throttle, SLICE, run->store == NULL ? 0 : purge->rest);
    if (run->store != NULL) {
        settle(run);
        run->end = eventlog_synced(store_log(run->store));
    }
    if (age_now(run->spool.log_dir, run->spool.log_path, run->end, &purge->now, &purge->held) < 0) {
        note(run, EX_IOERR);
        return;
    }
    purge_segments(run);
    if (run->settled || purge->dry)
        purge_ids(run);
    purge_leftovers(run);
}

static void run_dry(struct run *run)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/locks", run->spool.path);
    run->locks_path = path;
    run->locks = io_openat(run->spool.dir, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (run->locks < 0) {
        log_error("cannot open '%s': %s", path, strerror(errno));
        note(run, upkeep_status(errno));
        return;
    }
    if (spool_end(&run->spool, &run->end) < 0)
        note(run, upkeep_status(errno));
    else
        carry_out(run);
    close(run->locks);
}

static void run_opened(struct run *run)
{
    run->locks = lockdir_directory(store_locks(run->store), &run->locks_path);
    const int right = purge_right(run->locks, run->locks_path);
    if (right < 0) {
        run->purge->other = errno == EAGAIN;
        if (!run->purge->other)
            note(run, upkeep_status(errno));
        return;
    }
    carry_out(run);
    close(right);
}

int purge_spool(struct purge *purge, const struct config *config,
                const struct config_spool *which)
{
    struct run run = {.purge = purge, .config = config, .spool = SPOOL_CLOSED};

    if (!purge->dry && (run.store = upkeep_open(config, which, &run.status)) == NULL)
        return run.status;
    if (spool_open(&run.spool, config, which) < 0)
        note(&run, errno == ENOENT ? EX_UNAVAILABLE : upkeep_status(errno));
    else if (purge->dry)
        run_dry(&run);
    else
        run_opened(&run);
    spool_close(&run.spool);
    if (run.store != NULL)
        upkeep_close(run.store);
    return run.status;
}
