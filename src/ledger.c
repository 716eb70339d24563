/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dead.h"
#include "log.h"
#include "positions.h"

/* The cursor stands in a log that is there. */
static int place_cursor(struct ledger *ledger, uint64_t begin, uint64_t end)
{
    const struct consumer *consumer = ledger->consumer;
    struct cursor *cursor = &ledger->cursor;

    if (cursor->position > end) {
        log_error("consumer '%s' is at position %" PRIu64 ", but the log ends at %" PRIu64
                  ": this is not the log that it has read; to have all of it offered, remove "
                  "'%s/cursor'", consumer->name, cursor->position, end, consumer->path);
        errno = ESTALE;
        return -1;
    }
    if (begin == UINT64_MAX || cursor->position >= begin)
        return 0;
    if (cursor->position > 0)
        log_warn("consumer '%s' never saw %" PRIu64 " bytes from position %" PRIu64
                 " on: they were purged", consumer->name, begin - cursor->position,
                 cursor->position);
    return cursor_done(cursor, cursor->position, begin);
}

/* An event that waits in retry and is not passed was recorded by a drain that died right then. */
static int strike_out(struct ledger *ledger)
{
    size_t i = retry_count(ledger->retry);

    while (i-- > 0) { /* from the end, as they are taken out */
        const uint64_t position = retry_at(ledger->retry, i)->position;
        if (!cursor_passed(&ledger->cursor, position)
            && retry_done(ledger->retry, &position, 1) < 0)
            return -1;
    }
    return 0;
}

/* Will it be offered again, so that it is not dead after all? */
static bool waits(void *context, const struct failure *failure)
{
    const struct ledger *ledger = context;

    return retry_find(ledger->retry, failure->position) != NULL;
}

/* The same while nothing runs, so that what the cursor has not passed will be. */
static bool waits_or_comes(void *context, const struct failure *failure)
{
    const struct ledger *ledger = context;

    return waits(context, failure) || !cursor_passed(&ledger->cursor, failure->position);
}

/* Was one brought back from the dead (`retry --dead`), that has not failed again since? */
static bool has_revived(const struct ledger *ledger)
{
    size_t i = 0;

    while (i < retry_count(ledger->retry) && retry_at(ledger->retry, i)->attempts > 0)
        i++;
    return i < retry_count(ledger->retry);
}

/* Takes dead copies out of those that are not: whoever wrote one place may have died then. */
static int drop_dead(struct ledger *ledger, dead_choose *choose)
{
    const struct consumer *consumer = ledger->consumer;
    size_t count;

    if (dead_count(consumer->dir, consumer->path, choose, ledger, &count) < 0)
        return -1;
    if (count == 0)
        return 0;
    /* They go because they stand in retry, as far as we see: on the disk, they may not. */
    if (retry_secure(ledger->retry) < 0)
        return -1;
    return dead_drop(consumer->dir, consumer->path, choose, ledger, &count);
}

/* anew: the cursor is at the beginning, as when it was removed, so that all will be offered. */
static int put_right(struct ledger *ledger, bool anew)
{
    struct consumer *consumer = ledger->consumer;

    if (consumer_enter(consumer) < 0)
        return -1;
    int result = retry_refresh(ledger->retry) < 0 ? -1 : strike_out(ledger);
    if (result == 0 && (!consumer->clean || anew || has_revived(ledger)))
        result = drop_dead(ledger, waits_or_comes);
    if (result == 0) /* when there is no room for it now, there will be another day */
        (void)retry_compact(ledger->retry);
    consumer_leave(consumer);
    return result;
}

int ledger_open(struct ledger *ledger, struct consumer *consumer, uint64_t begin, uint64_t end)
{
    *ledger = (struct ledger){.consumer = consumer, .cursor.fd = -1};
    if (cursor_open(&ledger->cursor, consumer->dir, consumer->path, "cursor") < 0)
        return -1;
    const bool anew = ledger->cursor.position == 0; /* before it is placed where the log begins */
    if (consumer_enter(consumer) == 0) { /* what is just being appended may be cut off again */
        ledger->retry = retry_open(consumer->dir, consumer->path, true);
        consumer_leave(consumer);
    }
    if (ledger->retry != NULL && place_cursor(ledger, begin, end) == 0
        && put_right(ledger, anew) == 0)
        return 0;
    ledger_close(ledger);
    return -1;
}

