/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_retry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "consumer.h"
#include "dead.h"
#include "log.h"
#include "retry.h"
#include "spool.h"
#include "status.h"

enum { PORTION = 128, PORTION_BYTES = 4 * 1024 * 1024 };

/* What is asked for, and the events that are to be due now, a portion at a time. */
struct request {
    struct consumer consumer;
    struct retry *retry;
    char *const *ids; /* ends with NULL; none: all */
    bool *found;      /* beside ids */
    bool dry;
    int64_t now;
    struct failure *portion; /* PORTION of them, their events malloc()ed */
    size_t count, bytes;
    size_t done;
};

/* Was this event asked for? */
static bool is_wanted(const struct request *request, const char *id)
{
    bool wanted = request->ids[0] == NULL;

    for (size_t i = 0; request->ids[i] != NULL; i++) {
        if (strcmp(request->ids[i], id) != 0)
            continue;
        request->found[i] = true;
        wanted = true;
    }
    return wanted;
}

/* Makes the portion durable in retry. */
static int flush(struct request *request)
{
    int result = 0;

    if (request->count > 0 && !request->dry)
        result = retry_add(request->retry, request->portion, request->count);
    for (size_t i = 0; i < request->count; i++)
        free((char *)request->portion[i].event);
    request->done += request->count;
    request->count = request->bytes = 0;
    return result;
}

static int take(struct request *request, const struct failure *failure)
{
    char *event = malloc(failure->event_len);

    if (event == NULL) {
        log_error("cannot take event %s: %s", failure->id, strerror(errno));
        return -1;
    }
    memcpy(event, failure->event, failure->event_len);
    struct failure *copy = &request->portion[request->count++];
    *copy = *failure;
    copy->event = event;
    copy->next = request->now;
    request->bytes += failure->event_len;
    return request->count < PORTION && request->bytes < PORTION_BYTES ? 0 : flush(request);
}

/* ---- events that wait */

static int hasten(struct request *request)
{
    const size_t count = retry_count(request->retry);
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        const struct retry_entry entry = *retry_at(request->retry, i);
        struct failure failure;
        char *line;
        if (entry.next <= request->now && request->ids[0] == NULL)
            continue; /* is due as it is */
        if (retry_load(request->retry, &entry, &failure, &line) < 0)
            return -1;
        if (is_wanted(request, failure.id))
            result = take(request, &failure);
        free(line);
    }
    return result == 0 ? flush(request) : -1;
}

/* ---- dead letters */

/* It begins anew: no attempts, and no failure that max_age could be counted from. */
static int revive_one(void *context, const struct failure *failure)
{
    struct request *request = context;
    struct failure anew = *failure;

    if (!is_wanted(request, failure->id))
        return 0;
    anew.attempts = 0;
    anew.first = 0;
    return take(request, &anew);
}

static bool is_revived(void *context, const struct failure *failure)
{
    const struct request *request = context;

    return retry_find(request->retry, failure->position) != NULL;
}

/* First they stand in retry, then they leave dead: what a crash doubles, the next drain mends. */
static int revive(struct request *request)
{
    const struct consumer *consumer = &request->consumer;
    size_t dropped;

    if (dead_scan(consumer->dir, consumer->path, revive_one, request) != 0 || flush(request) < 0)
        return -1;
    if (request->dry || request->done == 0)
        return 0;
    return dead_drop(consumer->dir, consumer->path, is_revived, request, &dropped);
}

/* ---- the verb */

static int carry_out(struct request *request, bool dead)
{
    struct consumer *consumer = &request->consumer;

    if (!request->dry && consumer_enter(consumer) < 0)
        return -1;
    request->retry = retry_open(consumer->dir, consumer->path, !request->dry);
    const int result = request->retry == NULL ? -1 : dead ? revive(request) : hasten(request);
    if (!request->dry)
        consumer_leave(consumer);
    retry_close(request->retry);
    return result;
}

static int tell(const struct request *request, bool dead)
{
    int status = EX_OK;

    printf("%zu %sevent%s %s offered again by the next drain\n", request->done,
           dead ? "dead " : "", request->done == 1 ? "" : "s",
           request->dry ? "would be" : "will be");
    for (size_t i = 0; request->ids[i] != NULL; i++) {
        if (request->found[i])
            continue;
        log_error("event '%s' is not among the %s of consumer '%s'", request->ids[i],
                  dead ? "dead" : "failed ones", request->consumer.name);
        status = EX_DATAERR;
    }
    return status;
}

static int run_opened(struct cli *cli, struct request *request)
{
    const bool dead = cli_flag(cli, "dead");

    request->ids = cli_operands(cli, 1);
    request->dry = cli_flag(cli, "dry-run");
    request->now = (int64_t)time(NULL);
    request->found = calloc((size_t)cli_count(cli), sizeof(*request->found));
    request->portion = calloc(PORTION, sizeof(*request->portion));
    if (request->found == NULL || request->portion == NULL) {
        log_error("cannot begin: %s", strerror(ENOMEM));
        return EX_OSERR;
    }
    if (carry_out(request, dead) < 0)
        return consumer_refused(&request->consumer) ? EX_NOPERM : status_of(errno);
    return tell(request, dead);
}

static int run(struct cli *cli)
{
    struct request request = {.consumer = CONSUMER_CLOSED};
    struct spool spool = SPOOL_CLOSED;
    int status;

    const struct config_consumer *config = cli_consumer(cli, cli_operand(cli, 0));
    if (config == NULL)
        return EX_CONFIG;
    if (spool_open(&spool, cli_config(cli), config->spool_config) < 0) {
        status = status_of(errno);
    } else if (consumer_open(&request.consumer, &spool, config->name, config, false) < 0) {
        status = status_of(errno);
        if (errno == ENOENT)
            log_error("consumer '%s' has never been drained: nothing has failed", config->name);
    } else {
        status = run_opened(cli, &request);
    }
    free(request.found);
    free(request.portion);
    consumer_close(&request.consumer);
    spool_close(&spool);
    return status;
}

static const struct cli_option options[] = {
    {"dead", 'd', NULL, "the dead ones: they begin anew, without attempts", CLI_NOTHING},
    {"dry-run", 'n', NULL, "only say how many there are", CLI_NOTHING},
    {0}};

const struct verb verb_retry = {
    .name = "retry",
    .operands = "CONSUMER [ID...]",
    .least = 1,
    .most = -1,
    .summary = "offer failed events now, or dead ones again",
    .help =
        "Events that have failed wait for their next attempt: with this the next drain,\n"
        "or the one that runs, offers them at once. Without an ID it is all of them.\n"
        "\n"
        "With --dead it is those that were given up, as after a fault in the command was\n"
        "mended. They begin anew, with max_attempts and max_age before them.",
    .example = "hookspool retry --dead billing",
    .words = CLI_CONSUMER,
    .options = options,
    .run = run};
