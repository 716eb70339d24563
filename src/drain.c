/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "drain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "await.h"
#include "consumer.h"
#include "follow.h"
#include "identity.h"
#include "io.h"
#include "ledger.h"
#include "log.h"
#include "pool.h"
#include "program.h"
#include "replay.h"
#include "spool.h"
#include "status.h"

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
    unsigned pauses;  /* in a row, because the command seemed to be broken */
    bool repairing;   /* where the log ends is not known now */
};

/* Nothing more is to be offered: the drain ends, or, in order, a failed event is waited for. */
static bool held(const struct drain *drain)
{
    return drain->pool.offers.over || drain->pool.full
        || (drain->options->ordered && retry_count(drain->ledger.retry) > 0);
}

/* ---- what there is to offer */

static void drain_retry(struct drain *drain)
{
    if (ledger_refresh(&drain->ledger) < 0)
        offer_end_doubtful(&drain->pool.offers);
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
        offer_end(&drain->pool.offers, status_of(errno));
        cursor_close(&cursor);
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
    struct offers *offers = &drain->pool.offers;
    bool through = true;

    while (through && !held(drain)) {
        struct replay replay;
        const int found = replay_first(&drain->consumer, &replay);
        if (found == 0)
            return;
        if (found < 0 && errno == EINVAL) { /* it is out of the way now */
            offers->status = offers->status == EX_OK ? EX_DATAERR : offers->status;
            continue;
        }
        if (found < 0) {
            offer_end(offers, status_of(errno));
            return;
        }
        through = drain_replay(drain, &replay);
        if (through && replay_remove(&drain->consumer, &replay) < 0)
            offer_end(offers, status_of(errno));
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
    drain->pool.broken = false;
    drain_retry(drain);
    drain_replays(drain);
    if (!held(drain))
        drain_log(drain);
    progress_wipe(&drain->pool.progress);
}

/* ---- one that stays */

/* Where the log ends now: 0, also when that has to be asked again; -1: the drain ends. */
static int look(struct drain *drain)
{
    const int found = spool_end(&drain->spool, &drain->pool.end);

    drain->repairing = found < 0 && errno == EWOULDBLOCK;
    if (found == 0 || (drain->repairing && drain->follow != NULL))
        return 0;
    offer_end(&drain->pool.offers, status_of(errno));
    return -1;
}

/* When to look again without being woken; INT64_MAX: never. Unix seconds. */
static int64_t look_again(struct drain *drain)
{
    const struct retry *retry = drain->ledger.retry;
    const struct retry_clock clock = ledger_clock(&drain->ledger);

    if (drain->repairing)
        return clock.now + 1;
    if (drain->options->ordered && retry_count(retry) > 0)
        return retry_when(retry_at(retry, 0), clock);
    if (drain->pool.broken) { /* the command: give it time */
        const int64_t pause = ledger_backoff(drain->config, ++drain->pauses);
        log_warn("consumer '%s': going on in %" PRId64 " s", drain->config->name, pause);
        return clock.now + pause;
    }
    drain->pauses = 0;
    return retry_next(retry, clock);
}

/* Waits until something happens, or the time has come (io_now(); 0: never): false to end. */
static bool doze(struct drain *drain, int64_t deadline)
{
    if (!pool_wait(&drain->pool, follow_fd(drain->follow), deadline))
        return false;
    if (follow_clear(drain->follow) == 0)
        return true;
    offer_end(&drain->pool.offers, EX_OSERR);
    return false;
}

/* The same when new events are of no use: only who asks for a retry shortens it. */
static bool pause_broken(struct drain *drain, int64_t deadline)
{
    int news = 0;

    if (follow_clear(drain->follow) < 0) /* of what we did ourselves */
        offer_end(&drain->pool.offers, EX_OSERR);
    while (!drain->pool.offers.over && (news = ledger_refresh(&drain->ledger)) == 0
           && io_now() < deadline)
        (void)doze(drain, deadline);
    if (news < 0)
        offer_end_doubtful(&drain->pool.offers);
    return !drain->pool.offers.over;
}

/* Waits until there may be something to do: false when it is time to end. */
static bool stay(struct drain *drain)
{
    const int64_t next = look_again(drain);
    const int64_t now = (int64_t)time(NULL);
    int64_t deadline = 0;

    if (next != INT64_MAX)
        deadline = io_now() + (next > now ? next - now : 0) * 1000000000 + 1;
    drain->pool.offers.status = EX_OK; /* what was, is told; it may have been mended */
    return drain->pool.broken && deadline != 0 ? pause_broken(drain, deadline)
                                               : doze(drain, deadline);
}

static int open_follow(struct drain *drain)
{
    drain->follow = follow_open(drain->spool.log_dir, drain->spool.log_path);
    if (drain->follow == NULL)
        return -1;
    /* Who asks for a retry or a replay closes a file that he has written, or names one. */
    return follow_watch(drain->follow, drain->consumer.dir, drain->consumer.path,
                        IN_CLOSE_WRITE | IN_MOVED_TO);
}

/* ---- from the lock to the last word */

/* Opens what a drain needs, under the consumer's lock: 0, or -1. */
static int prepare(struct drain *drain)
{
    struct pool *pool = &drain->pool;
    uint64_t begin;

    if (drain->options->follow && open_follow(drain) < 0)
        return -1;
    drain->reader = reader_new(drain->spool.log_dir, drain->spool.log_path);
    drain->ledger.consumer = &drain->consumer;
    pool->offers = (struct offers){
        .options = drain->options, .ledger = &drain->ledger, .program = drain->program,
        .spool = drain->config->spool};
    if (drain->reader == NULL
        || pool_open(pool, drain->spool.log_dir, drain->spool.log_path) < 0)
        return -1;
    while (look(drain) == 0 && drain->repairing) {
        if (!doze(drain, io_now() + INT64_C(1000000000)))
            return 0; /* over */
    }
    if (pool->offers.over)
        return 0;
    if (spool_begin(&drain->spool, &begin) < 0
        || ledger_open(&drain->ledger, &drain->consumer, begin, pool->end) < 0)
        return -1;
    pool->start = drain->ledger.cursor.position;
    return 0;
}

static int last_word(struct drain *drain)
{
    const struct offers *offers = &drain->pool.offers;
    const struct ledger *ledger = &drain->ledger;

    if (drain->options->verbose)
        log_info("consumer '%s': %" PRIu64 " acknowledged, %" PRIu64 " failed, %" PRIu64
                 " given up; %zu wait to be offered again", drain->config->name,
                 offers->acknowledged, ledger->failed, ledger->buried, retry_count(ledger->retry));
    if (!ledger->doubtful)
        consumer_drain_ended(&drain->consumer);
    if (offers->status != EX_OK)
        return offers->status;
    if (drain->options->follow)
        return EX_OK;
    if (ledger->failed > 0 || (offers->asked > 0 && ledger->cursor.position < drain->pool.end))
        return EX_TEMPFAIL;
    return offers->damage.count > 0 ? EX_DATAERR : EX_OK;
}

static int drain_locked(struct drain *drain)
{
    struct pool *pool = &drain->pool;

    if (prepare(drain) < 0)
        return status_of(errno);
    if (pool->offers.over) /* before it began */
        return pool->offers.status;
    do {
        if (!drain->repairing)
            drain_once(drain);
    } while (drain->follow != NULL && !pool->full && !pool->offers.over && stay(drain)
             && look(drain) == 0);
    return last_word(drain);
}

/* Nobody has made the directory, and this user may not: who may, or how it gets one of its own. */
static void advise(const struct drain *drain)
{
    char owner[IDENTITY_NAME], group[IDENTITY_NAME], us[IDENTITY_NAME];
    const char *path = drain->spool.path;
    char parent[PATH_MAX + 80] = "";
    struct stat st;

    if (fstat(drain->spool.dir, &st) < 0 || st.st_uid == geteuid())
        return;
    (void)identity_user(st.st_uid, owner);
    (void)identity_group(st.st_gid, group);
    if (faccessat(drain->spool.dir, "consumers", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        snprintf(parent, sizeof(parent), "install -d -o %s -g %s -m 0750 '%s/consumers' && ",
                 owner, group, path);
    log_error("run it as user %s, who has the spool; or give this user, who needs to be in group "
              "%s, a directory of its own: %sinstall -d -o %s -g %s -m 2750 '%s/consumers/%s'",
              owner, group, parent, identity_user(geteuid(), us), group, path,
              drain->config->name);
}

/* The one drain of this consumer, or none. */
static int take_turn(struct drain *drain)
{
    int mine = -1;

    if (consumer_open(&drain->consumer, &drain->spool, drain->config->name, drain->config, true)
        == 0)
        mine = consumer_drain(&drain->consumer, drain->options->wait);
    if (mine < 0) {
        const int status = status_of(errno);
        if (consumer_refused(&drain->consumer) && drain->consumer.dir < 0)
            advise(drain);
        return status;
    }
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

/* Is there a spool? One that stays waits for it: 1, 0, -1. */
static int find_spool(const struct drain *drain, const struct config *config)
{
    const struct config_spool *spool = drain->config->spool_config;

    if (spool_exists(config, spool))
        return 1;
    if (access(config->spool_dir, F_OK) < 0) { /* nobody could make it there */
        const int saved = errno;
        log_error("there is no directory '%s', the spool_dir of the configuration: %s",
                  config->spool_dir, strerror(saved));
        errno = saved;
        return -1;
    }
    if (drain->options->verbose)
        log_info("spool '%s' has not been made yet, hookspoold does it", spool->name);
    if (!drain->options->follow)
        return 0;
    return await_spool(config, spool) < 0 ? -1 : 1;
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
    const int found = find_spool(&drain, config);
    if (found < 0)
        status = status_of(errno);
    else if (found > 0 && spool_open(&drain.spool, config, consumer->spool_config) < 0)
        status = status_of(errno);
    else if (found > 0)
        status = take_turn(&drain);
    release(&drain);
    return status;
}
