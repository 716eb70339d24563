/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "variant.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "jsonc.h"
#include "rejson.h"
#include "strictjson.h"

/* A body, and the variant that is being made of it. */
struct work {
    const char *body;
    size_t len, most;
    char *out;
    size_t out_len;
};

/* 1: made, 0: there is none, -1: ENOMEM. */
typedef int maker(struct work *work, const char *text, int number);

static int make_room(struct work *work, size_t size)
{
    if (size > work->most)
        return 0;
    work->out = malloc(size + 1);
    return work->out == NULL ? -1 : 1;
}

/* The bytes in between, with something before and behind them. */
static int copy(struct work *work, const char *before, const char *from, size_t len,
                const char *behind)
{
    const size_t before_len = strlen(before), behind_len = strlen(behind);
    const int made = make_room(work, before_len + len + behind_len);

    if (made <= 0)
        return made;
    memcpy(work->out, before, before_len);
    memcpy(work->out + before_len, from, len);
    memcpy(work->out + before_len + len, behind, behind_len);
    work->out_len = before_len + len + behind_len;
    return 1;
}

static int without_end(struct work *work, const char *end, int unused)
{
    const size_t len = strlen(end);

    (void)unused;
    if (work->len < len || memcmp(work->body + work->len - len, end, len) != 0)
        return 0;
    return copy(work, "", work->body, work->len - len, "");
}

static int with_end(struct work *work, const char *end, int unused)
{
    (void)unused;
    return copy(work, "", work->body, work->len, end);
}

static int without_beginning(struct work *work, const char *beginning, int unused)
{
    const size_t len = strlen(beginning);

    (void)unused;
    if (work->len < len || memcmp(work->body, beginning, len) != 0)
        return 0;
    return copy(work, "", work->body + len, work->len - len, "");
}

static int with_beginning(struct work *work, const char *beginning, int unused)
{
    (void)unused;
    return copy(work, beginning, work->body, work->len, "");
}

/* Blanks and line breaks at its end go, and with sides = 2 those at its beginning. */
static int trim(struct work *work, const char *blanks, int sides)
{
    size_t begin = 0, end = work->len;

    while (end > 0 && memchr(blanks, work->body[end - 1], strlen(blanks)) != NULL)
        end--;
    while (sides > 1 && begin < end && memchr(blanks, work->body[begin], strlen(blanks)) != NULL)
        begin++;
    return end - begin == work->len ? 0 : copy(work, "", work->body + begin, end - begin, "");
}

/* Every line end becomes `end`. */
static int break_lines(struct work *work, const char *end, int unused)
{
    const size_t end_len = strlen(end);
    size_t breaks = 0;

    (void)unused;
    for (size_t i = 0; i < work->len; i++)
        breaks += work->body[i] == '\n' || work->body[i] == '\r';
    const int made = breaks == 0 ? 0 : make_room(work, work->len + breaks * end_len);
    if (made <= 0)
        return made;
    for (size_t i = 0; i < work->len; i++) {
        if (work->body[i] == '\r' && i + 1 < work->len && work->body[i + 1] == '\n')
            continue; /* the line feed speaks for both */
        if (work->body[i] == '\n' || work->body[i] == '\r') {
            memcpy(work->out + work->out_len, end, end_len);
            work->out_len += end_len;
        } else {
            work->out[work->out_len++] = work->body[i];
        }
    }
    return 1;
}

/* Blanks by 8 * escapes + blanks, and an end. */
enum { ESCAPES = 8 };
#define JSON(escapes, blanks) (ESCAPES * REJSON_##escapes + REJSON_##blanks)

static int rewrite(struct work *work, const char *end, int how)
{
    struct strictjson_string none;
    size_t len;

    if (!strictjson_scan(work->body, work->len, NULL, 0, &none))
        return 0;
    char *json = rejson_write(work->body, work->len, (enum rejson_blanks)(how % ESCAPES),
                              (enum rejson_escapes)(how / ESCAPES), work->most, &len);
    if (json == NULL)
        return errno == ENOMEM ? -1 : 0;
    const int made = copy(work, "", json, len, end);
    free(json);
    return made;
}

/* UTF-8 that was taken for ISO 8859-1 and made UTF-8 once more. */
static int decode_twice(struct work *work, const char *unused, int unused_too)
{
    const unsigned char *body = (const unsigned char *)work->body;
    const int made = make_room(work, work->len);

    (void)unused;
    (void)unused_too;
    if (made <= 0)
        return made;
    for (size_t i = 0; i < work->len; i++) {
        if (body[i] < 0x80) {
            work->out[work->out_len++] = (char)body[i];
        } else if ((body[i] == 0xc2 || body[i] == 0xc3) && i + 1 < work->len
                   && (body[i + 1] & 0xc0) == 0x80) {
            work->out[work->out_len++] = (char)(((body[i] & 3) << 6) | (body[i + 1] & 0x3f));
            i++;
        } else {
            return 0;
        }
    }
    return 1;
}

