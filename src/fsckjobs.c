/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "fsckjobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "consumer.h"
#include "cursor.h"
#include "mend.h"
#include "replay.h"

enum { FILE_NAME = 160 };

static void name_file(char file[FILE_NAME], const struct consumer *consumer, const char *name)
{
    snprintf(file, FILE_NAME, "consumers/%s/%s", consumer->name, name);
}

static bool is_configured(const struct audit *audit, const char *name)
{
    const struct config *config = audit->config;

    for (size_t i = 0; i < config->consumer_count; i++) {
        if (strcmp(config->consumers[i].name, name) == 0
            && config->consumers[i].spool_config == audit->spool.config)
            return true;
    }
    return false;
}

/* What is told of a cursor that stands behind the end; NULL: it does not. */
static const char *judge(const struct cursor *cursor, uint64_t end)
{
    if (cursor->position > end)
        return "it lies behind the end of the log";
    for (size_t i = 0; i < cursor->count; i++) {
        if (cursor->done[i].from >= cursor->done[i].to || cursor->done[i].to > end)
            return "events are done that the log does not have";
    }
    return NULL;
}

/* The end is read behind what must not lie behind it, for both move on. */
static bool read_end(struct audit *audit, uint64_t *end)
{
    if (spool_end(&audit->spool, end) == 0)
        return true;
    audit_failed(audit, errno);
    return false;
}

static void check_cursor(struct audit *audit, const struct consumer *consumer, const char *name)
{
    struct flaw flaw = {.kind = FLAW_CURSOR};
    struct cursor cursor;
    char file[FILE_NAME];
    uint64_t end;

    name_file(file, consumer, name);
    flaw.file = file;
    const int found = cursor_read(&cursor, consumer->dir, consumer->path, name);
    if (found < 0 && errno != EUCLEAN) {
        audit_failed(audit, errno);
        return;
    }
    if (found < 0)
        flaw.more = "neither of its lines proves itself";
    else if (found > 0 && read_end(audit, &end) && (flaw.more = judge(&cursor, end)) != NULL) {
        flaw.placed = true;
        flaw.position = cursor.position;
    }
    if (flaw.more != NULL)
        flaws_add(&audit->flaws, &flaw);
}

static void check_replay(struct audit *audit, const struct consumer *consumer,
                         struct replay *replay)
{
    struct flaw flaw = {.kind = FLAW_REPLAY};
    char file[FILE_NAME];
    uint64_t end;

    name_file(file, consumer, replay->name);
    flaw.file = file;
    if (read_end(audit, &end) && (replay->from > replay->to || replay->to > end)) {
        flaw.more = "it asks for events that the log does not have";
        flaws_add(&audit->flaws, &flaw);
    }
    check_cursor(audit, consumer, replay->cursor_name);
}

static void check_replays(struct audit *audit, const struct consumer *consumer)
{
    struct replay replay = {.number = 0};
    char file[FILE_NAME];
    int found = 1;

    while (found != 0) {
        found = replay_next(consumer, replay.number, &replay);
        if (found > 0) {
            check_replay(audit, consumer, &replay);
            replay_release(&replay);
        } else if (found < 0 && errno == EINVAL && replay.number > 0) {
            name_file(file, consumer, replay.name);
            flaws_add(&audit->flaws, &(struct flaw){.kind = FLAW_REPLAY, .file = file});
        } else if (found < 0) {
            audit_failed(audit, errno);
            return;
        }
    }
}

static void check_consumer(struct audit *audit, struct consumer *consumer)
{
    char directory[FILE_NAME];

    name_file(directory, consumer, "");
    directory[strlen(directory) - 1] = '\0';
    check_cursor(audit, consumer, "cursor");
    check_replays(audit, consumer);
    if (audit->store != NULL && consumer_enter(consumer) < 0) {
        audit_failed(audit, errno);
        return;
    }
    mend_journal(audit, consumer->dir, directory, "retry.ndjson");
    mend_journal(audit, consumer->dir, directory, "dead.ndjson");
    if (audit->store != NULL)
        consumer_leave(consumer);
    if (!is_configured(audit, consumer->name))
        flaws_add(&audit->flaws,
                  &(struct flaw){.kind = FLAW_UNCONFIGURED, .file = directory});
}

void fsckjobs_run(struct audit *audit)
{
    char **names;
    size_t count;

    if (consumer_names(&audit->spool, &names, &count) < 0) {
        audit_failed(audit, errno);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct consumer consumer;
        if (consumer_open(&consumer, &audit->spool, names[i], NULL, false) == 0) {
            check_consumer(audit, &consumer);
            consumer_close(&consumer);
        } else if (errno != ENOENT && errno != ENOTDIR) {
            audit_failed(audit, errno);
        }
    }
    consumer_names_free(names, count);
}
