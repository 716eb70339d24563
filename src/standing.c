/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "standing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "dead.h"
#include "log.h"
#include "replay.h"
#include "positions.h"

static int no_memory(void)
{
    log_error("cannot read the consumers: %s", strerror(ENOMEM));
    errno = ENOMEM;
    return -1;
}

static void note_failure(struct standing *standing, int64_t first)
{
    if (first > 0 && (standing->oldest_failure == 0 || first < standing->oldest_failure))
        standing->oldest_failure = first;
}

static void read_retry(struct standing *standing)
{
    standing->retry = retry_open(standing->consumer.dir, standing->consumer.path, false);
    if (standing->retry == NULL) {
        standing->unread = true;
        return;
    }
    const struct retry_clock clock = {
        (int64_t)time(NULL),
        standing->config == NULL ? INT64_MAX : standing->config->backoff_max};
    standing->failed = retry_count(standing->retry);
    if (standing->failed > 0)
        standing->next = retry_next(standing->retry, clock);
    for (size_t i = 0; i < standing->failed; i++)
        note_failure(standing, retry_at(standing->retry, i)->first);
}

struct graves {
    struct standing *standing;
    struct positions positions;
};

static int take_dead(void *context, const struct failure *failure)
{
    struct graves *graves = context;

    if (positions_add(&graves->positions, failure->position) < 0)
        return no_memory();
    note_failure(graves->standing, failure->first);
    return 0;
}

static void read_dead(struct standing *standing)
{
    struct graves graves = {.standing = standing};

    if (dead_scan(standing->consumer.dir, standing->consumer.path, take_dead, &graves) != 0)
        standing->unread = true;
    positions_sort(&graves.positions);
    standing->dead_positions = graves.positions.list;
    standing->dead = graves.positions.count;
}

/* One that is none is said to be so, and hides those behind it. */
static void count_replays(struct standing *standing)
{
    struct replay replay = {.number = 0};

    while (replay_next(&standing->consumer, replay.number, &replay) > 0) {
        standing->replays++;
        replay_release(&replay);
    }
}

static void read_one(struct standing *standing, const struct spool *spool)
{
    struct consumer *consumer = &standing->consumer;

    if (consumer_open(consumer, spool, standing->name, standing->config, false) < 0) {
        standing->unread = errno != ENOENT;
        return;
    }
    const int drained = consumer_drained(consumer);
    standing->drained = drained > 0;
    /* In the order in which an event goes from one to the next, so that it is found on its way. */
    if (cursor_read(&standing->cursor, consumer->dir, consumer->path, "cursor") < 0 || drained < 0)
        standing->unread = true;
    read_retry(standing);
    read_dead(standing);
    count_replays(standing);
}

static int add(struct standings *standings, const char *name, const struct config_consumer *config)
{
    struct standing *grown =
        reallocarray(standings->list, standings->count + 1, sizeof(*standings->list));

    if (grown == NULL)
        return no_memory();
    standings->list = grown;
    grown[standings->count] = (struct standing){
        .config = config, .cursor = {.fd = -1}, .consumer = CONSUMER_CLOSED, .name = strdup(name)};
    if (grown[standings->count].name == NULL)
        return no_memory();
    standings->count++;
    return 0;
}

static bool has(const struct standings *standings, const char *name)
{
    for (size_t i = 0; i < standings->count; i++) {
        if (strcmp(standings->list[i].name, name) == 0)
            return true;
    }
    return false;
}

static int add_all(struct standings *standings, const struct config *config,
                   const struct spool *spool, const char *only)
{
    char **names;
    size_t count;
    int result = 0;

    for (size_t i = 0; i < config->consumer_count && result == 0; i++) {
        const struct config_consumer *consumer = &config->consumers[i];
        if (consumer->spool_config == spool->config
            && (only == NULL || strcmp(only, consumer->name) == 0))
            result = add(standings, consumer->name, consumer);
    }
    if (result < 0 || consumer_names(spool, &names, &count) < 0)
        return result; /* without a word of those that are not configured */
    for (size_t i = 0; i < count && result == 0; i++) {
        if ((only == NULL || strcmp(only, names[i]) == 0) && !has(standings, names[i]))
            result = add(standings, names[i], NULL);
    }
    consumer_names_free(names, count);
    return result;
}

int standings_read(struct standings *standings, const struct config *config,
                   const struct spool *spool, const char *only)
{
    *standings = (struct standings){0};
    if (add_all(standings, config, spool, only) < 0)
        return -1;
    for (size_t i = 0; i < standings->count; i++)
        read_one(&standings->list[i], spool);
    return 0;
}

void standings_release(struct standings *standings)
{
    for (size_t i = 0; i < standings->count; i++) {
        struct standing *standing = &standings->list[i];
        retry_close(standing->retry);
        consumer_close(&standing->consumer);
        free(standing->dead_positions);
        free(standing->name);
    }
    free(standings->list);
    *standings = (struct standings){0};
}

int standings_status(const struct standings *standings)
{
    for (size_t i = 0; i < standings->count; i++) {
        if (standings->list[i].unread)
            return EX_NOPERM;
    }
    return EX_OK;
}

enum fate standing_fate(const struct standing *standing, uint64_t position)
{
    if (standing->retry != NULL && retry_find(standing->retry, position) != NULL)
        return FATE_FAILED;
    if (positions_hold(standing->dead_positions, standing->dead, position))
        return FATE_DEAD;
    return cursor_passed(&standing->cursor, position) ? FATE_DONE : FATE_WAITING;
}

const char *standing_fate_name(enum fate fate)
{
    static const char *const names[] = {"waiting", "failed", "dead", "done"};

    return names[fate];
}
