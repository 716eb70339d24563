/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "verb_replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "consumer.h"
#include "cursor.h"
#include "log.h"
#include "reader.h"
#include "replay.h"
#include "selection.h"
#include "spool.h"
#include "status.h"

/* What is meant, and what of it there is. */
struct request {
    const struct config_consumer *consumer;
    struct selection selection;
    uint64_t from, to; /* what the consumer has passed */
    uint64_t events, first, last; /* that are taken: how many, and from where to where */
};

/* Reads what the consumer has passed, to say how many events will be offered. */
static int count(struct request *request, const struct spool *spool)
{
    struct segment_line line;
    int found = -1;

    struct reader *reader = reader_new(spool->log_dir, spool->log_path);
    if (reader != NULL && reader_seek(reader, request->from) == 0) {
        while ((found = reader_next(reader, request->to, &line)) > 0) {
            if (line.damaged || !filter_takes(&request->selection.filter, &line.view))
                continue;
            if (request->events++ == 0)
                request->first = line.position;
            request->last = line.position + line.len;
        }
    }
    reader_free(reader);
    return found;
}

/* The extent of the log that a consumer may be offered again: from the first segment on. */
static int find_passed(struct request *request, struct spool *spool,
                       const struct consumer *consumer)
{
    struct cursor cursor;
    const int found = cursor_read(&cursor, consumer->dir, consumer->path, "cursor");

    if (found < 0 || spool_begin(spool, &request->from) < 0)
        return -1;
    request->to = found > 0 ? cursor.position : 0;
    if (request->from > request->to)
        request->from = request->to; /* nothing is left of it */
    return 0;
}

static int carry_out(struct request *request, struct spool *spool, struct consumer *consumer,
                     bool dry)
{
    const struct filter *filter = &request->selection.filter;

    if (find_passed(request, spool, consumer) < 0 || count(request, spool) < 0)
        return consumer_refused(consumer) ? EX_NOPERM : status_of(errno);
    const bool missing = filter->id_count > request->events;
    if (!dry && request->events > 0
        && replay_request(consumer, request->first, request->last, filter) < 0)
        return consumer_refused(consumer) ? EX_NOPERM : status_of(errno);
    printf("%" PRIu64 " event%s %s offered again%s\n", request->events,
           request->events == 1 ? "" : "s", dry ? "would be" : "will be",
           dry ? "" : " by the next drain");
    if (missing)
        log_warn("%zu ids were asked for: the others are not in the log, or '%s' has not passed "
                 "them yet", filter->id_count, request->consumer->name);
    return missing ? EX_DATAERR : EX_OK;
}

static int run(struct cli *cli)
{
    struct request request = {0};
    struct spool spool = SPOOL_CLOSED;
    struct consumer consumer = CONSUMER_CLOSED;

    request.consumer = cli_consumer(cli, cli_operand(cli, 0));
    if (request.consumer == NULL)
        return EX_CONFIG;
    int status = selection_read(&request.selection, cli, 1);
    if (status == EX_OK && selection_is_all(&request.selection))
        status = cli_usage(cli, "say which events: --since, --until, --type or ids");
    if (status != EX_OK) {
        selection_release(&request.selection);
        return status;
    }
    if (spool_open(&spool, cli_config(cli), request.consumer->spool_config) < 0) {
        status = status_of(errno);
    } else if (consumer_open(&consumer, &spool, request.consumer->name, request.consumer, false)
               < 0) {
        status = status_of(errno);
        if (errno == ENOENT)
            log_error("consumer '%s' has never been drained: it will be offered everything",
                      request.consumer->name);
    } else {
        status = carry_out(&request, &spool, &consumer, cli_flag(cli, "dry-run"));
    }
    consumer_close(&consumer);
    spool_close(&spool);
    selection_release(&request.selection);
    return status;
}

static const struct cli_option options[] = {
    SELECTION_OPTIONS,
    {"dry-run", 'n', NULL, "only say how many there are", CLI_NOTHING},
    {0}};

const struct verb verb_replay = {
    .name = "replay",
    .operands = "CONSUMER [ID...]",
    .least = 1,
    .most = -1,
    .summary = "offer a consumer events again that it has passed",
    .help =
        "The next drain of the consumer, or the one that runs, offers these events once\n"
        "more. The responder's memory of ids is not touched, other consumers neither.\n"
        "Only what has not been purged can be offered: keep in the configuration.\n"
        "\n"
        SELECTION_HELP,
    .example = "hookspool replay billing --since 2h --type 'phone_call.*' --dry-run",
    .words = CLI_CONSUMER,
    .options = options,
    .run = run};
