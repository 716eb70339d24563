/* SPDX-License-Identifier: ISC */
/*
 * What a body is and which type it names. The verdicts of the first table are
 * those of RFC 8259 and RFC 3629; Python's json, told to be strict, agrees.
 */
#include "autoconf.h"

#include "event.h"
#include "strictjson.h"

#include "tap.h"

#define BODY(text) text, sizeof(text) - 1
#define DEFAULT "webhook"

static const char *const forms[] = {"JSON", "JSON with line breaks", "bytes"};

struct body {
    const char *what, *text;
    size_t len;
    enum event_form form;
};

/* Made a string of its own, so that a sanitizer sees who reads behind its end. */
static struct event examined(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    struct event event = {.body = copy, .body_len = len};

    if (len > 0)
        memcpy(copy, text, len);
    memset(event.type, 'x', sizeof(event.type));
    event.form = (enum event_form)99;
    if (event_examine(&event, DEFAULT) != 0)
        diag("event_examine() failed");
    free(copy);
    event.body = NULL;
    return event;
}

static void check(const struct body *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct event event = examined(table[i].text, table[i].len);

        is_int(event.form, table[i].form, "%s: %s", forms[table[i].form], table[i].what);
    }
}

static const struct body strict[] = {
    {"object", BODY("{\"a\":1}"), EVENT_JSON},
    {"empty object", BODY("{}"), EVENT_JSON},
    {"array", BODY("[1,\"a\",null,true,false,{}]"), EVENT_JSON},
    {"empty array", BODY("[]"), EVENT_JSON},
    {"number alone", BODY("0"), EVENT_JSON},
    {"number alone, blank behind", BODY("17 "), EVENT_JSON},
    {"string alone", BODY("\"\""), EVENT_JSON},
    {"true alone", BODY("true"), EVENT_JSON},
    {"false alone", BODY("false"), EVENT_JSON},
    {"null alone", BODY("null"), EVENT_JSON},
    {"null alone, blank behind", BODY("null "), EVENT_JSON},
    {"blanks and TABs around every token", BODY(" \t{ \"a\"\t: [ 1 , 2 ] } \t"), EVENT_JSON},
    {"one name twice", BODY("{\"a\":1,\"a\":2}"), EVENT_JSON},
    {"empty name", BODY("{\"\":0}"), EVENT_JSON},
    {"30 digits", BODY("[123456789012345678901234567890]"), EVENT_JSON},
    {"30 digits and a minus", BODY("[-123456789012345678901234567890]"), EVENT_JSON},
    {"30 digits alone", BODY("123456789012345678901234567890"), EVENT_JSON},
    {"2^63 - 1, 2^63, 2^64 - 1, 2^64",
     BODY("[9223372036854775807,9223372036854775808,18446744073709551615,18446744073709551616]"),
     EVENT_JSON},
    {"minus nought", BODY("[-0,-0.0,-0e0]"), EVENT_JSON},
    {"exponents", BODY("[1e1,1E1,1e+1,1e-1,1.5e10,0e0,1e007]"), EVENT_JSON},
    {"beyond a double", BODY("[1e400,-1e400,1e-400]"), EVENT_JSON},
    {"escapes", BODY("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\""), EVENT_JSON},
    {"escaped NUL", BODY("\"\\u0000\""), EVENT_JSON},
    {"escaped pair of surrogates", BODY("\"\\ud83d\\ude00\""), EVENT_JSON},
    {"escaped high surrogate alone, at which jq stops", BODY("\"\\ud800\""), EVENT_BYTES},
    {"escaped low surrogate alone", BODY("\"\\udc00\""), EVENT_BYTES},
    {"escaped high surrogates, two", BODY("\"\\ud83d\\ud83d\""), EVENT_BYTES},
    {"escaped high surrogate and something else", BODY("\"\\ud83dx\""), EVENT_BYTES},
    {"DEL, which is no control character of RFC 8259", BODY("\"\x7f\""), EVENT_JSON},
    {"two bytes, first and last", BODY("\"\xc2\x80\xdf\xbf\""), EVENT_JSON},
    {"three bytes, first and last", BODY("\"\xe0\xa0\x80\xef\xbf\xbf\""), EVENT_JSON},
    {"before and behind the surrogates", BODY("\"\xed\x9f\xbf\xee\x80\x80\""), EVENT_JSON},
    {"four bytes, first and last", BODY("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""), EVENT_JSON},
    {"U+2028 and U+2029, which break no line of NDJSON",
     BODY("\"\xe2\x80\xa8\xe2\x80\xa9\""), EVENT_JSON},
    {"mark as a character of a string", BODY("\"\xef\xbb\xbf\""), EVENT_JSON},

    {"newline at the end", BODY("{\"a\":1}\n"), EVENT_JSON_LINES},
    {"newline before", BODY("\n{}"), EVENT_JSON_LINES},
    {"newline within", BODY("{\n  \"a\": 1\n}"), EVENT_JSON_LINES},
    {"CRLF", BODY("{\r\n\"a\":1\r\n}\r\n"), EVENT_JSON_LINES},
    {"CR alone", BODY("[1,\r2]"), EVENT_JSON_LINES},
    {"CR behind a scalar", BODY("1\r"), EVENT_JSON_LINES},
    {"newline behind null", BODY("null\n"), EVENT_JSON_LINES},
    {"escaped newlines only", BODY("\"a\\nb\\r\""), EVENT_JSON},
    {"newline as an escape for U+000A only", BODY("\"\\u000a\""), EVENT_JSON},
};

/* Whatever json-c 0.16 lets pass even when strict, and what it does not. */
static const struct body loose[] = {
    {"nothing", BODY(""), EVENT_BYTES},
    {"blank", BODY(" "), EVENT_BYTES},
    {"white space", BODY(" \t\r\n"), EVENT_BYTES},
    {"NUL", BODY("\0"), EVENT_BYTES},
    {"NUL behind", BODY("{}\0"), EVENT_BYTES},
    {"NUL behind a scalar", BODY("1\0"), EVENT_BYTES},
    {"NUL before", BODY("\0{}"), EVENT_BYTES},
    {"NUL between tokens", BODY("[1,\0 2]"), EVENT_BYTES},
    {"NUL in a string", BODY("\"a\0b\""), EVENT_BYTES},
    {"byte order mark", BODY("\xef\xbb\xbf{}"), EVENT_BYTES},
    {"byte order mark behind", BODY("{}\xef\xbb\xbf"), EVENT_BYTES},
    {"UTF-16", BODY("{\0}\0"), EVENT_BYTES},
    {"text", BODY("hello"), EVENT_BYTES},
    {"form", BODY("a=1&b=2"), EVENT_BYTES},
    {"two values", BODY("{}{}"), EVENT_BYTES},
    {"two values, newline between", BODY("{}\n{}"), EVENT_BYTES},
    {"two numbers", BODY("1 2"), EVENT_BYTES},
    {"garbage behind", BODY("{\"a\":1}x"), EVENT_BYTES},
    {"bracket behind", BODY("[1]]"), EVENT_BYTES},
    {"comma behind", BODY("{},"), EVENT_BYTES},
    {"cut object", BODY("{\"a\":1"), EVENT_BYTES},
    {"cut array", BODY("[1,2"), EVENT_BYTES},
    {"cut string", BODY("\"abc"), EVENT_BYTES},
    {"cut escape", BODY("\"abc\\"), EVENT_BYTES},
    {"cut code point", BODY("\"\\u00"), EVENT_BYTES},
    {"cut literal", BODY("tru"), EVENT_BYTES},
    {"cut sequence", BODY("\"\xe2\x82"), EVENT_BYTES},
    {"quote alone", BODY("\""), EVENT_BYTES},
    {"minus alone", BODY("-"), EVENT_BYTES},
    {"wrong bracket", BODY("[1}"), EVENT_BYTES},
    {"comma at the end of an array", BODY("[1,]"), EVENT_BYTES},
    {"comma at the end of an object", BODY("{\"a\":1,}"), EVENT_BYTES},
    {"comma at the beginning", BODY("[,1]"), EVENT_BYTES},
    {"two commas", BODY("[1,,2]"), EVENT_BYTES},
    {"no comma", BODY("[1 2]"), EVENT_BYTES},
    {"no colon", BODY("{\"a\" 1}"), EVENT_BYTES},
    {"two colons", BODY("{\"a\"::1}"), EVENT_BYTES},
    {"colon in an array", BODY("[\"a\":1]"), EVENT_BYTES},
    {"name without a value", BODY("{\"a\"}"), EVENT_BYTES},
    {"name that is a number", BODY("{1:1}"), EVENT_BYTES},
    {"name without quotes", BODY("{a:1}"), EVENT_BYTES},
    {"single quotes", BODY("{'a':1}"), EVENT_BYTES},
    {"comment", BODY("/* c */{}"), EVENT_BYTES},
    {"comment in a line of its own", BODY("{}// c\n"), EVENT_BYTES},
    {"digits, dot, nothing", BODY("[1.]"), EVENT_BYTES},
    {"digits, dot, exponent", BODY("[1.e1]"), EVENT_BYTES},
    {"dot, digits", BODY("[.5]"), EVENT_BYTES},
    {"minus, dot, digits", BODY("[-.5]"), EVENT_BYTES},
    {"nought before", BODY("[01]"), EVENT_BYTES},
    {"nought before, alone", BODY("01"), EVENT_BYTES},
    {"minus and nought before", BODY("[-01]"), EVENT_BYTES},
    {"two noughts", BODY("[00]"), EVENT_BYTES},
    {"nought before a fraction", BODY("[00.5]"), EVENT_BYTES},
    {"plus", BODY("[+1]"), EVENT_BYTES},
    {"two minuses", BODY("[--1]"), EVENT_BYTES},
    {"minus between digits", BODY("[1-2]"), EVENT_BYTES},
    {"minus behind", BODY("[1-]"), EVENT_BYTES},
    {"two dots", BODY("[1.2.3]"), EVENT_BYTES},
    {"exponent without digits", BODY("[1e]"), EVENT_BYTES},
    {"exponent with a sign alone", BODY("[1e+]"), EVENT_BYTES},
    {"exponent with a dot", BODY("[1e1.5]"), EVENT_BYTES},
    {"two exponents", BODY("[1e1e1]"), EVENT_BYTES},
    {"hexadecimal", BODY("[0x1]"), EVENT_BYTES},
    {"NaN", BODY("[NaN]"), EVENT_BYTES},
    {"NaN alone", BODY("NaN"), EVENT_BYTES},
    {"nan", BODY("[nan]"), EVENT_BYTES},
    {"Infinity", BODY("[Infinity]"), EVENT_BYTES},
    {"minus Infinity", BODY("[-Infinity]"), EVENT_BYTES},
    {"Infinity alone", BODY("Infinity"), EVENT_BYTES},
    {"True", BODY("[True]"), EVENT_BYTES},
    {"NULL", BODY("NULL"), EVENT_BYTES},
    {"literals without a comma", BODY("[truefalse]"), EVENT_BYTES},
    {"literal and more", BODY("nullx"), EVENT_BYTES},
    {"vertical TAB between tokens", BODY("[1,\v2]"), EVENT_BYTES},
    {"form feed between tokens", BODY("[1,\f2]"), EVENT_BYTES},
    {"no-break blank between tokens", BODY("[1,\xc2\xa0" "2]"), EVENT_BYTES},
    {"newline in a string", BODY("\"a\nb\""), EVENT_BYTES},
    {"newline in a name", BODY("{\"a\n\":1}"), EVENT_BYTES},
    {"CR in a string", BODY("\"a\rb\""), EVENT_BYTES},
    {"TAB in a string", BODY("\"a\tb\""), EVENT_BYTES},
    {"0x01 in a string", BODY("\"\x01\""), EVENT_BYTES},
    {"0x1f in a string", BODY("\"\x1f\""), EVENT_BYTES},
    {"escaped newline byte", BODY("\"\\\n\""), EVENT_BYTES},
    {"unknown escape", BODY("\"\\x41\""), EVENT_BYTES},
    {"upper case escape", BODY("\"\\N\""), EVENT_BYTES},
    {"escaped apostrophe", BODY("\"\\'\""), EVENT_BYTES},
    {"code point of three digits", BODY("\"\\u041\""), EVENT_BYTES},
    {"code point with a wrong digit", BODY("\"\\u00g1\""), EVENT_BYTES},
    {"overlong in two bytes", BODY("\"\xc0\x80\""), EVENT_BYTES},
    {"overlong in two bytes, the last", BODY("\"\xc1\xbf\""), EVENT_BYTES},
    {"overlong in three bytes", BODY("\"\xe0\x9f\xbf\""), EVENT_BYTES},
    {"overlong in four bytes", BODY("\"\xf0\x8f\xbf\xbf\""), EVENT_BYTES},
    {"first surrogate", BODY("\"\xed\xa0\x80\""), EVENT_BYTES},
    {"last surrogate", BODY("\"\xed\xbf\xbf\""), EVENT_BYTES},
    {"pair of surrogates (CESU-8)", BODY("\"\xed\xa0\xbd\xed\xb8\x80\""), EVENT_BYTES},
    {"beyond U+10FFFF", BODY("\"\xf4\x90\x80\x80\""), EVENT_BYTES},
    {"0xf5", BODY("\"\xf5\x80\x80\x80\""), EVENT_BYTES},
    {"five bytes", BODY("\"\xf8\x88\x80\x80\x80\""), EVENT_BYTES},
    {"0xff", BODY("\"\xff\""), EVENT_BYTES},
    {"continuation alone", BODY("\"\x80\""), EVENT_BYTES},
    {"lead alone", BODY("\"\xc3\""), EVENT_BYTES},
    {"lead, then ASCII", BODY("\"\xe2\x82x\""), EVENT_BYTES},
    {"third byte wrong", BODY("\"\xf0\x9f\x41\x80\""), EVENT_BYTES},
    {"Latin-1 in a name", BODY("{\"\xe9\":1}"), EVENT_BYTES},
    {"Latin-1 outside a string", BODY("[\xe9]"), EVENT_BYTES},
};

static char *repeated(const char *text, int times, char *at)
{
    while (times-- > 0)
        at = stpcpy(at, text);
    return at;
}

/* Levels count arrays and objects, whatever stands in the innermost. */
static void depths(void)
{
    static const struct {
        const char *what, *open, *inner, *close;
        int levels;
        enum event_form form;
    } table[] = {
        {"99 arrays", "[", "", "]", 99, EVENT_JSON},
        {"100 arrays", "[", "", "]", STRICTJSON_DEPTH, EVENT_JSON},
        {"100 arrays round a number", "[", "1", "]", STRICTJSON_DEPTH, EVENT_JSON},
        {"101 arrays", "[", "", "]", STRICTJSON_DEPTH + 1, EVENT_BYTES},
        {"101 arrays round a number", "[", "1", "]", STRICTJSON_DEPTH + 1, EVENT_BYTES},
        {"100 objects", "{\"a\":", "1", "}", STRICTJSON_DEPTH, EVENT_JSON},
        {"100 objects, the last empty", "{\"a\":", "{}", "}", STRICTJSON_DEPTH - 1, EVENT_JSON},
        {"101 objects", "{\"a\":", "1", "}", STRICTJSON_DEPTH + 1, EVENT_BYTES},
        {"2,000 arrays", "[", "", "]", 2000, EVENT_BYTES},
        {"2,000 arrays never closed", "[", "", "", 2000, EVENT_BYTES},
        {"100 arrays with brackets in a string", "[", "\"[[[[[{{{{\\\"[[\"", "]", 99, EVENT_JSON},
        {"two arrays of 99 side by side", "[", "", "]", 0, EVENT_JSON},
    };
    char text[20000];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char *end = repeated(table[i].open, table[i].levels, text);
        end = repeated(table[i].close, table[i].levels, stpcpy(end, table[i].inner));
        if (table[i].levels == 0) {
            end = repeated("]", 99, repeated("[", 99, stpcpy(text, "[")));
            end = repeated("]", 100, repeated("[", 99, stpcpy(end, ",")));
        }
        const struct event event = examined(text, (size_t)(end - text));
        is_int(event.form, table[i].form, "%s: %s", forms[table[i].form], table[i].what);
    }
}

#define T128                                                           \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct {
    const char *what, *text;
    size_t len;
    const char *type;
} types[] = {
    {"type", BODY("{\"type\":\"phone_call.ended\"}"), "phone_call.ended"},
    {"event", BODY("{\"event\":\"a.b\"}"), "a.b"},
    {"eventType", BODY("{\"eventType\":\"a.b\"}"), "a.b"},
    {"type before event before eventType",
     BODY("{\"eventType\":\"c\",\"event\":\"b\",\"type\":\"a\"}"), "a"},
    {"event before eventType", BODY("{\"eventType\":\"c\",\"event\":\"b\"}"), "b"},
    {"another kind gives way: number", BODY("{\"type\":5,\"event\":\"b\"}"), "b"},
    {"another kind gives way: null", BODY("{\"type\":null,\"event\":\"b\"}"), "b"},
    {"another kind gives way: object",
     BODY("{\"type\":{\"type\":\"x\"},\"event\":\"b\"}"), "b"},
    {"another kind gives way: array", BODY("{\"type\":[\"x\"],\"eventType\":\"c\"}"), "c"},
    {"another kind gives way: true", BODY("{\"type\":true,\"event\":false}"), DEFAULT},
    {"a string that is none gives way", BODY("{\"type\":\"a b\",\"event\":\"b\"}"), "b"},
    {"an empty one gives way", BODY("{\"type\":\"\",\"eventType\":\"c\"}"), "c"},
    {"all characters that may stand in one",
     BODY("{\"type\":\"AZaz09_.:/-\"}"), "AZaz09_.:/-"},
    {"128 characters", BODY("{\"type\":\"" T128 "\"}"), T128},
    {"129 characters", BODY("{\"type\":\"" T128 "c\"}"), DEFAULT},
    {"129 characters give way", BODY("{\"type\":\"" T128 "c\",\"event\":\"b\"}"), "b"},
    {"blank", BODY("{\"type\":\"a b\"}"), DEFAULT},
    {"quote", BODY("{\"type\":\"a\\\"b\"}"), DEFAULT},
    {"backslash", BODY("{\"type\":\"a\\\\b\"}"), DEFAULT},
    {"newline", BODY("{\"type\":\"a\\n\"}"), DEFAULT},
    {"percent", BODY("{\"type\":\"a%41\"}"), DEFAULT},
    {"at", BODY("{\"type\":\"a@b\"}"), DEFAULT},
    {"not ASCII", BODY("{\"type\":\"caf\xc3\xa9\"}"), DEFAULT},
    {"not ASCII, escaped", BODY("{\"type\":\"caf\\u00e9\"}"), DEFAULT},
    {"escaped NUL behind", BODY("{\"type\":\"a\\u0000\"}"), DEFAULT},
    {"escaped NUL within", BODY("{\"type\":\"a\\u0000b\"}"), DEFAULT},
    {"escaped NUL before", BODY("{\"type\":\"\\u0000a\"}"), DEFAULT},
    {"escaped letters", BODY("{\"type\":\"\\u0061\\u002eb\"}"), "a.b"},
    {"escaped slash", BODY("{\"type\":\"a\\/b\"}"), "a/b"},
    {"name with an escaped letter", BODY("{\"t\\u0079pe\":\"a\"}"), DEFAULT},
    {"name in another case", BODY("{\"Type\":\"a\",\"EVENT\":\"b\",\"eventtype\":\"c\"}"), DEFAULT},
    {"the last one of a name counts", BODY("{\"type\":\"a\",\"type\":\"b\"}"), "b"},
    {"even where it is no type", BODY("{\"type\":\"a\",\"type\":1,\"event\":\"c\"}"), "c"},
    {"deeper down", BODY("{\"data\":{\"type\":\"a\"}}"), DEFAULT},
    {"in an array", BODY("[{\"type\":\"a\"}]"), DEFAULT},
    {"string alone", BODY("\"type\""), DEFAULT},
    {"null", BODY("null"), DEFAULT},
    {"with line breaks", BODY("{\n\"type\":\r\n\"a\"}"), "a"},
    {"not JSON", BODY("{\"type\":\"a\"}x"), DEFAULT},
    {"nothing", BODY(""), DEFAULT},
};

