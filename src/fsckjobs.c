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

static bool is_configured(const struct survey *survey, const char *name)
{
    const struct config *config = survey->config;

    for (size_t i = 0; i < config->consumer_count; i++) {
        if (strcmp(config->consumers[i].name, name) == 0
            && config->consumers[i].spool_config == survey->spool.config)
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
static bool read_end(struct survey *survey, uint64_t *end)
{
    if (spool_end(&survey->spool, end) == 0)
        return true;
    survey_failed(survey, errno);
    return false;
}

static void check_cursor(struct survey *survey, const struct consumer *consumer, const char *name)
{
    struct flaw flaw = {.kind = FLAW_CURSOR};
    struct cursor cursor;
    char file[FILE_NAME];
    uint64_t end;

    name_file(file, consumer, name);
    flaw.file = file;
    const int found = cursor_read(&cursor, consumer->dir, consumer->path, name);
    if (found < 0 && errno != EUCLEAN) {
        survey_failed(survey, errno);
        return;
    }
    if (found < 0)
        flaw.more = "neither of its lines proves itself";
    else if (found > 0 && read_end(survey, &end) && (flaw.more = judge(&cursor, end)) != NULL) {
        flaw.placed = true;
        flaw.position = cursor.position;
    }
    if (flaw.more != NULL)
        flaws_add(&survey->flaws, &flaw);
}

static void check_replay(struct survey *survey, const struct consumer *consumer,
                         struct replay *replay)
{
    struct flaw flaw = {.kind = FLAW_REPLAY};
    char file[FILE_NAME];
    uint64_t end;

    name_file(file, consumer, replay->name);
    flaw.file = file;
    if (read_end(survey, &end) && (replay->from > replay->to || replay->to > end)) {
        flaw.more = "it asks for events that the log does not have";
        flaws_add(&survey->flaws, &flaw);
    }
    check_cursor(survey, consumer, replay->cursor_name);
}

static void check_replays(struct survey *survey, const struct consumer *consumer)
{
    struct replay replay = {.number = 0};
    char file[FILE_NAME];
    int found = 1;

    while (found != 0) {
        found = replay_next(consumer, replay.number, &replay);
        if (found > 0) {
            check_replay(survey, consumer, &replay);
            replay_release(&replay);
        } else if (found < 0 && errno == EINVAL && replay.number > 0) {
            name_file(file, consumer, replay.name);
            flaws_add(&survey->flaws, &(struct flaw){.kind = FLAW_REPLAY, .file = file});
        } else if (found < 0) {
            survey_failed(survey, errno);
            return;
        }
    }
}

static void check_consumer(struct survey *survey, struct consumer *consumer)
{
    char directory[FILE_NAME];

    name_file(directory, consumer, "");
    directory[strlen(directory) - 1] = '\0';
    check_cursor(survey, consumer, "cursor");
    check_replays(survey, consumer);
    if (survey->store != NULL && consumer_enter(consumer) < 0) {
        survey_failed(survey, errno);
        return;
    }
    mend_journal(survey, consumer->dir, directory, "retry.ndjson");
    mend_journal(survey, consumer->dir, directory, "dead.ndjson");
    if (survey->store != NULL)
        consumer_leave(consumer);
    if (!is_configured(survey, consumer->name))
        flaws_add(&survey->flaws,
                  &(struct flaw){.kind = FLAW_UNCONFIGURED, .file = directory});
}

void fsckjobs_run(struct survey *survey)
{
    char **names;
    size_t count;

    if (consumer_names(&survey->spool, &names, &count) < 0) {
        survey_failed(survey, errno);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct consumer consumer;
        if (consumer_open(&consumer, &survey->spool, names[i], NULL, false) == 0) {
            check_consumer(survey, &consumer);
            consumer_close(&consumer);
        } else if (errno != ENOENT && errno != ENOTDIR) {
            survey_failed(survey, errno);
        }
    }
    consumer_names_free(names, count);
}
