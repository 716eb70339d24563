/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "record.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "crypto.h"
#include "when.h"

/* What every line begins and ends with; the hash is 16 hexadecimal digits. */
#define HEAD "{\"specversion\":\"1.0\",\"id\":\""
#define TAIL ",\"xxh3\":\""
#define TAIL_END "\"}\n"

static_assert(RECORD_SEAL == sizeof(TAIL) - 1 + 16 + sizeof(TAIL_END) - 1, "room for the proof");

enum {
    HEAD_BYTES = sizeof(HEAD) - 1,
    /* Names of the fields, two times, and the punctuation: well above what they need. */
    FRAME_BYTES = 512
};

/* The room a line can take at most: the body once as text, or once more as base64. */
static size_t bound(const struct event *event)
{
    size_t room = FRAME_BYTES + strlen(event->id) + strlen(event->source) + strlen(event->type);

    if (event->form != EVENT_BYTES)
        room += event->body_len;
    if (event->form != EVENT_JSON)
        room += crypto_base64_length(event->body_len);
    return room + RECORD_SEAL + 1;
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

size_t record_seal(char *line, size_t len)
{
    char seal[RECORD_SEAL + 1];

    snprintf(seal, sizeof(seal), TAIL "%016" PRIx64 TAIL_END, XXH3_64bits(line, len));
    memcpy(line + len, seal, RECORD_SEAL);
    return len + RECORD_SEAL;
}

char *record_encode(const struct event *event, size_t *len)
{
    const size_t room = bound(event);
    char time[WHEN_SIZE];
    char received[WHEN_SIZE];
    char *line = malloc(room);

    if (line == NULL)
        return NULL;
    when_stamp(time, event->time);
    when_stamp_micros(received, event->received.tv_sec, event->received.tv_nsec);
    const int head = snprintf(line, room,
                              HEAD "%s\",\"source\":\"%s\",\"type\":\"%s\",\"time\":\"%s\","
                              "\"datacontenttype\":\"%s\",\"received\":\"%s\"",
                              event->id, event->source, event->type, time,
                              event->form == EVENT_BYTES ? "application/octet-stream"
                                                         : "application/json",
                              received);
    char *end = put_data(line + head, event);
    *len = record_seal(line, (size_t)(end - line));
    return line;
}

/* The value of a hexadecimal digit in lower case, and 1; 0: it is none. */
static const unsigned char digit_values[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* Without branches: digits are as good as random, and who reads a log does it for each line. */
static bool parse_hash(const char *digits, uint64_t *hash)
{
    bool good = true;

    *hash = 0;
    for (int i = 0; i < 16; i++) {
        const unsigned char value = digit_values[(unsigned char)digits[i]];
        good &= value != 0;
        *hash = *hash << 4 | (uint64_t)((value - 1) & 15);
    }
    return good;
}

/* A string without escapes that begins here; returns what is behind `then`, or NULL. */
static const char *take_string(const char *at, const char *end, const char **text, size_t *len,
                               const char *then)
{
    const size_t then_len = strlen(then);
    const char *quote = at == NULL ? NULL : memchr(at, '"', (size_t)(end - at));

    if (quote == NULL || (size_t)(end - quote) < then_len || memcmp(quote, then, then_len) != 0)
        return NULL;
    *text = at;
    *len = (size_t)(quote - at);
    return quote + then_len;
}

static bool find_fields(const char *at, const char *end, struct record_view *view)
{
    const char *content;
    size_t content_len;

    at = take_string(at, end, &view->id, &view->id_len, "\",\"source\":\"");
    at = take_string(at, end, &view->source, &view->source_len, "\",\"type\":\"");
    at = take_string(at, end, &view->type, &view->type_len, "\",\"time\":\"");
    at = take_string(at, end, &view->time, &view->time_len, "\",\"datacontenttype\":\"");
    at = take_string(at, end, &content, &content_len, "\",\"received\":\"");
    return take_string(at, end, &view->received, &view->received_len, "\",\"data") != NULL;
}

bool record_sealed(const char *line, size_t len, size_t *content)
{
    uint64_t hash;

    if (len < RECORD_SEAL)
        return false;
    const char *tail = line + len - RECORD_SEAL;
    const char *digits = tail + sizeof(TAIL) - 1;
    *content = len - RECORD_SEAL;
    return memcmp(tail, TAIL, sizeof(TAIL) - 1) == 0
        && memcmp(digits + 16, TAIL_END, sizeof(TAIL_END) - 1) == 0
        && parse_hash(digits, &hash)
        && XXH3_64bits(line, *content) == hash;
}

bool record_check(const char *line, size_t len, struct record_view *view)
{
    size_t content;

    return len >= HEAD_BYTES && memcmp(line, HEAD, HEAD_BYTES) == 0
        && record_sealed(line, len, &content) && content >= HEAD_BYTES
        && find_fields(line + HEAD_BYTES, line + content, view);
}

size_t record_find(const char *line, size_t len)
{
    struct record_view view;
    const char *at = line;

    while (len > 0
           && (at = memmem(at + 1, len - (size_t)(at + 1 - line), HEAD, HEAD_BYTES)) != NULL) {
        const size_t begin = (size_t)(at - line);
        if (record_check(at, len - begin, &view))
            return begin;
    }
    return 0;
}

uint64_t record_hash(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}

uint64_t record_id_hash(const char *id, size_t len)
{
    return XXH3_64bits(id, len);
}
