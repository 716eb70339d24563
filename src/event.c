/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "event.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

/*
 * Length of the UTF-8 sequence (RFC 3629 section 4) at text, or 0. json-c
 * takes overlong forms, surrogates and values beyond U+10FFFF.
 */
static size_t utf8_sequence(const unsigned char *text, size_t len)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max;
        size_t bytes;
    } rows[] = {
        {0x20, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (text[0] < rows[i].lead_min || text[0] > rows[i].lead_max || rows[i].bytes > len)
            continue;
        if (rows[i].bytes > 1 && (text[1] < rows[i].second_min || text[1] > rows[i].second_max))
            return 0;
        for (size_t at = 2; at < rows[i].bytes; at++) {
            if (text[at] < 0x80 || text[at] > 0xbf)
                return 0;
        }
        return rows[i].bytes;
    }
    return 0;
}

/* The end of the string whose opening quote is at text[at], or 0: no valid string. */
static size_t string_end(const char *text, size_t len, size_t at)
{
    at++;
    while (at < len) {
        if (text[at] == '"')
            return at + 1;
        if (text[at] == '\\')
            at++; /* what follows is json-c's to check */
        if (at >= len)
            return 0;
        const size_t bytes = utf8_sequence((const unsigned char *)text + at, len - at);
        if (bytes == 0)
            return 0; /* a control character, or not UTF-8 */
        at += bytes;
    }
    return 0;
}

static size_t digits(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* The end of the number at text[at] by RFC 8259 section 6, or 0: not one. */
static size_t number_end(const char *text, size_t len, size_t at)
{
    if (text[at] == '-')
        at++;
    size_t end = digits(text, len, at);
    if (end == at || (text[at] == '0' && end > at + 1))
        return 0;
    if (end < len && text[end] == '.') {
        at = end + 1;
        end = digits(text, len, at);
        if (end == at)
            return 0;
    }
    if (end < len && (text[end] == 'e' || text[end] == 'E')) {
        at = end + 1;
        if (at < len && (text[at] == '+' || text[at] == '-'))
            at++;
        end = digits(text, len, at);
        if (end == at)
            return 0;
    }
    return end;
}

static size_t literal_end(const char *text, size_t len, size_t at)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        const size_t size = strlen(literals[i]);
        if (len - at >= size && memcmp(text + at, literals[i], size) == 0)
            return at + size;
    }
    return 0;
}

/*
 * Is every token spelled as RFC 8259 wants it, and nested EVENT_DEPTH levels
 * at most? The structure is json-c's to check, which counts a scalar as one.
 */
static bool strictly_spelled(const char *text, size_t len)
{
    size_t at = 0;
    int depth = 0;

    while (at < len) {
        switch (text[at]) {
        case '{': case '[':
            if (++depth > EVENT_DEPTH)
                return false;
            at++;
            continue;
        case '}': case ']':
            depth--;
            at++;
            continue;
        case ':': case ',': case ' ': case '\t': case '\n': case '\r':
            at++;
            continue;
        case '"':
            at = string_end(text, len, at);
            break;
        case 't': case 'f': case 'n':
            at = literal_end(text, len, at);
            break;
        default:
            at = number_end(text, len, at);
            break;
        }
        if (at == 0)
            return false;
    }
    return true;
}

/*
 * The parsed body, or NULL with *error set: 0 when it is not strict JSON.
 * A top-level scalar is complete only once json-c has seen the end of input.
 */
static struct json_object *parse(const char *text, size_t len, int *error)
{
    struct json_tokener *tokener = json_tokener_new_ex(EVENT_DEPTH + 1);

    *error = 0;
    if (tokener == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)len);
    size_t end = json_tokener_get_parse_end(tokener);
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        value = json_tokener_parse_ex(tokener, "", 1);
        end = len;
    }
    const enum json_tokener_error verdict = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (verdict == json_tokener_success && end == len)
        return value; /* NULL, too, for the text "null" */
    json_object_put(value);
    *error = EINVAL;
    return NULL;
}

static bool is_type(const char *text, size_t len)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-";

    return len > 0 && len <= EVENT_TYPE_MAX && strspn(text, allowed) == len;
}

static void find_type(struct json_object *value, char type[EVENT_TYPE_MAX + 1])
{
    static const char *const names[] = {"type", "event", "eventType"};

    if (!json_object_is_type(value, json_type_object))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct json_object *member;
        if (!json_object_object_get_ex(value, names[i], &member)
            || !json_object_is_type(member, json_type_string))
            continue;
        const char *text = json_object_get_string(member);
        const size_t len = (size_t)json_object_get_string_len(member);
        if (is_type(text, len)) {
            memcpy(type, text, len + 1);
            return;
        }
    }
}

int event_examine(struct event *event, const char *default_type)
{
    const char *body = event->body;
    const size_t len = event->body_len;

    strncpy(event->type, default_type, EVENT_TYPE_MAX);
    event->type[EVENT_TYPE_MAX] = '\0';
    event->form = EVENT_BYTES;
    if (len == 0 || !strictly_spelled(body, len))
        return 0;

    int error;
    struct json_object *value = parse(body, len, &error);
    if (error == ENOMEM) {
        errno = ENOMEM;
        return -1;
    }
    if (error != 0)
        return 0;
    const bool lines = memchr(body, '\n', len) != NULL || memchr(body, '\r', len) != NULL;
    event->form = lines ? EVENT_JSON_LINES : EVENT_JSON;
    find_type(value, event->type);
    json_object_put(value);
    return 0;
}
