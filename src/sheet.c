/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "sheet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "dead.h"
#include "filter.h"
#include "jsonc.h"
#include "listing.h"
#include "member.h"
#include "out.h"
#include "pretty.h"
#include "when.h"

enum { LABEL = 12, MARGIN = 2, BODY_SHOWN = 64 * 1024 };

/* ---- the failure of an event at a consumer */

struct search {
    uint64_t position;
    void (*tell)(const struct failure *failure);
};

static int tell_if_it(void *context, const struct failure *failure)
{
    const struct search *search = context;

    if (failure->position != search->position)
        return 0;
    search->tell(failure);
    return 1;
}

/* Tells what is kept of its failure, if it has failed. */
static void tell_failure(const struct standing *standing, enum fate fate, uint64_t position,
                         void (*tell)(const struct failure *))
{
    struct search search = {.position = position, .tell = tell};
    struct failure failure;
    char *line;

    if (fate == FATE_DEAD) {
        (void)dead_scan(standing->consumer.dir, standing->consumer.path, tell_if_it, &search);
    } else if (fate == FATE_FAILED
               && retry_load(standing->retry, retry_find(standing->retry, position), &failure,
                             &line) == 0) {
        tell(&failure);
        free(line);
    }
}

/* ---- JSON */

static void json_consumers(const struct sheet *sheet, uint64_t position)
{
    fputs(",\"consumers\":[", stdout);
    for (size_t i = 0; i < sheet->standings->count; i++) {
        const struct standing *standing = &sheet->standings->list[i];
        const enum fate fate = standing_fate(standing, position);
        fputs(i > 0 ? ",{\"consumer\":" : "{\"consumer\":", stdout);
        jsonc_put(stdout, standing->name, strlen(standing->name));
        member_flag("configured", standing->config != NULL);
        member_string("state", standing_fate_name(fate));
        tell_failure(standing, fate, position, listing_history);
        putchar('}');
    }
    putchar(']');
}

static const char *entry_name(enum entry_kind kind)
{
    static const char *const names[] = {"absent", "pending", "stored"};

    return names[kind];
}

static void put_json(const struct sheet *sheet, const struct segment_line *line,
                     const struct standing *keeper)
{
    const struct entry *entry = sheet->entry;

    printf("{\"position\":%" PRIu64, line->position);
    member_number("bytes", line->len);
    member_flag("in_log", keeper == NULL);
    member_string("entry", entry_name(entry->kind));
    fputs(",\"entry_day\":", stdout);
    if (entry->day[0] != '\0')
        jsonc_put(stdout, entry->day, strlen(entry->day));
    else
        fputs("null", stdout);
    json_consumers(sheet, line->position);
    fputs(",\"event\":", stdout);
    fwrite(line->text, 1, line->len - 1, stdout); /* without the newline: a JSON object */
    fputs("}\n", stdout);
}

/* ---- for people */

static void label(const char *name)
{
    const size_t len = strlen(name);

    fputs(out_style(stdout, OUT_FAINT), stdout);
    out_clean(stdout, name, len);
    fputs(out_style(stdout, OUT_PLAIN), stdout);
    printf("%*s", len < LABEL ? (int)(LABEL - len) : 1, "");
}

static void field(const char *name, const char *text, size_t len)
{
    label(name);
    out_clean(stdout, text, len);
    putchar('\n');
}

static void put_failure(const struct failure *failure)
{
    char first[WHEN_SIZE], last[WHEN_SIZE], next[WHEN_SIZE];

    when_stamp(first, failure->first);
    when_stamp(last, failure->last);
    when_stamp(next, failure->next);
    if (failure->attempts == 0)
        fputs(", brought back", stdout);
    else
        printf(", attempts: %u", failure->attempts);
    if (failure->next != 0)
        printf("; again at %s", next);
    putchar('\n');
    if (failure->first != 0)
        printf("%*sfailed first at %s, last at %s\n", LABEL, "", first, last);
    printf("%*s", LABEL, "");
    out_clean(stdout, failure->reason, strlen(failure->reason));
    putchar('\n');
    pretty_text(stdout, failure->stderr_text, strlen(failure->stderr_text), LABEL + MARGIN);
}

