/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "rotation.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "when.h"

static const char expires_is[] = " expires=";

/* The new text as it grows. */
struct draft {
    char *text;
    size_t len;
    unsigned lines;
};

/* A line of the old text without its line end. */
struct line {
    const char *text;
    size_t len;
    bool crlf;
};

void rotation_secret(const struct signature_key *key, char text[ROTATION_SECRET])
{
    const size_t prefix = strlen("whsec_");

    memcpy(text, "whsec_", prefix);
    crypto_base64_encode(text + prefix, key->bytes, key->len);
    text[prefix + crypto_base64_length(key->len)] = '\0';
}

/* The draft has room: see rotation_rewrite(). */
static void put(struct draft *draft, const char *text, size_t len)
{
    memcpy(draft->text + draft->len, text, len);
    draft->len += len;
}

static void end_line(struct draft *draft, const struct line *line)
{
    put(draft, line->crlf ? "\r\n" : "\n", line->crlf ? 2 : 1);
    draft->lines++;
}

static void put_new(struct draft *draft, struct rotation *rotation, const struct line *like)
{
    char text[ROTATION_SECRET];

    rotation_secret(rotation->key, text);
    put(draft, text, strlen(text));
    end_line(draft, like);
    rotation->line = draft->lines;
    crypto_wipe(text, sizeof(text));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* An old secret's line with another time to expire; what it had is replaced. */
static void put_expiring(struct draft *draft, const struct line *line, int64_t expires)
{
    const size_t name = strlen(expires_is + 1);
    char stamp[WHEN_SIZE];
    size_t word = 0, rest;

    while (word < line->len && is_blank(line->text[word]))
        word++;
    while (word < line->len && !is_blank(line->text[word]))
        word++;
    for (rest = word; rest < line->len && is_blank(line->text[rest]);)
        rest++;
    if (line->len - rest >= name && memcmp(line->text + rest, expires_is + 1, name) == 0) {
        while (rest < line->len && !is_blank(line->text[rest]))
            rest++;
    } else {
        rest = word;
    }
    put(draft, line->text, word);
    put(draft, expires_is, strlen(expires_is));
    put(draft, stamp, when_stamp(stamp, expires));
    put(draft, line->text + rest, line->len - rest);
}

static void put_old(struct draft *draft, struct rotation *rotation, const struct secret *old,
                    const struct line *line)
{
    const int64_t limit = rotation->expires;
    const bool sooner = limit != 0 && (old->expires == 0 || limit < old->expires);
    const int64_t expires = sooner ? limit : old->expires;

    if (old->expires != 0 && old->expires < rotation->now - ROTATION_REMEMBER) {
        rotation->dropped++;
        return;
    }
    rotation->kept += expires == 0 || expires > rotation->now;
    if (sooner)
        put_expiring(draft, line, limit);
    else
        put(draft, line->text, line->len);
    end_line(draft, line);
}

/* A byte order mark stays in front of everything. */
static void put_mark(struct draft *draft, struct line *line)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t len = strlen(mark);

    if (line->len < len || memcmp(line->text, mark, len) != 0)
        return;
    put(draft, mark, len);
    line->text += len;
    line->len -= len;
}

static struct line take_line(const char *text, size_t len, size_t *at)
{
    const char *begin = text + *at;
    const char *end = memchr(begin, '\n', len - *at);
    struct line line = {begin, end != NULL ? (size_t)(end - begin) : len - *at, false};

    *at += line.len + 1;
    if (line.len > 0 && begin[line.len - 1] == '\r') {
        line.crlf = true;
        line.len--;
    }
    return line;
}

char *rotation_rewrite(struct rotation *rotation, const struct secrets *secrets, const char *text,
                       size_t len, size_t *new_len)
{
    /* Each secret may gain a time, the new one is added, and a last line end. */
    const size_t room = len + ROTATION_SECRET + 4
                        + secrets->count * (sizeof(expires_is) + WHEN_SIZE);
    struct draft draft = {.text = malloc(room)};
    unsigned number = 0;
    size_t next = 0;

    rotation->line = rotation->kept = rotation->dropped = 0;
    if (draft.text == NULL)
        return NULL;
    for (size_t at = 0; at < len;) {
        struct line line = take_line(text, len, &at);
        if (++number == 1)
            put_mark(&draft, &line);
        if (next < secrets->count && secrets->list[next].line == number) {
            if (next == 0)
                put_new(&draft, rotation, &line);
            put_old(&draft, rotation, &secrets->list[next++], &line);
        } else {
            put(&draft, line.text, line.len);
            end_line(&draft, &line);
        }
    }
    *new_len = draft.len;
    return draft.text;
}
