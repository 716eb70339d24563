/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "exhibit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "jsonc.h"
#include "member.h"
#include "out.h"
#include "when.h"

static void put(const char *text)
{
    out_clean(stdout, text, strlen(text));
}

static const char *known(const char *text)
{
    return text == NULL || text[0] == '\0' ? "-" : text;
}

static const char *variable(const struct exhibit *exhibit, const char *name)
{
    return kept_variable(exhibit->kept, name);
}

/* The path that was asked for, with its query. */
static const char *target(const struct exhibit *exhibit)
{
    const char *uri = variable(exhibit, "REQUEST_URI");

    return uri != NULL ? uri : variable(exhibit, "SCRIPT_NAME");
}

/* The request as explain.h wants it. */
static struct explain_request request_of(const struct kept *kept)
{
    return (struct explain_request){.headers = kept->variables, .body = kept->body,
                                    .body_len = kept->head->body_len, .sent = kept->head->sent,
                                    .came = kept->head->came};
}

int exhibit_make(struct exhibit *exhibit, const struct kept *kept,
                 const struct config_endpoint *endpoint, const struct keyring *keyring,
                 size_t effort)
{
    struct explain_request request = request_of(kept);
    struct event event = {.body = kept->body, .body_len = kept->head->body_len};
    struct delivery delivery;

    *exhibit = (struct exhibit){.kept = kept, .endpoint = endpoint};
    (void)delivery_parse(&delivery, kept->variables, kept->head->came, endpoint->tolerance);
    strcpy(exhibit->id, delivery.id);
    if (!kept_is_cut(kept)) {
        if (event_examine(&event, endpoint->default_type) < 0)
            return -1;
        strcpy(exhibit->type, event.type);
    }
    if (effort == 0)
        return 0;
    request.effort = effort;
    exhibit->explained = true;
    return explain(&request, endpoint, keyring, &exhibit->explanation);
}

bool exhibit_refused(const struct kept *kept)
{
    return kept->head->status >= 400 && kept->head->status < 500;
}

/* Are there causes to be told? */
static bool has_causes(const struct exhibit *exhibit)
{
    return exhibit->explained && exhibit_refused(exhibit->kept);
}

/* ---- in a list */

static enum out_style style_of(unsigned status)
{
    return status < 300 ? OUT_GOOD : status < 500 ? OUT_BAD : OUT_WARN;
}

static void put_size(const struct kept *kept)
{
    if (kept->body == NULL)
        printf("body not read");
    else if (kept_is_cut(kept))
        printf("%" PRIu64 " bytes, %u of them kept", kept->head->sent, kept->head->body_len);
    else
        printf("%" PRIu64 " bytes", kept->head->sent);
}

/* What was found out since, besides the reason; or that it would be taken now. */
static void put_causes(const struct exhibit *exhibit, const char *before)
{
    const struct explanation *explanation = &exhibit->explanation;

    if (!has_causes(exhibit))
        return;
    if (explanation->genuine)
        printf("%sholds with the configuration of now: inspect --release stores it\n", before);
    for (size_t i = 0; i < explanation->count; i++) {
        fputs(before, stdout);
        put(explanation->findings[i]);
        putchar('\n');
    }
}

void exhibit_list(const struct exhibit *exhibit)
{
    const struct kept_head *head = exhibit->kept->head;
    char stamp[WHEN_SIZE];

    (void)when_stamp(stamp, head->came);
    printf("%6" PRIu64 "  %s  %s%u %s%s  %s  %s  ", head->number, stamp,
           out_style(stdout, style_of(head->status)), head->status, exhibit->kept->word,
           out_style(stdout, OUT_PLAIN), known(exhibit->id), known(exhibit->type));
    put_size(exhibit->kept);
    putchar('\n');
    if (exhibit->kept->reason[0] != '\0') {
        fputs("        ", stdout);
        put(exhibit->kept->reason);
        putchar('\n');
    }
    put_causes(exhibit, "        ");
}

/* ---- in full */

static void put_headers(const struct kept *kept, const char *before)
{
    char name[KEPT_NAME];
    const char *value;

    for (char *const *at = kept->variables; *at != NULL; at++) {
        if (!kept_header(*at, name, &value))
            continue;
        fputs(before, stdout);
        put(name);
        fputs(": ", stdout);
        put(value);
        putchar('\n');
    }
    if ((kept->head->flags & KEPT_MISSING) != 0)
        printf("%s(and more, which had no room)\n", before);
}

static void put_body(const struct kept *kept)
{
    const char *at = kept->body, *end = at + kept->head->body_len;

    while (at < end) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        const size_t len = line == NULL ? (size_t)(end - at) : (size_t)(line - at);
        fputs("  ", stdout);
        out_clean(stdout, at, len);
        putchar('\n');
        at += len + 1;
    }
}

static void put_inputs(const struct explanation *explanation)
{
    static const char *const words[] = {"?", "ok", "wrong"};

    for (int i = 0; i < EXPLAIN_INPUTS; i++) {
        printf("  %-10s %-5s  ", explanation_input((enum explain_input)i),
               words[explanation->inputs[i].holds]);
        put(explanation->inputs[i].text);
        putchar('\n');
    }
}

