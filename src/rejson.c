/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "rejson.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc.h"

struct writer {
    const char *text; /* what is read */
    size_t len, at;
    enum rejson_blanks blanks;
    enum rejson_escapes escapes;
    unsigned depth;
    char *out;
    size_t out_len, room, most;
    int error;
};

static void put(struct writer *w, const char *bytes, size_t len)
{
    if (w->error != 0)
        return;
    if (len > w->most || w->out_len > w->most - len) {
        w->error = EFBIG;
        return;
    }
    if (w->out_len + len > w->room) {
        const size_t room = 2 * (w->out_len + len);
        char *grown = realloc(w->out, room);
        if (grown == NULL) {
            w->error = ENOMEM;
            return;
        }
        w->out = grown;
        w->room = room;
    }
    memcpy(w->out + w->out_len, bytes, len);
    w->out_len += len;
}

static void put_text(struct writer *w, const char *text)
{
    put(w, text, strlen(text));
}

/* ---- strings */

static void put_unicode(struct writer *w, uint32_t code)
{
    char text[32];

    if (code < 0x10000)
        snprintf(text, sizeof(text), "\\u%04x", (unsigned)code);
    else
        snprintf(text, sizeof(text), "\\u%04x\\u%04x",
                 (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                 (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
    put_text(w, text);
}

static void put_utf8(struct writer *w, uint32_t code)
{
    char bytes[4];
    size_t len;

    if (code < 0x80) {
        bytes[0] = (char)code;
        len = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xc0 | code >> 6);
        len = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xe0 | code >> 12);
        len = 3;
    } else {
        bytes[0] = (char)(0xf0 | code >> 18);
        len = 4;
    }
    for (size_t i = 1; i < len; i++)
        bytes[i] = (char)(0x80 | ((code >> 6 * (len - 1 - i)) & 0x3f));
    put(w, bytes, len);
}

/* The four digits of an escape; the text is strict, so they are there. */
static uint32_t read_digits(const char *text)
{
    char digits[5] = {0};

    memcpy(digits, text, 4);
    return (uint32_t)strtoul(digits, NULL, 16);
}

/* An escape, written plainly unless JSON wants one there. */
static void put_escape(struct writer *w)
{
    const char *text = w->text + w->at;
    size_t len = 2;

    if (text[1] == 'u') {
        uint32_t code = read_digits(text + 2);
        len = 6;
        if (code >= 0xd800 && code < 0xdc00) {
            code = 0x10000 + ((code - 0xd800) << 10) + (read_digits(text + 8) - 0xdc00);
            len = 12;
        }
        if (w->escapes == REJSON_PLAIN && code >= 0x20 && code != '"' && code != '\\')
            put_utf8(w, code);
        else
            put(w, text, len);
    } else if (text[1] == '/') {
        put_text(w, w->escapes == REJSON_PLAIN || w->escapes == REJSON_ASCII ? "/" : "\\/");
    } else {
        put(w, text, len);
    }
    w->at += len;
}

static void put_character(struct writer *w)
{
    const unsigned char *text = (const unsigned char *)w->text + w->at;
    const size_t len = jsonc_character(w->text + w->at, w->len - w->at);
    const bool ascii = w->escapes == REJSON_ASCII || w->escapes == REJSON_PHP;

    if (len > 1 && ascii) {
        uint32_t code = text[0] & (0xffu >> (len + 1));
        for (size_t i = 1; i < len; i++)
            code = code << 6 | (text[i] & 0x3f);
        put_unicode(w, code);
    } else if (text[0] == '/' && w->escapes == REJSON_PHP) {
        put_text(w, "\\/");
    } else if (w->escapes == REJSON_HTML && strchr("<>&", text[0]) != NULL) {
        put_unicode(w, text[0]);
    } else {
        put(w, w->text + w->at, len == 0 ? 1 : len);
    }
    w->at += len == 0 ? 1 : len;
}

static void put_string(struct writer *w)
{
    put(w, w->text + w->at++, 1);
    while (w->at < w->len && w->text[w->at] != '"') {
        if (w->text[w->at] == '\\')
            put_escape(w);
        else
            put_character(w);
    }
    put(w, w->text + w->at++, 1);
}

/* ---- what stands between them */

static void skip_blanks(struct writer *w)
{
    while (w->at < w->len && strchr(" \t\r\n", w->text[w->at]) != NULL)
        w->at++;
}

static void break_line(struct writer *w)
{
    const unsigned step = w->blanks == REJSON_INDENT_2 ? 2 : w->blanks == REJSON_INDENT_4 ? 4 : 0;

    if (step == 0)
        return;
    put_text(w, "\n");
    for (unsigned i = 0; i < w->depth * step; i++)
        put_text(w, " ");
}

static void put_opening(struct writer *w)
{
    put(w, w->text + w->at++, 1);
    skip_blanks(w);
    if (w->at < w->len && strchr("]}", w->text[w->at]) != NULL) { /* empty: no line break */
        put(w, w->text + w->at++, 1);
        return;
    }
    w->depth++;
    break_line(w);
}

/* One character outside of strings, blanks written anew. */
static void put_token(struct writer *w)
{
    const char c = w->text[w->at];

    switch (c) {
    case '{':
    case '[':
        put_opening(w);
        return;
    case '}':
    case ']':
        w->depth--;
        break_line(w);
        break;
    default:
        break;
    }
    put(w, w->text + w->at++, 1);
    if (c == ',' && (w->blanks == REJSON_INDENT_2 || w->blanks == REJSON_INDENT_4))
        break_line(w);
    else if ((c == ',' || c == ':') && w->blanks != REJSON_COMPACT)
        put_text(w, " ");
}

char *rejson_write(const char *text, size_t len, enum rejson_blanks blanks,
                   enum rejson_escapes escapes, size_t most, size_t *made)
{
    struct writer w = {.text = text, .len = len, .blanks = blanks, .escapes = escapes,
                       .room = len + 64, .most = most};

    w.out = malloc(w.room);
    if (w.out == NULL)
        w.error = ENOMEM;
    while (w.error == 0) {
        if (blanks != REJSON_AS_IT_IS)
            skip_blanks(&w);
        if (w.at >= len)
            break;
        if (text[w.at] == '"')
            put_string(&w);
        else if (blanks == REJSON_AS_IT_IS)
            put(&w, text + w.at++, 1);
        else
            put_token(&w);
    }
    if (w.error != 0) {
        free(w.out);
        errno = w.error;
        return NULL;
    }
    *made = w.out_len;
    return w.out;
}
