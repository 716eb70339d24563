/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "offer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "log.h"

enum { ID_LINE = FAILURE_ID + 8 }; /* room for a reported id */

void offer_end(struct offers *offers, int status)
{
    offers->over = true;
    offers->status = status;
}

/* ---- what a command is told */

static void set(struct offer *offer, size_t which, const char *name, const char *value)
{
    snprintf(offer->variables[which], OFFER_VARIABLE, "HOOKSPOOL_%s=%s", name, value);
    offer->environment[which] = offer->variables[which];
    offer->environment[which + 1] = NULL;
}

static void set_number(struct offer *offer, size_t which, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    set(offer, which, name, text);
}

/* A command with one event is told which. */
static void describe(struct offers *offers, struct offer *offer)
{
    const struct batch_event *event = &offer->batch.first;
    const unsigned before = offer->lane == NULL ? offer->entries[offer->entry].attempts : 0;

    set(offer, 0, "CONSUMER", offers->ledger->consumer->name);
    set(offer, 1, "SPOOL", offers->spool);
    set_number(offer, 2, "COUNT", offer->batch.count);
    if (offer->batch.count != 1)
        return;
    set(offer, 3, "ID", event->id);
    set(offer, 4, "TYPE", event->type);
    set(offer, 5, "TIME", event->time);
    set(offer, 6, "RECEIVED", event->received);
    set_number(offer, 7, "POSITION", event->position);
    set_number(offer, 8, "ATTEMPT", before + 1);
}

/* ---- the events of the batch at hand, one by one */

static int visit_lane(struct offers *offers, struct offer *offer, offer_visit *visit, void *context)
{
    const struct batch *batch = &offer->batch;
    struct segment_line line;
    int result = reader_seek(offers->again, batch->from);

    while (result == 0 && (result = reader_next(offers->again, batch->to, &line)) > 0) {
        struct failure event = {.event = line.text, .event_len = line.len - 1};
        struct batch_event known;
        result = 0;
        if (line.damaged || !filter_takes(offer->lane->filter, &line.view))
            continue;
        batch_describe(&known, &line.view, line.position);
        event.position = known.position;
        memcpy(event.id, known.id, sizeof(event.id));
        memcpy(event.type, known.type, sizeof(event.type));
        result = visit(context, &event);
    }
    return result;
}

static int visit_retry(struct offers *offers, struct offer *offer, offer_visit *visit,
                       void *context)
{
    int result = 0;

    for (size_t i = 0; i < offer->batch.count && result == 0; i++) {
        struct failure event;
        char *line;
        if (retry_load(offers->ledger->retry, &offer->entries[offer->entry + i], &event, &line) < 0)
            return -1;
        result = visit(context, &event);
        free(line);
    }
    return result;
}

int offer_events(struct offers *offers, struct offer *offer, offer_visit *visit, void *context)
{
    return offer->lane != NULL ? visit_lane(offers, offer, visit, context)
                               : visit_retry(offers, offer, visit, context);
}

/* ---- running */

static void start(struct offers *offers, struct offer *offer)
{
    const struct offer_options *options = offers->options;
    const struct run_job job = {
        .program = offers->program, .argv = options->command, .environment = offer->environment,
        .pieces = offer->batch.pieces, .piece_count = offer->batch.piece_count,
        .timeout = options->timeout * 1000000000,
        .output_limit = options->report_failures ? (offer->batch.count + 1) * ID_LINE : 0,
        .context = offer};

    describe(offers, offer);
    offer->busy = true;
    if (runner_start(offers->runner, &job) == 0)
        return;
    const int error = errno;
    const bool passing = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
    log_error("cannot run '%s': %s", options->command[0], strerror(error));
    offer_end(offers, passing ? EX_TEMPFAIL : EX_CONFIG);
    offer->busy = false;
}

static int describe_retry(void *context, struct failure *event)
{
    struct batch_event *known = context;
    struct record_view view;

    char *line = malloc(event->event_len + 1);
    if (line == NULL)
        return -1;
    memcpy(line, event->event, event->event_len);
    line[event->event_len] = '\n';
    if (record_check(line, event->event_len + 1, &view))
        batch_describe(known, &view, event->position);
    free(line);
    return 0;
}

void offer_part(struct offers *offers, struct offer *offer)
{
    const size_t count = offer->parts[offer->depth - 1];
    int result;

    if (offer->lane != NULL)
        result = batch_read(&offer->batch, offers->again, offer->lane->filter, offer->next,
                            offer->end, count, &offers->told, &offers->damaged);
    else
        result = batch_retry(&offer->batch, offers->ledger->retry, &offer->entries[offer->entry],
                             count);
    if (result == 0 && offer->lane == NULL && count == 1)
        result = offer_events(offers, offer, describe_retry, &offer->batch.first);
    if (result < 0)
        offer_end(offers, EX_IOERR);
    else
        start(offers, offer);
}

int offer_lane(struct offers *offers, struct offer *offer, struct lane *lane, size_t most)
{
    struct batch *batch = &offer->batch;

    if (batch_read(batch, lane->reader, lane->filter, lane->next, lane->end, most, &offers->told,
                   &offers->damaged) < 0) {
        offer_end(offers, EX_IOERR);
        return -1;
    }
    offer->lane = lane;
    offer->next = lane->next;
    lane->next = offer->end = batch->to;
    if (batch->count > 0) {
        offer->parts[0] = batch->count;
        offer->depth = 1;
        start(offers, offer);
        return 1;
    }
    if (batch->from == batch->to)
        return 0;
    if (cursor_done(lane->cursor, batch->from, batch->to) < 0) { /* nothing in it is wanted */
        offer_end(offers, EX_TEMPFAIL);
        return -1;
    }
    return 0;
}

int offer_retry(struct offers *offers, struct offer *offer, size_t count)
{
    offer->lane = NULL;
    offer->entry = 0;
    offer->entry_count = count;
    offer->parts[0] = count;
    offer->depth = 1;
    offer_part(offers, offer);
    return 1;
}

void offer_split(struct offer *offer)
{
    const size_t count = offer->parts[offer->depth - 1];

    offer->parts[offer->depth - 1] = count - count / 2;
    offer->parts[offer->depth++] = count / 2;
}

int offer_pass(struct offer *offer)
{
    const struct batch *batch = &offer->batch;
    const uint64_t to = --offer->depth > 0 ? batch->to : offer->end;

    if (offer->lane == NULL) {
        offer->entry += batch->count;
        return 0;
    }
    offer->next = to;
    return cursor_done(offer->lane->cursor, batch->from, to);
}

void offer_release(struct offer *offer)
{
    batch_release(&offer->batch);
    free(offer->entries);
    offer->entries = NULL;
}
