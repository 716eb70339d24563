/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "io.h"
#include "log.h"
#include "runner.h"
#include "status.h"
#include "verdict.h"

/* What events are taken from. */
struct source {
    struct lane *lane; /* NULL: retry */
    struct retry_clock clock; /* failed events that are due then, */
    uint64_t from;            /* and not before this position */
};

#define SYNC_EVERY (INT64_C(200) * 1000000)

int pool_open(struct pool *pool, int dir, const char *path)
{
    const struct offer_options *options = pool->offers.options;

    pool->offer = calloc(options->jobs, sizeof(*pool->offer));
    if (pool->offer == NULL) {
        log_error("cannot begin to drain: %s", strerror(errno));
        return -1;
    }
    pool->offers.runner = runner_new(options->jobs);
    pool->offers.again = reader_new(dir, path);
    if (pool->offers.runner == NULL || pool->offers.again == NULL)
        return -1;
    progress_begin(&pool->progress, pool->offers.ledger->consumer->name,
                   !options->quiet && !options->follow);
    return 0;
}

void pool_close(struct pool *pool)
{
    progress_wipe(&pool->progress);
    runner_free(pool->offers.runner);
    for (unsigned i = 0; pool->offer != NULL && i < pool->offers.options->jobs; i++)
        offer_release(&pool->offer[i]);
    free(pool->offer);
    reader_free(pool->offers.again);
}

/* How many events the next batch may have. */
static size_t most_now(const struct pool *pool)
{
    const struct offer_options *options = pool->offers.options;
    const uint64_t left = options->max - pool->begun;

    return left < options->batch ? (size_t)left : options->batch;
}

static enum offer_begun begin_retry(struct pool *pool, struct offer *offer, struct source *source,
                                    size_t most)
{
    const struct offer_options *options = pool->offers.options;
    const struct retry *retry = pool->offers.ledger->retry;

    if (offer->entries == NULL)
        offer->entries = calloc(options->batch, sizeof(*offer->entries));
    if (offer->entries == NULL) {
        log_error("cannot offer failed events: %s", strerror(ENOMEM));
        offer_end(&pool->offers, EX_TEMPFAIL);
        return OFFER_FAILED;
    }
    const size_t count = retry_due(retry, source->clock, source->from, options->ordered ? 1 : most,
                                   offer->entries);
    if (count == 0)
        return OFFER_NOTHING;
    if (options->ordered && offer->entries[0].position != retry_at(retry, 0)->position)
        return OFFER_NOTHING; /* the first of all is not due yet, and the others wait for it */
    source->from = offer->entries[count - 1].position + 1;
    pool->begun += count;
    return offer_retry(&pool->offers, offer, count);
}

static enum offer_begun begin_lane(struct pool *pool, struct offer *offer, struct lane *lane,
                                   size_t most)
{
    const unsigned running = runner_running(pool->offers.runner);

    /* Each run, and each gap that an earlier drain has left, may leave an extent in the cursor. */
    if (running > 0 && cursor_ahead(lane->cursor, lane->next) + running >= CURSOR_EXTENTS)
        return OFFER_NOTHING;
    const enum offer_begun begun = offer_lane(&pool->offers, offer, lane, most);
    if (begun == OFFER_RUNS)
        pool->begun += offer->batch.count;
    return begun;
}

/* Begins one offer. */
static enum offer_begun begin(struct pool *pool, struct offer *offer, struct source *source)
{
    const size_t most = most_now(pool);

    pool->full = most == 0;
    if (pool->full || pool->offers.over || pool->offers.broken)
        return OFFER_NOTHING;
    return source->lane == NULL ? begin_retry(pool, offer, source, most)
                                : begin_lane(pool, offer, source->lane, most);
}

/* Fills the free jobs. */
static enum offer_begun begin_all(struct pool *pool, struct source *source)
{
    enum offer_begun begun = OFFER_RUNS;

    for (unsigned i = 0; i < pool->offers.options->jobs && begun == OFFER_RUNS; i++) {
        if (!pool->offer[i].busy)
            begun = begin(pool, &pool->offer[i], source);
    }
    return begun;
}

static void conclude(struct pool *pool, struct run_result *result)
{
    const uint64_t at = pool->offers.ledger->cursor.position;

    progress_wipe(&pool->progress);
    verdict_conclude(&pool->offers, result->context, result);
    free(result->output);
    progress_show(&pool->progress, pool->offers.acknowledged,
                  at > pool->start ? at - pool->start : 0, pool->end - pool->start);
}

static void end_asked(struct pool *pool)
{
    struct offers *offers = &pool->offers;

    offers->over = true;
    if (offers->options->verbose)
        log_info("asked to end; %u running", runner_running(offers->runner));
    if (offers->asked++ > 0)
        runner_stop(offers->runner);
}

bool pool_wait(struct pool *pool, int fd, int64_t deadline)
{
    struct run_result result;

    switch (runner_wait(pool->offers.runner, fd, deadline, &result)) {
    case RUNNER_ENDED:
        conclude(pool, &result);
        return true;
    case RUNNER_READY:
    case RUNNER_DEADLINE:
        return true;
    case RUNNER_SIGNAL:
        end_asked(pool);
        return false;
    case RUNNER_FAILED:
        break;
    }
    pool->lost = true;
    offer_end(&pool->offers, EX_OSERR);
    return false;
}

/* What is decided is in the kernel's hands; on the disk it is when nothing else is to be done. */
static void sync_cursor(struct pool *pool, struct cursor *cursor, bool now)
{
    if (!now && io_now() - pool->synced < SYNC_EVERY)
        return;
    if (cursor_sync(cursor) < 0)
        offer_end_doubtful(&pool->offers); /* it may be read back as it was */
    pool->synced = io_now();
}

static void exhaust(struct pool *pool, struct source *source)
{
    struct cursor *cursor =
        source->lane != NULL ? source->lane->cursor : &pool->offers.ledger->cursor;

    pool->offers.broken = false;
    pool->offers.streak = 0;
    while (!pool->lost) {
        const enum offer_begun begun = begin_all(pool, source);
        const bool idle = runner_running(pool->offers.runner) == 0;
        sync_cursor(pool, cursor, idle);
        if (!idle || begun == OFFER_SKIPPED) /* then only a look at the signals */
            (void)pool_wait(pool, -1, begun == OFFER_SKIPPED ? io_now() : 0);
        else if (begun != OFFER_RUNS) /* else it did, and was over at once */
            break;
    }
    if (pool->offers.broken) {
        pool->broken = true;
        if (pool->offers.status == EX_OK)
            pool->offers.status = EX_TEMPFAIL;
    }
}

void pool_lane(struct pool *pool, struct lane *lane)
{
    exhaust(pool, &(struct source){.lane = lane});
}

void pool_retry(struct pool *pool)
{
    exhaust(pool, &(struct source){.clock = ledger_clock(pool->offers.ledger)});
}
