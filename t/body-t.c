/* SPDX-License-Identifier: ISC */
/* Bodies: the exact bytes out of a line, and what people are shown of them. */
#include "autoconf.h"

#include "body.h"
#include "pretty.h"

#include "event.h"
#include "tap.h"
#include "temp.h"

/* The line of a body, and the body found in it, which points into the line. */
static char *line_of(const char *body, size_t len, struct body *found)
{
    struct event event = {.id = "msg_1", .source = "/webhooks/test", .time = 1764000000,
                          .received = {1764000001, 0}, .body = body, .body_len = len};
    struct record_view view;
    size_t line_len;

    if (event_examine(&event, "test.made") < 0)
        temp_die("event");
    char *line = record_encode(&event, &line_len);
    ok(record_check(line, line_len, &view) && body_find(found, line, line_len, &view),
       "a body of %zu bytes is found", len);
    return line;
}

static void exact(void)
{
    static const char *const bodies[] = {
        "", "{}", "[]", "0", "-1.50e+10", "null", "\"\"", "\"x\"",
        "{\"a\":1}", "{\"a\":\"\\\",\\\"bodybase64\\\":\\\"QUJD\\\"\"}",
        "\",\\\"bodybase64\\\":\\\"QUJD\"", "\"\\\\\"",
        "{\"data\":{\"data\":1},\"data_base64\":\"QUJD\",\"bodybase64\":\"QUJD\"}",
        "{\n  \"a\": 1\n}\n", "\n\n[1,\r\n\"\\\"\"]", "\"x\"\n", "plain text", "\"torn", "{\"a\":}",
        "\xff\xfe", "{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\"}", "[1]x",
    };
    char all[256];

    for (size_t i = 0; i < COUNT(bodies) + 1; i++) {
        const bool last = i == COUNT(bodies);
        const char *body = last ? all : bodies[i];
        const size_t len = last ? sizeof(all) : strlen(body);
        struct body found;
        for (size_t j = 0; j < sizeof(all); j++)
            all[j] = (char)j;
        char *line = line_of(body, len, &found);
        char *bytes = body_bytes(&found);
        is_mem(bytes, found.len, body, len, "and is what was sent");
        ok(found.json == NULL || found.json_len == 0 || memchr(found.json, '\n', found.json_len)
                                                            == NULL, "JSON stands on one line");
        free(bytes);
        free(line);
    }
}

/* Lengths around those of base64's groups, as JSON with line breaks and as bytes. */
static void lengths(void)
{
    for (size_t len = 1; len < 12; len++) {
        char text[16] = "[\n1111111111111";
        struct body found;
        text[len + 1] = ']';
        char *line = line_of(text, len + 2, &found);
        char *bytes = body_bytes(&found);
        is_mem(bytes, found.len, text, len + 2, "all of %zu bytes", len + 2);
        free(bytes);
        free(line);
        line = line_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", len, &found);
        bytes = body_bytes(&found);
        is_int(found.len, len, "all of %zu bytes", len);
        free(bytes);
        free(line);
    }
}

static void pages(void)
{
    static const struct {
        const char *text, *page;
    } table[] = {
        {"{}", "  {}\n"},
        {"[ ]", "  []\n"},
        {"42", "  42\n"},
        {"{\"a\":[1,-2.5e3,true],\"b\":{}}",
         "  {\n    \"a\": [\n      1,\n      -2.5e3,\n      true\n    ],\n    \"b\": {}\n  }\n"},
        {"{ \"a\" : { } }", "  {\n    \"a\": {}\n  }\n"},
        {"[\"a,b:[{\\\"\",\"\\\\\"]", "  [\n    \"a,b:[{\\\"\",\n    \"\\\\\"\n  ]\n"},
        {"[\"\xc2\x9b\x7f\xe2\x82\xac\"]", "  [\n    \"??\xe2\x82\xac\"\n  ]\n"},
        {"{\"cut\":\"shor", "  {\n    \"cut\": \"shor\n"},
        {"{\"cut\":\"shor\\", "  {\n    \"cut\": \"shor\\\n"},
        {"[", "  [\n    \n"},
        {"", "  \n"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        char *page = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&page, &len);
        pretty_json(out, table[i].text, strlen(table[i].text), 2);
        fclose(out);
        is_str(page, table[i].page, "%s", table[i].text);
        free(page);
    }
}

static void texts(void)
{
    static const char text[] = "one\ttab\x1b[31m\r\n\r\nlast \xff";
    char *page = NULL;
    size_t len = 0;

    FILE *out = open_memstream(&page, &len);
    pretty_text(out, text, sizeof(text) - 1, 1);
    fclose(out);
    is_str(page, " one\ttab?[31m\n \n last ?\n", "text is cleaned, line by line");
    free(page);
    ok(pretty_is_text("a\tb\r\n\xc3\xa9", 7), "this is text");
    ok(!pretty_is_text("a\x1b", 2) && !pretty_is_text("\xff", 1) && !pretty_is_text("a\0", 2)
           && !pretty_is_text("\x7f", 1), "and these are not");
}

int main(void)
{
    exact();
    lengths();
    pages();
    texts();
    return done_testing();
}