static void put_consumer(const struct standing *standing, uint64_t position)
{
    static const enum out_style styles[] = {OUT_PLAIN, OUT_WARN, OUT_BAD, OUT_GOOD};
    const enum fate fate = standing_fate(standing, position);

    label(standing->name);
    fputs(out_style(stdout, styles[fate]), stdout);
    fputs(standing_fate_name(fate), stdout);
    fputs(out_style(stdout, OUT_PLAIN), stdout);
    if (standing->config == NULL)
        fputs(" (not in the configuration)", stdout);
    if (standing->unread)
        fputs(" (not all of it could be read)", stdout);
    if (fate == FATE_FAILED || fate == FATE_DEAD)
        tell_failure(standing, fate, position, put_failure);
    else
        putchar('\n');
}

static void put_entry(const struct entry *entry)
{
    label("entry");
    switch (entry->kind) {
    case ENTRY_ABSENT:
        fputs("absent: an event of this id would be stored", stdout);
        break;
    case ENTRY_PENDING:
        fputs("pending: it is being stored, or its writer died", stdout);
        break;
    case ENTRY_STORED:
        fputs("stored: another event of this id is a duplicate", stdout);
        break;
    }
    if (entry->day[0] != '\0')
        printf("; made on %s", entry->day);
    putchar('\n');
}

/* What is too long for a page is cut. */
static size_t shown(size_t len)
{
    return len > BODY_SHOWN ? BODY_SHOWN : len;
}

static void put_rest(size_t len)
{
    if (len > BODY_SHOWN)
        printf("%*s... and %zu bytes more; --body writes all of it\n", MARGIN, "",
               len - BODY_SHOWN);
}

/* A body that is no JSON: text, or a word on what it is. */
static void put_bytes(const struct body *body)
{
    char *bytes = body_bytes(body);

    if (bytes != NULL && pretty_is_text(bytes, body->len)) {
        printf("%zu bytes of text\n", body->len);
        pretty_text(stdout, bytes, shown(body->len), MARGIN);
        put_rest(body->len);
    } else {
        printf("%zu bytes, binary; --body writes them\n", body->len);
    }
    free(bytes);
}

static void put_body(const struct segment_line *line)
{
    struct body body;

    label("body");
    if (!body_find(&body, line->text, line->len, &line->view)) {
        puts("none");
    } else if (body.json == NULL) {
        put_bytes(&body);
    } else {
        printf("%zu bytes of JSON\n", body.len);
        pretty_json(stdout, body.json, shown(body.json_len), MARGIN);
        put_rest(body.json_len);
    }
}

static void put_page(const struct sheet *sheet, const struct segment_line *line,
                     const struct standing *keeper)
{
    const struct record_view *view = &line->view;
    char age[WHEN_AGE_SIZE];

    field("id", view->id, view->id_len);
    field("type", view->type, view->type_len);
    field("source", view->source, view->source_len);
    field("signed", view->time, view->time_len);
    label("received");
    out_clean(stdout, view->received, view->received_len);
    printf(", %s ago\n", when_age(age, sheet->now - filter_received(view)));
    label("position");
    printf("%" PRIu64 ", %zu bytes", line->position, line->len);
    if (keeper != NULL) {
        fputs("; not in the log any more, kept for consumer ", stdout);
        out_clean(stdout, keeper->name, strlen(keeper->name));
    }
    putchar('\n');
    put_entry(sheet->entry);
    for (size_t i = 0; i < sheet->standings->count; i++)
        put_consumer(&sheet->standings->list[i], line->position);
    put_body(line);
}

void sheet_put(const struct sheet *sheet, const struct segment_line *line,
               const struct standing *keeper)
{
    if (sheet->json)
        put_json(sheet, line, keeper);
    else
        put_page(sheet, line, keeper);
}
