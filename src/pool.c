/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "log.h"
#include "runner.h"
#include "verdict.h"

/* What events are taken from. */
struct source {
    struct lane *lane; /* NULL: retry */
    int64_t now;       /* failed events that are due then, */
    uint64_t from;     /* and not before this position */
};

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

static int begin_retry(struct pool *pool, struct offer *offer, struct source *source, size_t most)
{
    const struct offer_options *options = pool->offers.options;
    const struct retry *retry = pool->offers.ledger->retry;

    if (offer->entries == NULL)
        offer->entries = calloc(options->batch, sizeof(*offer->entries));
    if (offer->entries == NULL) {
        log_error("cannot offer failed events: %s", strerror(ENOMEM));
        offer_end(&pool->offers, EX_TEMPFAIL);
        return -1;
    }
    const size_t count =
        retry_due(retry, source->now, source->from, options->ordered ? 1 : most, offer->entries);
    if (count == 0)
        return 0;
    if (options->ordered && offer->entries[0].position != retry_at(retry, 0)->position)
        return 0; /* the first of all is not due yet, and the others wait for it */
    source->from = offer->entries[count - 1].position + 1;
    pool->begun += count;
    return offer_retry(&pool->offers, offer, count);
}

/* Begins one offer: 1, 0: nothing is left to begin, -1. */
static int begin(struct pool *pool, struct offer *offer, struct source *source)
{
    const size_t most = most_now(pool);

    if (most == 0) {
        pool->offers.over = true;
        return 0;
    }
    if (source->lane == NULL)
        return begin_retry(pool, offer, source, most);
    const int begun = offer_lane(&pool->offers, offer, source->lane, most);
    if (begun > 0)
        pool->begun += offer->batch.count;
    return begun;
}

/* Fills the free jobs. */
static void begin_all(struct pool *pool, struct source *source)
{
    for (unsigned i = 0; i < pool->offers.options->jobs; i++) {
        if (pool->offer[i].busy)
            continue;
        if (pool->offers.over || pool->offers.broken
            || begin(pool, &pool->offer[i], source) <= 0)
            return;
    }
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
    case RUNNER_SIGNAL: /* what runs may end */
        pool->offers.over = true;
        if (pool->offers.options->verbose)
            log_info("asked to end; %u running", runner_running(pool->offers.runner));
        return false;
    case RUNNER_FAILED:
        break;
    }
    offer_end(&pool->offers, EX_OSERR);
    return false;
}

static void exhaust(struct pool *pool, struct source *source)
{
    struct cursor *cursor =
        source->lane != NULL ? source->lane->cursor : &pool->offers.ledger->cursor;

    pool->offers.broken = false;
    pool->offers.streak = 0;
    for (;;) {
        begin_all(pool, source);
        if (cursor_sync(cursor) < 0)
            offer_end(&pool->offers, EX_IOERR);
        if (runner_running(pool->offers.runner) == 0)
            break;
        (void)pool_wait(pool, -1, 0);
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
    exhaust(pool, &(struct source){.now = (int64_t)time(NULL)});
}
