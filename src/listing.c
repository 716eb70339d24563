/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "member.h"
#include "when.h"

enum { TYPE_WIDTH = 32, ID_WIDTH = 40, REASON_WIDTH = 60, STATE = 80 };

static const struct table_column event_columns[] = {
    {"RECEIVED", 20, false, false}, {"TYPE", TYPE_WIDTH, false, false},
    {"ID", ID_WIDTH, false, false}, {"BYTES", 9, true, false},
    {"POSITION", 20, true, false},  {"STATE", STATE, false, false}};

static const struct table_column failed_columns[] = {
    {"FAILED LAST", 20, false, false}, {"ATTEMPTS", 8, true, false},
    {"AGAIN AT", 20, false, false},    {"TYPE", TYPE_WIDTH, false, false},
    {"ID", ID_WIDTH, false, false},    {"REASON", REASON_WIDTH, false, true}};

static const struct table_column dead_columns[] = {
    {"FAILED LAST", 20, false, false},  {"ATTEMPTS", 8, true, false},
    {"TYPE", TYPE_WIDTH, false, false}, {"ID", ID_WIDTH, false, false},
    {"REASON", REASON_WIDTH, false, true}};

int listing_open(struct listing *listing, enum listing_kind kind, bool json,
                 const struct standing *standing)
{
    static const struct {
        const struct table_column *columns;
        size_t count;
    } tables[] = {{event_columns, 5}, {event_columns, 4}, {event_columns, 6},
                  {failed_columns, 6}, {dead_columns, 5}};

    *listing = (struct listing){.kind = kind, .standing = standing};
    if (json)
        return 0;
    listing->table = table_new(stdout, tables[kind].columns, tables[kind].count,
                               kind != LISTING_BRIEF);
    return listing->table == NULL ? -1 : 0;
}

void listing_close(struct listing *listing)
{
    table_free(listing->table);
    listing->table = NULL;
}

void listing_flush(struct listing *listing)
{
    if (listing->table != NULL)
        table_flush(listing->table);
}

/* ---- JSON */

static void put_state(const struct listing *listing, uint64_t position)
{
    const struct standing *standing = listing->standing;
    const enum fate fate = standing_fate(standing, position);

    member_string("consumer", standing->name);
    member_string("state", standing_fate_name(fate));
    if (fate == FATE_FAILED) {
        const struct retry_entry *entry = retry_find(standing->retry, position);
        member_number("attempts", entry->attempts);
        member_time("next", entry->next);
    }
}

static void put_event(const struct listing *listing, const struct segment_line *line)
{
    const struct record_view *view = &line->view;

    printf("{\"position\":%" PRIu64, line->position);
    member_text("id", view->id, view->id_len);
    member_text("type", view->type, view->type_len);
    member_text("source", view->source, view->source_len);
    member_text("time", view->time, view->time_len);
    member_text("received", view->received, view->received_len);
    member_number("bytes", line->len);
    if (listing->standing != NULL)
        put_state(listing, line->position);
    fputs("}\n", stdout);
}

void listing_history(const struct failure *failure)
{
    member_number("attempts", failure->attempts);
    member_time("first", failure->first);
    member_time("last", failure->last);
    member_time("next", failure->next);
    member_string("reason", failure->reason);
    member_number("status", (uint64_t)failure->status);
    member_string("stderr", failure->stderr_text);
}

static void put_failure(const struct listing *listing, const struct failure *failure)
{
    printf("{\"position\":%" PRIu64, failure->position);
    member_string("id", failure->id);
    member_string("type", failure->type);
    member_string("consumer", listing->standing->name);
    member_string("state",
                  standing_fate_name(listing->kind == LISTING_DEAD ? FATE_DEAD : FATE_FAILED));
    listing_history(failure);
    fputs("}\n", stdout);
}

/* ---- tables */

/* Without the fraction of a second: "2026-11-23T09:33:01Z". */
static void add_received(struct table *table, const struct record_view *view)
{
    enum { SECONDS = sizeof("2026-11-23T09:33:01") - 1 };
    char stamp[WHEN_SIZE];

    if (view->received_len <= SECONDS || view->received_len >= sizeof(stamp)) {
        table_text(table, view->received, view->received_len);
        return;
    }
    memcpy(stamp, view->received, SECONDS);
    memcpy(stamp + SECONDS, "Z", 2);
    table_string(table, stamp);
}

static void add_time(struct table *table, int64_t seconds)
{
    char stamp[WHEN_SIZE] = "-";

    if (seconds != 0)
        when_stamp(stamp, seconds);
    table_string(table, stamp);
}

static void add_state(const struct listing *listing, uint64_t position)
{
    const enum fate fate = standing_fate(listing->standing, position);
    char state[STATE], stamp[WHEN_SIZE];

    if (fate != FATE_FAILED) {
        table_string(listing->table, standing_fate_name(fate));
        return;
    }
    const struct retry_entry *entry = retry_find(listing->standing->retry, position);
    when_stamp(stamp, entry->next);
    snprintf(state, sizeof(state), "failed: attempt %u at %s", entry->attempts + 1, stamp);
    table_string(listing->table, state);
}

static void add_event(struct listing *listing, const struct segment_line *line)
{
    struct table *table = listing->table;

    add_received(table, &line->view);
    table_text(table, line->view.type, line->view.type_len);
    table_text(table, line->view.id, line->view.id_len);
    table_number(table, line->len);
    if (listing->kind != LISTING_BRIEF)
        table_number(table, line->position);
    if (listing->kind == LISTING_STATES)
        add_state(listing, line->position);
}

static void add_failure(struct listing *listing, const struct failure *failure)
{
    struct table *table = listing->table;

    add_time(table, failure->last);
    table_number(table, failure->attempts);
    if (listing->kind == LISTING_FAILED)
        add_time(table, failure->next);
    table_string(table, failure->type);
    table_string(table, failure->id);
    table_string(table, failure->reason);
}

void listing_event(struct listing *listing, const struct segment_line *line)
{
    if (listing->table == NULL)
        put_event(listing, line);
    else
        add_event(listing, line);
}

void listing_failure(struct listing *listing, const struct failure *failure)
{
    if (listing->table == NULL)
        put_failure(listing, failure);
    else
        add_failure(listing, failure);
}