static void forget_dead(struct ledger *ledger)
{
    free(ledger->dead);
    ledger->dead = NULL;
    ledger->dead_count = 0;
}

void ledger_close(struct ledger *ledger)
{
    const int saved = errno;

    cursor_close(&ledger->cursor);
    retry_close(ledger->retry);
    ledger->retry = NULL;
    forget_dead(ledger);
    errno = saved;
}

/*
 * Under the consumer's lock, before any change: what others have appended, 1 if they have. Whoever
 * brings back a dead letter may have died before he took it out of the dead.
 */
static int refresh(struct ledger *ledger)
{
    const int news = retry_refresh(ledger->retry);

    if (news > 0)
        forget_dead(ledger);
    return news > 0 && has_revived(ledger) && drop_dead(ledger, waits) < 0 ? -1 : news;
}

/* Enters the consumer's lock with all that others have done taken in; on -1 it is left. */
static int enter(struct ledger *ledger)
{
    if (consumer_enter(ledger->consumer) < 0)
        return -1;
    const int news = refresh(ledger);
    if (news < 0)
        consumer_leave(ledger->consumer);
    return news;
}

/* A change is over; whether it came to its end. */
static int leave(struct ledger *ledger, int result)
{
    consumer_leave(ledger->consumer);
    ledger->doubtful |= result < 0;
    return result;
}

int ledger_refresh(struct ledger *ledger)
{
    const int news = enter(ledger);

    if (news < 0)
        return -1;
    (void)retry_compact(ledger->retry); /* as in put_right() */
    return leave(ledger, news);
}

struct retry_clock ledger_clock(const struct ledger *ledger)
{
    return (struct retry_clock){(int64_t)time(NULL), ledger->consumer->config->backoff_max};
}

int64_t ledger_backoff(const struct config_consumer *config, unsigned attempts)
{
    int64_t wait = config->backoff_min;

    for (unsigned i = 1; i < attempts && wait < config->backoff_max; i++)
        wait *= 2;
    return wait < config->backoff_max ? wait : config->backoff_max;
}

/* ---- one that failed */

/* Adds to the failure what is known from before. Returns whether the event is to be given up. */
static int complete(struct ledger *ledger, struct failure *failure, int64_t now, bool *give_up)
{
    const struct config_consumer *config = ledger->consumer->config;
    const struct retry_entry *entry = retry_find(ledger->retry, failure->position);

    failure->attempts = 1;
    failure->first = failure->last = now;
    if (entry != NULL) {
        struct failure before;
        char *line;
        if (retry_load(ledger->retry, entry, &before, &line) < 0)
            return -1;
        free(line);
        failure->attempts = before.attempts + 1;
        if (before.first != 0) /* 0: only asked for again, after it was given up */
            failure->first = before.first;
    }
    *give_up = failure->attempts >= config->max_attempts
            && now - failure->first >= config->max_age;
    failure->next = *give_up ? 0 : now + ledger_backoff(config, failure->attempts);
    return 0;
}

static void tell(const struct ledger *ledger, const struct failure *failure)
{
    const char *name = ledger->consumer->name;
    char wait[160];

    if (failure->next != 0)
        snprintf(wait, sizeof(wait), "again in %" PRId64 " s", failure->next - failure->last);
    else
        snprintf(wait, sizeof(wait), "given up: hookspool retry --dead %s offers it again", name);
    log_error("consumer '%s': event %s (%s) failed: %s; attempt %u, %s", name, failure->id,
              failure->type, failure->reason, failure->attempts, wait);
}

/* ---- the dead */

static int no_memory(void)
{
    log_error("cannot write down what came of events: %s", strerror(ENOMEM));
    errno = ENOMEM;
    return -1;
}

/* What dead.ndjson holds, asked for when a replay meets events that have failed before. */
static int know_dead(struct ledger *ledger)
{
    const struct consumer *consumer = ledger->consumer;

    if (ledger->dead != NULL)
        return 0;
    if (dead_positions(consumer->dir, consumer->path, &ledger->dead, &ledger->dead_count) < 0)
        return -1;
    if (ledger->dead == NULL) /* none: known all the same */
        ledger->dead = calloc(1, sizeof(*ledger->dead));
    return ledger->dead == NULL ? no_memory() : 0;
}

