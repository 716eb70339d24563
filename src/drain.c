/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "drain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sysexits.h>
#include <time.h>

#include "consumer.h"
#include "follow.h"
#include "io.h"
#include "ledger.h"
#include "log.h"
#include "pool.h"
#include "program.h"
#include "replay.h"
#include "spool.h"

struct drain {
    const struct offer_options *options;
    const struct config_consumer *config;
    char *program;
    struct spool spool;
    struct consumer consumer;
    struct ledger ledger;
    struct reader *reader; /* along the log */
    struct follow *follow; /* NULL: does not stay */
    struct pool pool;
    unsigned pauses; /* in a row, because the command seemed to be broken */
};

/* Nothing more is to be offered: the drain ends, or, in order, a failed event is waited for. */
static bool held(const struct drain *drain)
{
    return drain->pool.offers.over
        || (drain->options->ordered && retry_count(drain->ledger.retry) > 0);
}

static void drain_retry(struct drain *drain)
{
    if (ledger_refresh(&drain->ledger) < 0)
        offer_end(&drain->pool.offers, EX_IOERR);
    else
        pool_retry(&drain->pool);
}

/* One request to replay: is it through? */
static bool drain_replay(struct drain *drain, const struct replay *replay)
{
    struct cursor cursor;

    if (cursor_open(&cursor, drain->consumer.dir, drain->consumer.path, replay->cursor_name) < 0
        || (cursor.position < replay->from
            && cursor_done(&cursor, cursor.position, replay->from) < 0)) {
        cursor_close(&cursor);
        offer_end(&drain->pool.offers, EX_IOERR);
        return false;
    }
    struct lane lane = {.cursor = &cursor, .filter = &replay->filter, .reader = drain->reader,
                        .next = cursor.position, .end = replay->to};
    pool_lane(&drain->pool, &lane);
    const bool through = cursor.position >= lane.end && !drain->pool.offers.over;
    cursor_close(&cursor);
    return through;
}

static void drain_replays(struct drain *drain)
{
    bool through = true;

    while (through && !held(drain)) {
        struct replay replay;
        const int found = replay_first(&drain->consumer, &replay);
        if (found < 0)
            offer_end(&drain->pool.offers, EX_DATAERR);
        if (found <= 0)
            return;
        through = drain_replay(drain, &replay);
        if (through && replay_remove(&drain->consumer, &replay) < 0)
            offer_end(&drain->pool.offers, EX_IOERR);
        replay_release(&replay);
    }
}

static void drain_log(struct drain *drain)
{
    const struct filter all = FILTER_ALL;
    struct lane lane = {.cursor = &drain->ledger.cursor, .filter = &all, .reader = drain->reader,
                        .next = drain->ledger.cursor.position, .end = drain->pool.end};

    pool_lane(&drain->pool, &lane);
}

/* Everything that there is now. */
static void drain_once(struct drain *drain)
{
    if (spool_end(&drain->spool, &drain->pool.end) < 0) {
        offer_end(&drain->pool.offers, errno == EWOULDBLOCK ? EX_TEMPFAIL : EX_IOERR);
        return;
    }
    drain->pool.broken = false;
    drain_retry(drain);
    drain_replays(drain);
    if (!held(drain))
        drain_log(drain);
    progress_wipe(&drain->pool.progress);
}

/* When to look again without being woken; INT64_MAX: never. Unix seconds. */
static int64_t look_again(struct drain *drain)
{
    const struct retry *retry = drain->ledger.retry;

    if (drain->pool.broken) { /* the command: give it time */
        const int64_t pause = ledger_backoff(drain->config, ++drain->pauses);
        log_warn("consumer '%s': going on in %" PRId64 " s", drain->config->name, pause);
        return (int64_t)time(NULL) + pause;
    }
    drain->pauses = 0;
    if (drain->options->ordered && retry_count(retry) > 0)
        return retry_at(retry, 0)->next;
    return retry_next(retry);
}

/* Waits until there may be something to do: false when it is time to end. */
static bool stay(struct drain *drain)
{
    const int64_t next = look_again(drain);
    const int64_t now = (int64_t)time(NULL);
    const int fd = drain->pool.broken ? -1 : follow_fd(drain->follow);
    int64_t deadline = 0;

    if (next != INT64_MAX)
        deadline = io_now() + (next > now ? next - now : 0) * 1000000000 + 1;
    drain->pool.offers.status = EX_OK; /* what was, is told; it may have been mended */
    if (!pool_wait(&drain->pool, fd, deadline))
        return false;
    if (follow_clear(drain->follow) == 0)
        return true;
    offer_end(&drain->pool.offers, EX_OSERR);
    return false;
}