static void find_types(void)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct event event = examined(types[i].text, types[i].len);

        is_str(event.type, types[i].type, "type: %s", types[i].what);
    }
}

/* Only the 67 characters may stand in a type: every other byte, and each of them. */
static void type_characters(void)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-";
    int wrong = 0;

    for (int c = 1; c < 128; c++) {
        char text[64];
        const int len = snprintf(text, sizeof(text), "{\"type\":\"x\\u%04xy\"}", (unsigned)c);
        const char want[] = {'x', (char)c, 'y', '\0'};
        const struct event event = examined(text, (size_t)len);

        wrong += strcmp(event.type, strchr(allowed, c) != NULL ? want : DEFAULT) != 0;
    }
    is_int(wrong, 0, "each character of ASCII is allowed in a type or is not");
}

static void defaults(void)
{
    struct event event = {.body = "[]", .body_len = 2};
    const char longest[] = T128 "c";

    is_int(event_examine(&event, longest), 0, "a default type that is too long");
    is_mem(event.type, sizeof(event.type), T128, EVENT_TYPE_MAX + 1, "is cut, with its NUL");
    is_int(event_examine(&event, ""), 0, "an empty default type");
    is_str(event.type, "", "stays empty");

    event = (struct event){.body = NULL, .body_len = 0};
    is_int(event_examine(&event, DEFAULT), 0, "an empty body has no address");
    is_int(event.form, EVENT_BYTES, "and is bytes");
}

