/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#include "crypto.h"

/* What every line begins and ends with; the hash is 16 hexadecimal digits. */
#define HEAD "{\"specversion\":\"1.0\",\"id\":\""
#define TAIL ",\"xxh3\":\""
#define TAIL_END "\"}\n"

enum {
    HEAD_BYTES = sizeof(HEAD) - 1,
    TAIL_BYTES = sizeof(TAIL) - 1 + 16 + sizeof(TAIL_END) - 1,
    /* Names of the fields, two times, and the punctuation: well above what they need. */
    FRAME_BYTES = 512
};

/* Writes `at` as RFC 3339 in UTC with so many digits of the second's fraction. */
static size_t put_time(char *out, size_t cap, int64_t seconds, long nanoseconds, bool micros)
{
    const time_t when = (time_t)seconds;
    struct tm tm;

    gmtime_r(&when, &tm);
    size_t len = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    if (micros)
        len += (size_t)snprintf(out + len, cap - len, ".%06ld", nanoseconds / 1000);
    len += (size_t)snprintf(out + len, cap - len, "Z");
    return len;
}

/* The room a line can take at most: the body once as text, or once more as base64. */
static size_t bound(const struct event *event)
{
    size_t room = FRAME_BYTES + strlen(event->id) + strlen(event->source) + strlen(event->type);

    if (event->form != EVENT_BYTES)
        room += event->body_len;
    if (event->form != EVENT_JSON)
        room += crypto_base64_length(event->body_len);
    return room + TAIL_BYTES + 1;
}

static char *put_base64(char *at, const char *field, const struct event *event)
{
    at = stpcpy(stpcpy(stpcpy(at, ",\""), field), "\":\"");
    crypto_base64_encode(at, event->body, event->body_len);
    at += crypto_base64_length(event->body_len);
    *at++ = '"';
    return at;
}

/* Line breaks stand only between the tokens of strict JSON, so a blank means the same. */
static void unbreak(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\r')
            text[i] = ' ';
    }
}

static char *put_data(char *at, const struct event *event)
{
    if (event->form == EVENT_BYTES)
        return put_base64(at, "data_base64", event);

    at = stpcpy(at, ",\"data\":");
    memcpy(at, event->body, event->body_len);
    if (event->form == EVENT_JSON_LINES) {
        unbreak(at, event->body_len);
        return put_base64(at + event->body_len, "bodybase64", event);
    }
    return at + event->body_len;
}

char *record_encode(const struct event *event, size_t *len)
{
    const size_t room = bound(event);
    char time[40];
    char received[48];
    char *line = malloc(room);

    if (line == NULL)
        return NULL;
    put_time(time, sizeof(time), event->time, 0, false);
    put_time(received, sizeof(received), event->received.tv_sec, event->received.tv_nsec, true);
    const int head = snprintf(line, room,
                              HEAD "%s\",\"source\":\"%s\",\"type\":\"%s\",\"time\":\"%s\","
                              "\"datacontenttype\":\"%s\",\"received\":\"%s\"",
                              event->id, event->source, event->type, time,
                              event->form == EVENT_BYTES ? "application/octet-stream"
                                                         : "application/json",
                              received);
    char *end = put_data(line + head, event);
    const uint64_t hash = XXH3_64bits(line, (size_t)(end - line));
    *len = (size_t)(end - line);
    *len += (size_t)snprintf(end, room - *len, TAIL "%016" PRIx64 TAIL_END, hash);
    return line;
}

static bool parse_hash(const char *digits, uint64_t *hash)
{
    *hash = 0;
    for (int i = 0; i < 16; i++) {
        const char c = digits[i];
        unsigned value;
        if (c >= '0' && c <= '9')
            value = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = (unsigned)(c - 'a') + 10;
        else
            return false;
        *hash = *hash << 4 | value;
    }
    return true;
}

bool record_check(const char *line, size_t len, struct record_view *view)
{
    if (len < (size_t)HEAD_BYTES + TAIL_BYTES || memcmp(line, HEAD, HEAD_BYTES) != 0)
        return false;

    const char *tail = line + len - TAIL_BYTES;
    const char *digits = tail + sizeof(TAIL) - 1;
    uint64_t hash;
    if (memcmp(tail, TAIL, sizeof(TAIL) - 1) != 0
        || memcmp(digits + 16, TAIL_END, sizeof(TAIL_END) - 1) != 0
        || !parse_hash(digits, &hash)
        || XXH3_64bits(line, (size_t)(tail - line)) != hash)
        return false;

    view->id = line + HEAD_BYTES;
    const char *quote = memchr(view->id, '"', (size_t)(tail - view->id));
    if (quote == NULL)
        return false;
    view->id_len = (size_t)(quote - view->id);
    return true;
}

size_t record_find(const char *line, size_t len)
{
    struct record_view view;
    const char *at = line;

    while ((at = memmem(at + 1, len - (size_t)(at + 1 - line), HEAD, HEAD_BYTES)) != NULL) {
        const size_t begin = (size_t)(at - line);
        if (record_check(at, len - begin, &view))
            return begin;
    }
    return 0;
}

uint64_t record_id_hash(const char *id, size_t len)
{
    return XXH3_64bits(id, len);
}