void exhibit_full(const struct exhibit *exhibit)
{
    const struct kept *kept = exhibit->kept;
    const struct kept_head *head = kept->head;
    char stamp[WHEN_SIZE];

    (void)when_stamp_micros(stamp, head->came, (long)head->nanoseconds);
    printf("number    %" PRIu64 "\nendpoint  %s%s%s\ncame      %s\nanswered  %u %s%s%s\n",
           head->number, exhibit->endpoint->name,
           exhibit->endpoint->description[0] == '\0' ? "" : ", ", exhibit->endpoint->description,
           stamp, head->status, kept->word, kept->reason[0] == '\0' ? "" : ": ", kept->reason);
    if (head->secret_line != 0)
        printf("secret    line %u\n", head->secret_line);
    fputs("from      ", stdout);
    put(known(variable(exhibit, "REMOTE_ADDR")));
    fputs("\nrequest   ", stdout);
    put(known(variable(exhibit, "REQUEST_METHOD")));
    putchar(' ');
    put(known(target(exhibit)));
    printf("\nid        %s\ntype      %s\nsize      ", known(exhibit->id), known(exhibit->type));
    put_size(kept);
    puts("\nheaders");
    put_headers(kept, "  ");
    if (exhibit->explained) {
        puts("inputs");
        put_inputs(&exhibit->explanation);
    }
    if (has_causes(exhibit)) {
        puts("causes");
        put_causes(exhibit, "  ");
    }
    if (kept->body != NULL) {
        puts("body");
        put_body(kept);
    }
}

void exhibit_raw(const struct exhibit *exhibit)
{
    const struct kept *kept = exhibit->kept;
    const char *protocol = variable(exhibit, "SERVER_PROTOCOL");
    char name[KEPT_NAME];
    const char *value;

    printf("%s %s %s\r\n", known(variable(exhibit, "REQUEST_METHOD")), known(target(exhibit)),
           protocol == NULL ? "HTTP/1.1" : protocol);
    for (char *const *at = kept->variables; *at != NULL; at++) {
        if (kept_header(*at, name, &value))
            printf("%s: %s\r\n", name, value);
    }
    fputs("\r\n", stdout);
    if (kept->body != NULL)
        fwrite(kept->body, 1, kept->head->body_len, stdout);
}

/* ---- as JSON */

static void json_text(const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0')
        printf(",\"%s\":null", name);
    else
        member_string(name, text);
}

static void json_causes(const struct exhibit *exhibit)
{
    const struct explanation *explanation = &exhibit->explanation;

    printf(",\"holds_now\":%s,\"causes\":[",
           !exhibit->explained ? "null" : explanation->genuine ? "true" : "false");
    for (size_t i = 0; has_causes(exhibit) && i < explanation->count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        jsonc_put(stdout, explanation->findings[i], strlen(explanation->findings[i]));
    }
    putchar(']');
}

/* A list of pairs, since a header may stand there twice. */
static void json_headers(const struct kept *kept)
{
    char name[KEPT_NAME];
    const char *value, *comma = "";

    fputs(",\"headers\":[", stdout);
    for (char *const *at = kept->variables; *at != NULL; at++) {
        if (!kept_header(*at, name, &value))
            continue;
        printf("%s{\"name\":", comma);
        jsonc_put(stdout, name, strlen(name));
        fputs(",\"value\":", stdout);
        jsonc_put(stdout, value, strlen(value));
        putchar('}');
        comma = ",";
    }
    putchar(']');
}

static void json_base64(const char *bytes, size_t len)
{
    const size_t size = crypto_base64_length(len);
    char *text = malloc(size + 1);

    if (text != NULL) {
        crypto_base64_encode(text, bytes, len);
        fwrite(text, 1, size, stdout);
    }
    free(text);
}

/* As a string where it can be one without loss. */
static void json_body(const struct kept *kept)
{
    const size_t len = kept->head->body_len;
    size_t at = 0, step = 1;

    if (kept->body == NULL)
        return;
    while (at < len && step > 0) {
        step = jsonc_character(kept->body + at, len - at);
        at += step;
    }
    if (step > 0) {
        fputs(",\"body\":", stdout);
        jsonc_put(stdout, kept->body, len);
        return;
    }
    fputs(",\"body_base64\":\"", stdout);
    json_base64(kept->body, len);
    putchar('"');
}

void exhibit_json(const struct exhibit *exhibit, bool in_full)
{
    const struct kept *kept = exhibit->kept;
    const struct kept_head *head = kept->head;
    char stamp[WHEN_SIZE];

    (void)when_stamp_micros(stamp, head->came, (long)head->nanoseconds);
    printf("{\"number\":%" PRIu64 ",\"endpoint\":\"%s\",\"came\":\"%s\",\"status\":%u",
           head->number, exhibit->endpoint->name, stamp, head->status);
    json_text("verdict", kept->word);
    json_text("reason", kept->reason);
    json_text("id", exhibit->id);
    json_text("type", exhibit->type);
    json_text("method", variable(exhibit, "REQUEST_METHOD"));
    json_text("path", target(exhibit));
    json_text("remote", variable(exhibit, "REMOTE_ADDR"));
    if (kept->body == NULL)
        fputs(",\"bytes\":null,\"kept\":0", stdout);
    else
        printf(",\"bytes\":%" PRIu64 ",\"kept\":%u", head->sent, head->body_len);
    printf(",\"secret_line\":%u", head->secret_line);
    json_causes(exhibit);
    if (in_full) {
        json_headers(kept);
        json_body(kept);
    }
    puts("}");
}
