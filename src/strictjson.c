/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "strictjson.h"

#include <string.h>

enum expected { VALUE, VALUE_OR_END, NAME, NAME_OR_END, COLON, COMMA_OR_END, NOTHING };

struct scan {
    const char *text;
    size_t len, at;
    enum expected expected;
    unsigned depth;
    char open[STRICTJSON_DEPTH]; /* '{' or '[' of each level */
    const char *const *names;
    size_t count;
    size_t member; /* index of the top-level name whose value comes next; count: of no interest */
    struct strictjson_string *strings;
};

/* Length of the UTF-8 sequence (RFC 3629 section 4) at text, or 0. */
static size_t utf8_sequence(const unsigned char *text, size_t len)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max;
        size_t bytes;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (text[0] < rows[i].lead_min || text[0] > rows[i].lead_max)
            continue;
        if (rows[i].bytes > len || text[1] < rows[i].second_min || text[1] > rows[i].second_max)
            return 0;
        for (size_t at = 2; at < rows[i].bytes; at++) {
            if (text[at] < 0x80 || text[at] > 0xbf)
                return 0;
        }
        return rows[i].bytes;
    }
    return 0;
}

/* The value of the \u escape at text, or -1. */
static int code_unit(const char *text, size_t len)
{
    int value = 0;

    if (len < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        const char c = text[i];
        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            value = value << 4 | ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* Length of the escape at text, or 0. */
static size_t escape(const char *text, size_t len)
{
    if (len >= 2 && text[1] != 'u')
        return text[1] != '\0' && strchr("\"\\/bfnrt", text[1]) != NULL ? 2 : 0;

    const int unit = code_unit(text, len);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return 0;
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    const int low = code_unit(text + 6, len - 6);
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* Goes behind the string that begins here. */
static bool skip_string(struct scan *scan)
{
    scan->at++;
    while (scan->at < scan->len) {
        const char *here = scan->text + scan->at;
        const unsigned char c = (unsigned char)*here;
        size_t bytes = 1;
        if (c == '"') {
            scan->at++;
            return true;
        }
        if (c == '\\')
            bytes = escape(here, scan->len - scan->at);
        else if (c >= 0x80)
            bytes = utf8_sequence((const unsigned char *)here, scan->len - scan->at);
        else if (c < 0x20)
            bytes = 0;
        if (bytes == 0)
            return false;
        scan->at += bytes;
    }
    return false;
}

/* Goes behind digits: were there any? */
static bool skip_digits(struct scan *scan)
{
    const size_t begin = scan->at;

    while (scan->at < scan->len && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9')
        scan->at++;
    return scan->at > begin;
}

static bool skip_char(struct scan *scan, const char *choice)
{
    const bool there = scan->at < scan->len && scan->text[scan->at] != '\0'
                       && strchr(choice, scan->text[scan->at]) != NULL;

    scan->at += there;
    return there;
}

/* RFC 8259 section 6. */
static bool skip_number(struct scan *scan)
{
    (void)skip_char(scan, "-");
    if (!skip_char(scan, "0") && !skip_digits(scan))
        return false;
    if (skip_char(scan, ".") && !skip_digits(scan))
        return false;
    if (!skip_char(scan, "eE"))
        return true;
    (void)skip_char(scan, "+-");
    return skip_digits(scan);
}

static bool skip_literal(struct scan *scan)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        const size_t size = strlen(literals[i]);
        if (scan->len - scan->at >= size
            && memcmp(scan->text + scan->at, literals[i], size) == 0) {
            scan->at += size;
            return true;
        }
    }
    return false;
}

/* A value is complete. */
static bool value_ended(struct scan *scan)
{
    scan->expected = scan->depth == 0 ? NOTHING : COMMA_OR_END;
    return true;
}

static bool open_level(struct scan *scan, char c)
{
    if (scan->depth == STRICTJSON_DEPTH)
        return false;
    scan->open[scan->depth++] = c;
    scan->at++;
    scan->expected = c == '{' ? NAME_OR_END : VALUE_OR_END;
    return true;
}

static bool close_level(struct scan *scan, char c)
{
    if (scan->open[scan->depth - 1] != (c == '}' ? '{' : '['))
        return false;
    scan->depth--;
    scan->at++;
    return value_ended(scan);
}

static bool take_value(struct scan *scan, char c)
{
    const size_t begin = scan->at;
    const bool wanted = scan->depth == 1 && scan->member < scan->count;

    if (wanted)
        scan->strings[scan->member] = (struct strictjson_string){0};
    if (c == '{' || c == '[')
        return open_level(scan, c);
    if (c == '"') {
        if (!skip_string(scan))
            return false;
        if (wanted)
            scan->strings[scan->member] = (struct strictjson_string){scan->text + begin,
                                                               scan->at - begin};
        return value_ended(scan);
    }
    if (!(c == 't' || c == 'f' || c == 'n' ? skip_literal(scan) : skip_number(scan)))
        return false;
    return value_ended(scan);
}

static bool take_name(struct scan *scan)
{
    const size_t begin = scan->at + 1;

    if (!skip_string(scan))
        return false;
    const size_t len = scan->at - 1 - begin;
    scan->expected = COLON;
    scan->member = scan->count;
    for (size_t i = 0; scan->depth == 1 && i < scan->count; i++) {
        if (strlen(scan->names[i]) == len && memcmp(scan->names[i], scan->text + begin, len) == 0)
            scan->member = i;
    }
    return true;
}

/* One token, which begins with c. */
static bool step(struct scan *scan, char c)
{
    switch (scan->expected) {
    case VALUE_OR_END:
        return c == ']' ? close_level(scan, c) : take_value(scan, c);
    case VALUE:
        return take_value(scan, c);
    case NAME_OR_END:
        if (c == '}')
            return close_level(scan, c);
        return c == '"' && take_name(scan);
    case NAME:
        return c == '"' && take_name(scan);
    case COLON:
        scan->at++;
        scan->expected = VALUE;
        return c == ':';
    case COMMA_OR_END:
        if (c == '}' || c == ']')
            return close_level(scan, c);
        scan->at++;
        scan->expected = scan->open[scan->depth - 1] == '{' ? NAME : VALUE;
        return c == ',';
    case NOTHING:
        break;
    }
    return false;
}

bool strictjson_scan(const char *text, size_t len, const char *const *names, size_t count,
               struct strictjson_string *strings)
{
    struct scan scan = {.text = text, .len = len, .expected = VALUE, .names = names,
                        .count = count, .member = count, .strings = strings};

    memset(strings, 0, count * sizeof(*strings));
    while (scan.at < len) {
        const char c = text[scan.at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            scan.at++;
        else if (!step(&scan, c))
            return false;
    }
    return scan.expected == NOTHING;
}