static int open_follow(struct drain *drain)
{
    drain->follow = follow_open(drain->spool.log_dir, drain->spool.log_path);
    if (drain->follow == NULL)
        return -1;
    return follow_watch(drain->follow, drain->consumer.dir, drain->consumer.path,
                        IN_MODIFY | IN_MOVED_TO);
}

/* Opens what a drain needs, under the consumer's lock. */
static int prepare(struct drain *drain)
{
    uint64_t begin;

    if (drain->options->follow && open_follow(drain) < 0)
        return EX_OSERR;
    if (spool_begin(&drain->spool, &begin) < 0
        || spool_end(&drain->spool, &drain->pool.end) < 0)
        return errno == EWOULDBLOCK ? EX_TEMPFAIL : EX_IOERR;
    if (ledger_open(&drain->ledger, &drain->consumer, begin, drain->pool.end) < 0)
        return errno == ESTALE || errno == EUCLEAN ? EX_DATAERR : EX_IOERR;
    drain->reader = reader_new(drain->spool.log_dir, drain->spool.log_path);
    drain->pool.start = drain->ledger.cursor.position;
    drain->pool.offers = (struct offers){
        .options = drain->options, .ledger = &drain->ledger, .program = drain->program,
        .spool = drain->config->spool};
    if (drain->reader == NULL
        || pool_open(&drain->pool, drain->spool.log_dir, drain->spool.log_path) < 0)
        return EX_OSERR;
    return EX_OK;
}

static int last_word(struct drain *drain)
{
    const struct offers *offers = &drain->pool.offers;

    if (drain->options->verbose)
        log_info("consumer '%s': %" PRIu64 " acknowledged, %" PRIu64 " failed, %" PRIu64
                 " given up; %zu wait to be offered again", drain->config->name,
                 offers->acknowledged, drain->ledger.failed, drain->ledger.buried,
                 retry_count(drain->ledger.retry));
    consumer_drain_ended(&drain->consumer);
    if (offers->status != EX_OK)
        return offers->status;
    if (drain->ledger.failed > 0)
        return EX_TEMPFAIL;
    return offers->damaged > 0 ? EX_DATAERR : EX_OK;
}

static int drain_locked(struct drain *drain)
{
    const int status = prepare(drain);
    if (status != EX_OK)
        return status;
    do
        drain_once(drain);
    while (drain->options->follow && !drain->pool.offers.over && stay(drain));
    return last_word(drain);
}

/* The one drain of this consumer, or none. */
static int take_turn(struct drain *drain)
{
    int mine = -1;

    if (consumer_open(&drain->consumer, &drain->spool, drain->config->name, drain->config, true)
        == 0)
        mine = consumer_drain(&drain->consumer, drain->options->wait);
    if (mine < 0)
        return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;
    if (mine > 0)
        return drain_locked(drain);
    if (drain->options->verbose)
        log_info("consumer '%s' is being drained by another process", drain->config->name);
    return EX_OK;
}

static void release(struct drain *drain)
{
    if (drain->pool.offers.options != NULL)
        pool_close(&drain->pool);
    reader_free(drain->reader);
    ledger_close(&drain->ledger);
    follow_close(drain->follow);
    consumer_close(&drain->consumer);
    spool_close(&drain->spool);
    free(drain->program);
}

int drain_run(const struct offer_options *options, const struct config *config,
              const struct config_consumer *consumer)
{
    struct drain drain = {.options = options, .config = consumer, .consumer = CONSUMER_CLOSED,
                          .ledger.cursor.fd = -1, .spool = SPOOL_CLOSED};
    int status = EX_OK;

    drain.program = program_find(options->command[0]);
    if (drain.program == NULL) {
        log_error("cannot run '%s': %s", options->command[0], strerror(errno));
        return EX_CONFIG;
    }
    if (spool_exists(config, consumer->spool_config)) { /* else there is nothing to do yet */
        if (spool_open(&drain.spool, config, consumer->spool_config) == 0)
            status = take_turn(&drain);
        else
            status = errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
    }
    release(&drain);
    return status;
}
