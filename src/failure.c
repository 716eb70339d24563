/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "failure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc.h"
#include "record.h"

#define EVENT ",\"event\":"

enum { HEAD_MAX = 16 * 1024 };

/* Would it do something to a terminal? C0 but newline and TAB, DEL, C1. */
static bool is_control(const char *at, size_t step)
{
    const unsigned char c = (unsigned char)at[0];

    return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f
        || (step == 2 && c == 0xc2 && (unsigned char)at[1] < 0xa0);
}

void failure_set_stderr(struct failure *failure, const char *bytes, size_t len)
{
    char *out = failure->stderr_text;
    size_t step;

    for (size_t at = 0; at < len; at += step) {
        const size_t character = jsonc_character(bytes + at, len - at);
        step = character == 0 ? 1 : character;
        if (at + step > FAILURE_STDERR)
            break; /* not in the middle of a character */
        if (character == 0 || is_control(bytes + at, character))
            memset(out, '?', step);
        else
            memcpy(out, bytes + at, step);
        out += step;
    }
    *out = '\0';
}

static void put_text(FILE *out, const char *name, const char *text)
{
    fprintf(out, ",\"%s\":", name);
    jsonc_put(out, text, strlen(text));
}

static void put_head(FILE *out, const struct failure *failure)
{
    fprintf(out, "{\"position\":%" PRIu64, failure->position);
    put_text(out, "id", failure->id);
    put_text(out, "type", failure->type);
    fprintf(out, ",\"attempts\":%u,\"first\":%" PRId64 ",\"last\":%" PRId64, failure->attempts,
            failure->first, failure->last);
    if (failure->next != 0)
        fprintf(out, ",\"next\":%" PRId64, failure->next);
    else
        fputs(",\"next\":null", out);
    put_text(out, "reason", failure->reason);
    fprintf(out, ",\"status\":%d", failure->status);
    put_text(out, "stderr", failure->stderr_text);
    fputs(EVENT, out);
}

char *failure_encode(const struct failure *failure, size_t *len)
{
    char *head = NULL;
    size_t head_len = 0;

    FILE *out = open_memstream(&head, &head_len);
    if (out == NULL)
        return NULL;
    put_head(out, failure);
    if (fclose(out) != 0) {
        free(head);
        return NULL;
    }
    char *line = realloc(head, head_len + failure->event_len + RECORD_SEAL);
    if (line == NULL) {
        free(head);
        return NULL;
    }
    memcpy(line + head_len, failure->event, failure->event_len);
    *len = record_seal(line, head_len + failure->event_len);
    return line;
}

static bool take_text(const struct jsonc *json, const char *name, char *out, size_t size)
{
    size_t len;
    const char *text = jsonc_text(json, name, &len);

    if (text == NULL || len >= size)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool take_head(const struct jsonc *json, struct failure *failure)
{
    int64_t position, attempts, status;

    if (!jsonc_number(json, "position", &position) || !jsonc_number(json, "attempts", &attempts)
        || !jsonc_number(json, "first", &failure->first)
        || !jsonc_number(json, "last", &failure->last) || !jsonc_number(json, "status", &status)
        || position < 0 || attempts < 0 || attempts > UINT32_MAX || status < 0 || status > 255)
        return false;
    if (!jsonc_number(json, "next", &failure->next))
        failure->next = 0;
    failure->position = (uint64_t)position;
    failure->attempts = (unsigned)attempts;
    failure->status = (int)status;
    return take_text(json, "id", failure->id, sizeof(failure->id))
        && take_text(json, "type", failure->type, sizeof(failure->type))
        && take_text(json, "reason", failure->reason, sizeof(failure->reason))
        && take_text(json, "stderr", failure->stderr_text, sizeof(failure->stderr_text));
}

bool failure_decode(const char *line, size_t len, struct failure *failure)
{
    char head[HEAD_MAX];
    size_t content;

    /* Quotes are escaped in what stands before it, so the first one is the member. */
    const char *event =
        record_sealed(line, len, &content)
            ? memmem(line, content < HEAD_MAX ? content : HEAD_MAX, EVENT, sizeof(EVENT) - 1)
            : NULL;
    if (event == NULL || (size_t)(event - line) >= HEAD_MAX - 1)
        return false;
    const size_t head_len = (size_t)(event - line);
    memcpy(head, line, head_len);
    head[head_len] = '}';
    struct jsonc *json = jsonc_parse(head, head_len + 1);
    if (json == NULL)
        return false;
    *failure = (struct failure){0};
    const bool good = take_head(json, failure);
    jsonc_free(json);
    failure->event = event + sizeof(EVENT) - 1;
    failure->event_len = content - head_len - (sizeof(EVENT) - 1);
    return good;
}
