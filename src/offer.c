/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "offer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "failedline.h"
#include "log.h"
#include "status.h"

enum { ID_LINE = FAILURE_ID + 8 }; /* room for a reported id */

void offer_end(struct offers *offers, int status)
{
    offers->over = true;
    if (offers->status == EX_OK)
        offers->status = status;
}

void offer_end_doubtful(struct offers *offers)
{
    offers->ledger->doubtful = true;
    offer_end(offers, status_of(errno));
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
    offer->busy = false;
    log_error("cannot run '%s': %s%s", offers->program, strerror(error),
              error == ENOEXEC  ? " (a script begins with a line like #!/bin/sh)"
              : error == ENOENT ? " (is it what its first line names?)"
                                : "");
    offer_end(offers, status_of(error) == EX_TEMPFAIL ? EX_TEMPFAIL : EX_CONFIG);
}

static int describe_retry(void *context, struct failure *event)
{
    struct batch_event *known = context;
    struct segment_line line;

    known->position = event->position;
    memcpy(known->id, event->id, sizeof(known->id));
    memcpy(known->type, event->type, sizeof(known->type));
    if (failedline_of(event, &line) == 0) {
        batch_describe(known, &line.view, event->position);
        free((char *)line.text);
    } else if (errno == ENOMEM) {
        log_error("cannot offer event %s: %s", event->id, strerror(ENOMEM));
        return -1;
    }
    return 0;
}

/* The next part: what is offered again is read again, and may be less by now. */
static int read_part(struct offers *offers, struct offer *offer)
{
    struct batch *batch = &offer->batch;
    const size_t count = offer->parts[offer->depth - 1];
    int result;

    if (offer->lane != NULL)
        return batch_read(batch, offers->again, offer->lane->filter, offer->next, offer->end,
                          count, &offers->damage);
    result = batch_retry(batch, offers->ledger->retry, &offer->entries[offer->entry], count);
    if (result == 0 && count == 1)
        result = offer_events(offers, offer, describe_retry, &batch->first);
    return result;
}

void offer_part(struct offers *offers, struct offer *offer)
{
    while (offer->depth > 0) {
        if (read_part(offers, offer) < 0) {
            offer_end(offers, status_of(errno));
            return;
        }
        if (offer->batch.count > 0) {
            start(offers, offer);
            return;
        }
        if (offer_pass(offer) < 0) {
            offer_end_doubtful(offers);
            return;
        }
    }
}

enum offer_begun offer_lane(struct offers *offers, struct offer *offer, struct lane *lane,
                            size_t most)
{
    struct batch *batch = &offer->batch;
    uint64_t from = lane->next, to = lane->end;

    if (!cursor_gap(lane->cursor, &from, &to))
        return OFFER_NOTHING;
    if (batch_read(batch, lane->reader, lane->filter, from, to, most, &offers->damage) < 0) {
        offer_end(offers, status_of(errno));
        return OFFER_FAILED;
    }
    offer->lane = lane;
    offer->next = from;
    lane->next = offer->end = batch->to;
    if (batch->count > 0) {
        offer->parts[0] = batch->count;
        offer->depth = 1;
        start(offers, offer);
        return OFFER_RUNS;
    }
    if (cursor_done(lane->cursor, batch->from, batch->to) < 0) {
        offer_end_doubtful(offers);
        return OFFER_FAILED;
    }
    return OFFER_SKIPPED;
}

enum offer_begun offer_retry(struct offers *offers, struct offer *offer, size_t count)
{
    offer->lane = NULL;
    offer->entry = 0;
    offer->entry_count = count;
    offer->parts[0] = count;
    offer->depth = 1;
    offer_part(offers, offer);
    return OFFER_RUNS;
}

void offer_split(struct offer *offer)
{
    const size_t count = offer->batch.count;

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