/* A megabyte each: of one string, of many values, of blanks, of brackets. */
static void large(void)
{
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);

    memset(text, 'x', SIZE);
    text[0] = text[SIZE - 1] = '"';
    is_int(examined(text, SIZE).form, EVENT_JSON, "a string of 1 MiB");
    text[SIZE / 2] = '\x01';
    is_int(examined(text, SIZE).form, EVENT_BYTES, "with a control character in its middle");

    for (size_t i = 0; i < SIZE; i++)
        text[i] = i % 2 == 0 ? ',' : '7';
    text[0] = '[';
    text[SIZE - 1] = ']';
    is_int(examined(text, SIZE).form, EVENT_BYTES, "half a million numbers and a comma");
    text[SIZE - 2] = ' ';
    is_int(examined(text, SIZE).form, EVENT_JSON, "half a million numbers");

    memset(text, ' ', SIZE);
    is_int(examined(text, SIZE).form, EVENT_BYTES, "1 MiB of blanks");
    text[SIZE - 1] = '1';
    is_int(examined(text, SIZE).form, EVENT_JSON, "a number behind 1 MiB of blanks");
    memset(text, '[', SIZE);
    is_int(examined(text, SIZE).form, EVENT_BYTES, "1 MiB of brackets");
    free(text);
}

int main(void)
{
    check(strict, sizeof(strict) / sizeof(strict[0]));
    check(loose, sizeof(loose) / sizeof(loose[0]));
    depths();
    find_types();
    type_characters();
    defaults();
    large();
    return done_testing();
}