/* Some of the dead, ascending. */
struct listed {
    const uint64_t *list;
    size_t count;
};

static bool is_listed(void *context, const struct failure *failure)
{
    const struct listed *listed = context;

    return positions_hold(listed->list, listed->count, failure->position);
}

/* Takes these events out of the dead, where they are. Only a replay can find any. */
static int unbury(struct ledger *ledger, const uint64_t *list, size_t count)
{
    const struct consumer *consumer = ledger->consumer;
    struct listed listed = {list, count};
    size_t found = 0, dropped;

    if (know_dead(ledger) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        found += positions_hold(ledger->dead, ledger->dead_count, list[i]);
    if (found == 0)
        return 0;
    forget_dead(ledger);
    return dead_drop(consumer->dir, consumer->path, is_listed, &listed, &dropped);
}

/* ---- what comes of events */

/* Was it offered by a replay, rather than by the log or out of retry? */
static bool is_replayed(const struct ledger *ledger, uint64_t position)
{
    return cursor_passed(&ledger->cursor, position) && retry_find(ledger->retry, position) == NULL;
}

static int bury(struct ledger *ledger, const struct failure *failure)
{
    const struct consumer *consumer = ledger->consumer;

    if (is_replayed(ledger, failure->position)) {
        if (know_dead(ledger) < 0)
            return -1;
        if (positions_hold(ledger->dead, ledger->dead_count, failure->position))
            return 0; /* it lies there already */
    }
    forget_dead(ledger);
    if (dead_add(consumer->dir, consumer->path, failure, 1) < 0)
        return -1;
    ledger->buried++;
    if (retry_find(ledger->retry, failure->position) == NULL)
        return 0;
    return retry_done(ledger->retry, &failure->position, 1);
}

/* It will be offered again. */
static int keep(struct ledger *ledger, const struct failure *failure)
{
    const bool replayed = is_replayed(ledger, failure->position);

    if (retry_add(ledger->retry, failure, 1) < 0)
        return -1;
    return replayed ? unbury(ledger, &failure->position, 1) : 0;
}

int ledger_fail(struct ledger *ledger, struct failure *failure, int64_t now)
{
    bool give_up;

    if (enter(ledger) < 0)
        return -1;
    int result = complete(ledger, failure, now, &give_up);
    if (result == 0)
        result = give_up ? bury(ledger, failure) : keep(ledger, failure);
    if (result == 0) {
        tell(ledger, failure);
        ledger->failed++;
    }
    return leave(ledger, result);
}

int ledger_holds(struct ledger *ledger, uint64_t from, uint64_t to)
{
    const struct retry *retry = ledger->retry;

    if (know_dead(ledger) < 0)
        return -1;
    for (size_t i = 0; i < ledger->dead_count; i++) {
        if (ledger->dead[i] >= from && ledger->dead[i] < to)
            return 1;
    }
    for (size_t i = 0; i < retry_count(retry); i++) {
        if (retry_at(retry, i)->position >= from && retry_at(retry, i)->position < to)
            return 1;
    }
    return 0;
}

/* Strikes those of them out that wait in retry. */
static int strike(struct ledger *ledger, const uint64_t *list, size_t count)
{
    uint64_t *found = calloc(count, sizeof(*found));
    size_t found_count = 0;

    if (found == NULL)
        return no_memory();
    for (size_t i = 0; i < count; i++) {
        if (retry_find(ledger->retry, list[i]) != NULL)
            found[found_count++] = list[i];
    }
    const int result = found_count == 0 ? 0 : retry_done(ledger->retry, found, found_count);
    free(found);
    return result;
}

int ledger_acknowledge(struct ledger *ledger, const uint64_t *positions, size_t count)
{
    bool replayed = false;

    if (enter(ledger) < 0)
        return -1;
    for (size_t i = 0; i < count && !replayed; i++)
        replayed = is_replayed(ledger, positions[i]);
    int result = replayed ? unbury(ledger, positions, count) : 0;
    if (result == 0)
        result = strike(ledger, positions, count);
    return leave(ledger, result);
}
