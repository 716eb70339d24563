/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dead.h"
#include "log.h"

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
static bool is_alive(void *context, const struct failure *failure)
{
    const struct ledger *ledger = context;

    return retry_find(ledger->retry, failure->position) != NULL
        || !cursor_passed(&ledger->cursor, failure->position);
}

/* Was one brought back from the dead (`retry --dead`), that has not failed again since? */
static bool has_revived(const struct ledger *ledger)
{
    size_t i = 0;

    while (i < retry_count(ledger->retry) && retry_at(ledger->retry, i)->attempts > 0)
        i++;
    return i < retry_count(ledger->retry);
}

/* Takes dead copies out of those that are alive: whoever wrote one place may have died then. */
static int drop_dead(struct ledger *ledger)
{
    const struct consumer *consumer = ledger->consumer;
    size_t dropped;

    return dead_drop(consumer->dir, consumer->path, is_alive, ledger, &dropped);
}

static int put_right(struct ledger *ledger)
{
    struct consumer *consumer = ledger->consumer;

    if (consumer_enter(consumer) < 0)
        return -1;
    int result = retry_refresh(ledger->retry);
    if (result == 0)
        result = strike_out(ledger);
    if (result == 0 && (!consumer->clean || has_revived(ledger)))
        result = drop_dead(ledger);
    if (result == 0)
        result = retry_compact(ledger->retry);
    consumer_leave(consumer);
    return result;
}

int ledger_open(struct ledger *ledger, struct consumer *consumer, uint64_t begin, uint64_t end)
{
    *ledger = (struct ledger){.consumer = consumer, .cursor.fd = -1};
    if (cursor_open(&ledger->cursor, consumer->dir, consumer->path, "cursor") < 0)
        return -1;
    ledger->retry = retry_open(consumer->dir, consumer->path, true);
    if (ledger->retry != NULL && place_cursor(ledger, begin, end) == 0 && put_right(ledger) == 0)
        return 0;
    ledger_close(ledger);
    return -1;
}

void ledger_close(struct ledger *ledger)
{
    const int saved = errno;

    cursor_close(&ledger->cursor);
    retry_close(ledger->retry);
    ledger->retry = NULL;
    errno = saved;
}

int ledger_refresh(struct ledger *ledger)
{
    if (consumer_enter(ledger->consumer) < 0)
        return -1;
    int result = retry_refresh(ledger->retry);
    if (result == 0 && has_revived(ledger))
        result = drop_dead(ledger);
    consumer_leave(ledger->consumer);
    return result;
}

int64_t ledger_backoff(const struct config_consumer *config, unsigned attempts)
{
    int64_t wait = config->backoff_min;

    for (unsigned i = 1; i < attempts && wait < config->backoff_max; i++)
        wait *= 2;
    return wait < config->backoff_max ? wait : config->backoff_max;
}

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
    char wait[64] = "given up: hookspool retry --dead offers it again";

    if (failure->next != 0)
        snprintf(wait, sizeof(wait), "again in %" PRId64 " s", failure->next - failure->last);
    log_error("consumer '%s': event %s (%s) failed: %s; attempt %u, %s", ledger->consumer->name,
              failure->id, failure->type, failure->reason, failure->attempts, wait);
}

static int bury(struct ledger *ledger, const struct failure *failure)
{
    const struct consumer *consumer = ledger->consumer;

    if (dead_add(consumer->dir, consumer->path, failure, 1) < 0)
        return -1;
    ledger->buried++;
    if (retry_find(ledger->retry, failure->position) == NULL)
        return 0;
    return retry_done(ledger->retry, &failure->position, 1);
}

/* Under the consumer's lock, the journal refreshed. */
static int fail_locked(struct ledger *ledger, struct failure *failures, size_t count, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool give_up;
        if (complete(ledger, &failures[i], now, &give_up) < 0)
            return -1;
        tell(ledger, &failures[i]);
        if (!give_up)
            failures[kept++] = failures[i];
        else if (bury(ledger, &failures[i]) < 0)
            return -1;
    }
    ledger->failed += count;
    return kept == 0 ? 0 : retry_add(ledger->retry, failures, kept);
}

int ledger_fail(struct ledger *ledger, struct failure *failures, size_t count, int64_t now)
{
    if (consumer_enter(ledger->consumer) < 0)
        return -1;
    int result = retry_refresh(ledger->retry);
    if (result == 0)
        result = fail_locked(ledger, failures, count, now);
    consumer_leave(ledger->consumer);
    return result;
}

int ledger_acknowledge(struct ledger *ledger, const uint64_t *positions, size_t count)
{
    if (consumer_enter(ledger->consumer) < 0)
        return -1;
    int result = retry_refresh(ledger->retry);
    if (result == 0)
        result = retry_done(ledger->retry, positions, count);
    consumer_leave(ledger->consumer);
    return result;
}