static int decode_base64(struct work *work, const char *unused, int unused_too)
{
    size_t len = work->len;

    (void)unused;
    (void)unused_too;
    while (len > 0 && (work->body[len - 1] == '\n' || work->body[len - 1] == '\r'))
        len--;
    const int made = len < 4 || len % 4 != 0 ? 0 : make_room(work, len);
    if (made <= 0)
        return made;
    const ssize_t decoded = crypto_base64_decode(work->out, len, work->body, len);
    work->out_len = decoded < 0 ? 0 : (size_t)decoded;
    return decoded > 0;
}

/* The body is a JSON string: what it holds. */
static int unquote(struct work *work, const char *unused, int unused_too)
{
    (void)unused;
    (void)unused_too;
    if (work->len < 2 || work->body[0] != '"' || work->len > work->most)
        return 0;
    if (jsonc_unquote(work->body, work->len, &work->out, &work->out_len) == 0)
        return 1;
    return errno == ENOMEM ? -1 : 0;
}

static int empty(struct work *work, const char *unused, int unused_too)
{
    (void)unused_too;
    return copy(work, "", work->body, 0, unused);
}

#define BLANKS " \t\r\n"
#define MARK "\xef\xbb\xbf"

static const struct {
    maker *make;
    const char *text;
    int number;
    const char *what;
} variants[] = {
    {without_end, "\n", 0, "the line feed at its end is removed"},
    {with_end, "\n", 0, "a line feed is added at its end"},
    {without_end, "\r\n", 0, "the CR LF at its end is removed"},
    {with_end, "\r\n", 0, "CR LF is added at its end"},
    {break_lines, "\n", 0, "its lines end in LF instead of CR LF"},
    {break_lines, "\r\n", 0, "its lines end in CR LF instead of LF"},
    {break_lines, "", 0, "its line breaks are removed"},
    {trim, BLANKS, 1, "the white space at its end is removed"},
    {trim, BLANKS, 2, "the white space around it is removed"},
    {without_beginning, MARK, 0, "the byte order mark is removed"},
    {with_beginning, MARK, 0, "a byte order mark is put before it"},
    {empty, "", 0, "it is empty"},
    {rewrite, "", JSON(KEPT, COMPACT), "its JSON is written without blanks"},
    {rewrite, "", JSON(KEPT, SPACED), "its JSON is written with a blank behind each , and :"},
    {rewrite, "", JSON(KEPT, INDENT_2), "its JSON is indented by 2"},
    {rewrite, "", JSON(KEPT, INDENT_4), "its JSON is indented by 4"},
    {rewrite, "", JSON(PLAIN, AS_IT_IS), "its JSON is written without \\u and \\/ escapes"},
    {rewrite, "", JSON(PLAIN, COMPACT), "its JSON is written without blanks and \\u, \\/ escapes"},
    {rewrite, "", JSON(PLAIN, SPACED),
     "its JSON is written with a blank behind each , and : and without \\u, \\/ escapes"},
    {rewrite, "", JSON(ASCII, AS_IT_IS), "its JSON is written in ASCII, with \\u escapes"},
    {rewrite, "", JSON(ASCII, COMPACT),
     "its JSON is written without blanks, in ASCII with \\u escapes"},
    {rewrite, "", JSON(ASCII, SPACED),
     "its JSON is written with a blank behind each , and :, in ASCII with \\u escapes"},
    {rewrite, "", JSON(PHP, COMPACT), "its JSON is written without blanks and with \\/ for /"},
    {rewrite, "", JSON(HTML, COMPACT), "its JSON is written without blanks and with \\u003c for <"},
    {rewrite, "\n", JSON(KEPT, COMPACT), "its JSON is written without blanks, then a line feed"},
    {rewrite, "\n", JSON(KEPT, INDENT_2), "its JSON is indented by 2, then a line feed"},
    {decode_base64, "", 0, "it is decoded from base64"},
    {unquote, "", 0, "it is taken out of the JSON string that it is"},
    {decode_twice, "", 0, "its UTF-8, encoded twice, is decoded once"},
};

unsigned variant_count(void)
{
    return sizeof(variants) / sizeof(variants[0]);
}

char *variant_make(unsigned number, const char *body, size_t len, size_t most, size_t *made,
                   const char **what)
{
    struct work work = {.body = body, .len = len, .most = most};

    *what = variants[number].what;
    const int result = variants[number].make(&work, variants[number].text,
                                             variants[number].number);
    const bool same = result > 0 && work.out_len == len && memcmp(work.out, body, len) == 0;
    if (result > 0 && !same) {
        *made = work.out_len;
        return work.out;
    }
    free(work.out);
    errno = result < 0 ? ENOMEM : 0;
    return NULL;
}
