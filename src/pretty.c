/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "pretty.h"

#include <string.h>

#include "jsonc.h"
#include "out.h"

enum { INDENT = 2 };

static void new_line(FILE *out, int margin, int depth)
{
    putc('\n', out);
    for (int i = 0; i < margin + depth * INDENT; i++)
        putc(' ', out);
}

/* The length of a string with its quotes that begins here. */
static size_t string_length(const char *text, size_t len)
{
    size_t i = 1;

    while (i < len && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i < len ? i + 1 : len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Does an array or object that opens here hold nothing? Then where it closes; else 0. */
static size_t empty_length(const char *text, size_t len)
{
    size_t i = 1;

    while (i < len && is_blank(text[i]))
        i++;
    return i < len && (text[i] == ']' || text[i] == '}') ? i + 1 : 0;
}

/* A number, true, false or null: up to what ends it. */
static size_t word_length(const char *text, size_t len)
{
    size_t i = 1;

    while (i < len && !is_blank(text[i]) && strchr(",:]}", text[i]) == NULL)
        i++;
    return i;
}

void pretty_json(FILE *out, const char *text, size_t len, int margin)
{
    int depth = 0;

    for (int i = 0; i < margin; i++)
        putc(' ', out);
    for (size_t at = 0; at < len;) {
        const char c = text[at];
        size_t step = 1;
        if (c == '{' || c == '[') {
            step = empty_length(text + at, len - at);
            putc(c, out);
            if (step > 0)
                putc(text[at + step - 1], out);
            else
                new_line(out, margin, ++depth);
            step += step == 0;
        } else if (c == '}' || c == ']') {
            new_line(out, margin, --depth);
            putc(c, out);
        } else if (c == ',') {
            putc(c, out);
            new_line(out, margin, depth);
        } else if (c == ':') {
            fputs(": ", out);
        } else if (!is_blank(c)) {
            step = c == '"' ? string_length(text + at, len - at) : word_length(text + at, len - at);
            out_clean(out, text + at, step);
        }
        at += step;
    }
    putc('\n', out);
}

bool pretty_is_text(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const unsigned char c = (unsigned char)text[at];
        const size_t step = jsonc_character(text + at, len - at);
        if (step == 0 || (c < 0x20 && !is_blank(text[at])) || c == 0x7f)
            return false;
        at += step;
    }
    return true;
}

/* A line without its end. Tabs go to the terminal as they are. */
static void put_line(FILE *out, const char *text, size_t len)
{
    const char *tab;

    while ((tab = memchr(text, '\t', len)) != NULL) {
        out_clean(out, text, (size_t)(tab - text));
        putc('\t', out);
        len -= (size_t)(tab + 1 - text);
        text = tab + 1;
    }
    out_clean(out, text, len);
    putc('\n', out);
}

void pretty_text(FILE *out, const char *text, size_t len, int margin)
{
    const char *end = text + len;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *behind = newline == NULL ? end : newline;
        for (int i = 0; i < margin; i++)
            putc(' ', out);
        put_line(out, text, (size_t)(behind - text) - (behind > text && behind[-1] == '\r'));
        text = newline == NULL ? end : newline + 1;
    }
}
