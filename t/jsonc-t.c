/* SPDX-License-Identifier: ISC */
/* Small JSON texts, read and written by way of json-c. */
#include "autoconf.h"

#include "jsonc.h"

#include "tap.h"
#include "temp.h"

static void reads(void)
{
    static const char text[] = "{\"s\":\"a\\u20ac\\u0000b\",\"n\":-5,\"big\":9223372036854775807,"
                               "\"f\":1.5,\"o\":{},\"null\":null,\"empty\":\"\"}";
    int64_t number = 99;
    size_t len;

    struct jsonc *json = jsonc_parse(text, strlen(text));
    ok(json != NULL, "an object");
    is_mem(jsonc_text(json, "s", &len), 6, "a\xe2\x82\xac\0b", 6, "a string, its escapes resolved");
    is_int(len, 6, "with its length");
    is_str(jsonc_text(json, "empty", NULL), "", "an empty one");
    ok(jsonc_text(json, "n", NULL) == NULL && jsonc_text(json, "null", NULL) == NULL
           && jsonc_text(json, "missing", NULL) == NULL, "what is no string is none");
    ok(jsonc_number(json, "n", &number) && number == -5, "a number");
    ok(jsonc_number(json, "big", &number) && number == INT64_MAX, "the largest");
    ok(!jsonc_number(json, "f", &number) && !jsonc_number(json, "s", &number)
           && !jsonc_number(json, "missing", &number) && number == INT64_MAX,
       "what is no whole number is none");
    jsonc_free(json);
    jsonc_free(NULL);

    static const char *const refused[] = {
        "", " ", "{", "{}x", "[]", "1", "\"x\"", "null", "{\"a\":1,}", "{\"a\":1}{}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        errno = 0;
        ok(jsonc_parse(refused[i], strlen(refused[i])) == NULL && errno == EINVAL, "refused: %s",
           refused[i]);
    }
}

static void unquotes(void)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } cases[] = {{"\"\"", ""}, {"\"a\"", "a"}, {"\"\\u0041\\n\\\\\\/\\\"\"", "A\n\\/\""},
                 {"\"\\ud83d\\udcde\"", "\xf0\x9f\x93\x9e"}, {"a", NULL}, {"\"a", NULL},
                 {"1", NULL}, {"\"a\"b", NULL}, {"", NULL}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *out = NULL;
        size_t len = 0;
        const int result = jsonc_unquote(cases[i].text, strlen(cases[i].text), &out, &len);
        if (cases[i].want == NULL) {
            ok(result == -1 && errno == EINVAL, "refused: %s", cases[i].text);
        } else {
            is_str(result == 0 ? out : NULL, cases[i].want, "the string %s", cases[i].text);
            free(out);
        }
    }
}

/* RFC 3629, compared with what a plain reading of it says, for all that two bytes can begin. */
static size_t plain(const unsigned char *at, size_t len)
{
    const size_t want = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3
                      : at[0] < 0xf5 ? 4 : 0;
    uint32_t code = want < 2 ? at[0] : at[0] & (0x7fu >> want);

    if (want == 0 || want > len)
        return 0;
    for (size_t i = 1; i < want; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return code < least[want] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : want;
}

static void characters(void)
{
    int wrong = 0;

    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            static const unsigned char thirds[] = {0x7f, 0x80, 0xbf, 0xc0};
            for (size_t i = 0; i < COUNT(thirds); i++) {
                const unsigned char bytes[] = {(unsigned char)first, (unsigned char)second,
                                               thirds[i], 0xbf};
                for (size_t len = 1; len <= 4; len++)
                    wrong += jsonc_character((const char *)bytes, len) != plain(bytes, len);
            }
        }
    }
    is_int(wrong, 0, "characters are told from what is none");
    is_int(jsonc_character("", 0), 0, "nothing is none");
}

static void writes(void)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } cases[] = {
        {"", 0, "\"\""},
        {"a/b", 3, "\"a/b\""},
        {"\"\\\n\t\x01", 5, "\"\\\"\\\\\\n\\t\\u0001\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\xe2\x82\xac", 3, "\"\xe2\x82\xac\""},
        {"\xe2\x82", 2, "\"\?\?\""},
        {"\xff" "a", 2, "\"?a\""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *quoted = jsonc_quote(cases[i].text, cases[i].len);
        is_str(quoted, cases[i].want, "written: %s", cases[i].want);
        char *back = NULL;
        size_t len;
        ok(jsonc_unquote(quoted, strlen(quoted), &back, &len) == 0 && len == cases[i].len,
           "and readable");
        free(back);
        free(quoted);
        char *printed = NULL;
        size_t size;
        FILE *out = open_memstream(&printed, &size);
        jsonc_put(out, cases[i].text, cases[i].len);
        fclose(out);
        is_str(printed, cases[i].want, "the same into a file");
        free(printed);
    }
}

int main(void)
{
    reads();
    unquotes();
    characters();
    writes();
    return done_testing();
}
