/* SPDX-License-Identifier: ISC */
/* Records to the letter, what proves itself and what does not, and bodies there and back. */
#include "autoconf.h"

#include "record.h"

#include <xxhash.h>

#include "crypto.h"
#include "tap.h"

#define ID "msg_2KxLm0zpHJDNQyXVAbCdEfGhIjK"

static struct event event_of(const char *body, size_t len, enum event_form form)
{
    return (struct event){.id = ID, .source = "/webhooks/levers", .type = "phone_call.ended",
                          .time = 1795426380, .received = {1795426381, 123456789}, .body = body,
                          .body_len = len, .form = form};
}

static char *encoded(const struct event *event, size_t *len)
{
    char *line = record_encode(event, len);
    char *copy = line == NULL ? NULL : malloc(*len + 1);

    if (copy == NULL) {
        diag("no record");
        exit(99);
    }
    memcpy(copy, line, *len); /* exactly so long, and a NUL for strstr() */
    copy[*len] = '\0';
    free(line);
    return copy;
}

#define FRONT                                                                               \
    "{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"/webhooks/levers\","           \
    "\"type\":\"phone_call.ended\",\"time\":\"2026-11-23T09:33:00Z\",\"datacontenttype\":"
#define RECEIVED "\"received\":\"2026-11-23T09:33:01.123456Z\","

/* The hashes are those of xxhsum -H3 over the line up to the comma before its last field. */
static void to_the_letter(void)
{
    static const struct {
        const char *what, *body;
        enum event_form form;
        const char *line, *hash;
    } table[] = {
        {"JSON", "{\"a\": [1, \"b\\n\"]}", EVENT_JSON,
         FRONT "\"application/json\"," RECEIVED "\"data\":{\"a\": [1, \"b\\n\"]}",
         "e619f64104d88fec"},
        {"JSON, not re-serialised", " {\"b\":1.0,\"b\":1e0,\"a\":\"\\u0041\\/\"}\t", EVENT_JSON,
         FRONT "\"application/json\"," RECEIVED
         "\"data\": {\"b\":1.0,\"b\":1e0,\"a\":\"\\u0041\\/\"}\t", "5d1aae4d8f0ec5c9"},
        {"JSON with line breaks", "{\r\n  \"a\": 1\n}\r", EVENT_JSON_LINES,
         FRONT "\"application/json\"," RECEIVED "\"data\":{    \"a\": 1 } ,"
         "\"bodybase64\":\"ew0KICAiYSI6IDEKfQ0=\"", "48a600996d993cde"},
        {"bytes", "a=1&b=\xff\n", EVENT_BYTES,
         FRONT "\"application/octet-stream\"," RECEIVED "\"data_base64\":\"YT0xJmI9/wo=\"",
         "cfd948f5d346f49e"},
        {"no bytes", "", EVENT_BYTES,
         FRONT "\"application/octet-stream\"," RECEIVED "\"data_base64\":\"\"", "84250b55f0bf4d91"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct event event = event_of(table[i].body, strlen(table[i].body), table[i].form);
        char want[1024];
        size_t len;
        char *line = encoded(&event, &len);

        (void)snprintf(want, sizeof(want), "%s,\"xxh3\":\"%s\"}\n", table[i].line, table[i].hash);
        is_mem(line, len, want, strlen(want), "to the letter: %s", table[i].what);
        if (strcmp(line, want) != 0)
            diag("got %swant %s", line, want);
        free(line);
    }
}

static void hashes(void)
{
    const struct event event = event_of("{}", 2, EVENT_JSON);
    size_t len;
    char *line = encoded(&event, &len);
    char want[17];

    (void)snprintf(want, sizeof(want), "%016llx",
                   (unsigned long long)XXH3_64bits(line, len - strlen(",\"xxh3\":\"\"}\n") - 16));
    is_mem(line + len - 19, 16, want, 16, "the hash is XXH3-64, seed 0, 16 digits");
    free(line);

    int padded = 0;
    for (int i = 0; i < 1000; i++) { /* one of 16 begins with a nought */
        char body[16];
        const int body_len = snprintf(body, sizeof(body), "%d", i);
        const struct event other = event_of(body, (size_t)body_len, EVENT_JSON);
        struct record_view view;
        line = encoded(&other, &len);
        padded += line[len - 19] == '0' && record_check(line, len, &view);
        free(line);
    }
    ok(padded > 10, "%d of 1,000 hashes begin with a nought, and prove their lines", padded);

    ok(record_id_hash("msg_1", 5) == XXH3_64bits("msg_1", 5), "an id's place is by XXH3-64");
    ok(record_id_hash("msg_12", 5) == record_id_hash("msg_1", 5), "and of its length only");
    ok(record_id_hash("", 0) == UINT64_C(0x2d06800538d394c2), "which is stable across versions");
}

static void times(void)
{
    static const struct {
        int64_t time;
        struct timespec received;
        const char *want_time, *want_received;
    } table[] = {
        {1, {0, 0}, "1970-01-01T00:00:01Z", "1970-01-01T00:00:00.000000Z"},
        {951782399, {951782400, 999}, "2000-02-28T23:59:59Z", "2000-02-29T00:00:00.000000Z"},
        {951868799, {951868799, 999999999}, "2000-02-29T23:59:59Z",
         "2000-02-29T23:59:59.999999Z"},
        {INT64_C(2147483648), {INT64_C(4102444800), 1000}, "2038-01-19T03:14:08Z",
         "2100-01-01T00:00:00.000001Z"},
        {INT64_C(253402300799), {INT64_C(253402300799), 99999}, "9999-12-31T23:59:59Z",
         "9999-12-31T23:59:59.000099Z"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct event event = event_of("0", 1, EVENT_JSON);
        char want[96];
        size_t len;

        event.time = table[i].time;
        event.received = table[i].received;
        char *line = encoded(&event, &len);
        (void)snprintf(want, sizeof(want), "\"time\":\"%s\",", table[i].want_time);
        ok(strstr(line, want) != NULL, "time %s", table[i].want_time);
        (void)snprintf(want, sizeof(want), "\"received\":\"%s\",", table[i].want_received);
        ok(strstr(line, want) != NULL, "received %s", table[i].want_received);
        free(line);
    }
}

static void ids(void)
{
    char longest[201], source[2049];

    memset(longest, 'i', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memset(source, 's', sizeof(source) - 1);
    source[sizeof(source) - 1] = '\0';

    static const char *const some[] = {"a", "0", "_", "msg-1", ID};
    for (size_t i = 0; i <= sizeof(some) / sizeof(some[0]); i++) {
        const char *id = i < sizeof(some) / sizeof(some[0]) ? some[i] : longest;
        struct event event = event_of("\"id\":\"x\"", 8, EVENT_BYTES);
        struct record_view view = {0};
        size_t len;

        event.id = id;
        event.source = source;
        memset(event.type, 't', EVENT_TYPE_MAX);
        char *line = encoded(&event, &len);
        ok(record_check(line, len, &view), "id of %zu characters: proven", strlen(id));
        is_mem(view.id, view.id_len, id, strlen(id), "id of %zu characters: seen", strlen(id));
        ok(view.id > line && view.id < line + len, "id of %zu characters: in the line",
           strlen(id));
        free(line);
    }
}

/* How many of these changes go unnoticed: every byte of the line to every other value. */
static int unnoticed_changes(char *line, size_t len)
{
    struct record_view view;
    int count = 0;

    for (size_t at = 0; at < len; at++) {
        const char right = line[at];
        for (int flip = 1; flip < 256; flip++) {
            line[at] = (char)(right ^ flip);
            if (record_check(line, len, &view)) {
                diag("byte %zu may be 0x%02x", at, (unsigned char)line[at]);
                count++;
            }
        }
        line[at] = right;
    }
    return count;
}

/* And these: a byte left out, doubled, or two next to each other changed round. */
static int unnoticed_moves(const char *line, size_t len)
{
    char *other = malloc(len + 1);
    struct record_view view;
    int count = 0;

    for (size_t at = 0; at < len; at++) {
        memcpy(other, line, at);
        memcpy(other + at, line + at + 1, len - at - 1);
        count += record_check(other, len - 1, &view);

        memcpy(other, line, at + 1);
        memcpy(other + at + 1, line + at, len - at);
        count += record_check(other, len + 1, &view);

        if (at + 1 == len || line[at] == line[at + 1])
            continue;
        memcpy(other, line, len);
        other[at] = line[at + 1];
        other[at + 1] = line[at];
        count += record_check(other, len, &view);
    }
    free(other);
    return count;
}

/* A copy that ends where it says, so that a sanitizer sees who reads on. */
static bool proven(const char *line, size_t len)
{
    char *exact = malloc(len > 0 ? len : 1);
    struct record_view view;

    memcpy(exact, line, len);
    const bool held = record_check(exact, len, &view);
    free(exact);
    return held;
}

static void refused(void)
{
    static const struct {
        const char *body;
        enum event_form form;
    } table[] = {
        {"{\"a\":1}", EVENT_JSON},
        {"{\n\"a\":1}", EVENT_JSON_LINES},
        {"{\n\"a\":1", EVENT_BYTES},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct event event = event_of(table[i].body, strlen(table[i].body), table[i].form);
        size_t len;
        char *line = encoded(&event, &len);
        int whole = 0;

        ok(proven(line, len), "form %zu: the line proves itself", i);
        is_int(unnoticed_changes(line, len), 0, "form %zu: no byte may change", i);
        is_int(unnoticed_moves(line, len), 0, "form %zu: none may go, come or move", i);
        for (size_t cut = 0; cut < len; cut++)
            whole += proven(line, cut);
        is_int(whole, 0, "form %zu: no shorter line is whole", i);
        whole = 0;
        for (size_t begin = 1; begin <= len; begin++)
            whole += proven(line + begin, len - begin);
        is_int(whole, 0, "form %zu: no end of it is whole", i);
        free(line);
    }
}

/* Lines that are well made but not ours. */
static void strangers(void)
{
    static const struct {
        const char *what, *text;
        bool hash; /* append the right one */
    } table[] = {
        {"nothing", "", false},
        {"a newline", "\n", false},
        {"zeros", NULL, false},
        {"a JSON object", "{\"id\":\"a\"}\n", false},
        {"fields in another order", "{\"id\":\"a\",\"specversion\":\"1.0\"", true},
        {"another version", "{\"specversion\":\"1.1\",\"id\":\"a\"", true},
        {"a blank before", " {\"specversion\":\"1.0\",\"id\":\"a\"", true},
        {"an id without an end", "{\"specversion\":\"1.0\",\"id\":\"a", true},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char line[256] = {0};
        const char *text = table[i].text;
        size_t len = text == NULL ? sizeof(line) : strlen(text);

        if (text != NULL)
            memcpy(line, text, len);
        if (table[i].hash)
            len += (size_t)snprintf(line + len, sizeof(line) - len, ",\"xxh3\":\"%016llx\"}\n",
                                    (unsigned long long)XXH3_64bits(line, len));
        ok(!proven(line, len), "no record: %s", table[i].what);
    }
}

static void two_lines(void)
{
    const struct event event = event_of("1", 1, EVENT_JSON);
    size_t len;
    char *line = encoded(&event, &len);
    char *two = malloc(2 * len + 1);

    memcpy(two, line, len);
    memcpy(two + len, line, len);
    ok(!proven(two, 2 * len), "two lines are no line");
    two[len - 1] = ' ';
    ok(!proven(two, 2 * len), "nor with a blank between");
    two[2 * len] = '\n';
    memcpy(two, line, len);
    two[len] = '\n';
    ok(!proven(two, len + 1), "nor is a line and an empty one");
    free(two);

    for (size_t i = len - 19; i < len - 3; i++) {
        if (line[i] >= 'a' && line[i] <= 'f')
            line[i] = (char)(line[i] - 'a' + 'A');
    }
    ok(!proven(line, len), "the hash is in lower case");
    free(line);
}

/* The body's bytes out of a line, the way that record.h promises: to be freed. */
static char *body_of(const char *line, const struct event *event, size_t *len)
{
    static const char *const fields[] = {",\"data\":", ",\"bodybase64\":\"", ",\"data_base64\":\""};
    const char *end = strstr(line, ",\"xxh3\":\"");
    const char *text = strstr(line, fields[event->form]);

    /* The last field of these names: a body may hold them, too. */
    if (event->form == EVENT_JSON_LINES) {
        for (const char *next = text; next != NULL; next = strstr(next + 1, fields[event->form]))
            text = next;
    }
    for (const char *next = end; next != NULL; next = strstr(next + 1, ",\"xxh3\":\""))
        end = next;
    if (text == NULL || end == NULL)
        return NULL;
    text += strlen(fields[event->form]);
    if (event->form == EVENT_JSON) {
        *len = (size_t)(end - text);
        return memcpy(malloc(*len + 1), text, *len);
    }
    char *body = malloc((size_t)(end - text));
    const ssize_t got = crypto_base64_decode(body, (size_t)(end - text), text,
                                             (size_t)(end - text) - 1);
    *len = got < 0 ? SIZE_MAX : (size_t)got;
    return body;
}

/* Encodes a body, proves the line and gets the body back: NULL, or what is wrong. */
static const char *there_and_back(const char *body, size_t body_len, enum event_form form)
{
    struct event event = event_of(body, body_len, form);
    struct record_view view;
    const char *wrong = NULL;
    size_t len, back_len = 0;
    char *line = encoded(&event, &len);

    if (!record_check(line, len, &view))
        wrong = "not proven";
    else if (memchr(line, '\n', len) != line + len - 1 || memchr(line, '\r', len) != NULL)
        wrong = "not one line";
    char *back = body_of(line, &event, &back_len);
    if (back == NULL || back_len != body_len || memcmp(back, body, body_len) != 0)
        wrong = "another body";

    /* The line itself is JSON that event.h calls strict. */
    event.body = line;
    event.body_len = len - 1;
    if (event_examine(&event, "t") != 0 || event.form != EVENT_JSON)
        wrong = "not JSON";
    free(back);
    free(line);
    return wrong;
}

static void bodies(void)
{
    enum { MEBIBYTE = 1 << 20 };
    static const char nasty[] = "{\"a\":1,\"xxh3\":\"0123456789abcdef\"}";
    static const char nastier[] =
        "[\n{\"x\":0,\"data\":1,\"bodybase64\":\"AAAA\",\"data_base64\":\"\"}\r\n]";
    char *large = malloc(MEBIBYTE + 2);
    int wrong = 0;

    for (size_t i = 0; i < MEBIBYTE + 2; i++)
        large[i] = (char)(i * 31 ^ i >> 8);
    for (size_t len = 0; len <= 600; len++)
        wrong += there_and_back(large, len, EVENT_BYTES) != NULL;
    is_int(wrong, 0, "bytes of every value in bodies of 0 to 600 come back");
    for (size_t len = MEBIBYTE; len <= MEBIBYTE + 2; len++)
        is_str(there_and_back(large, len, EVENT_BYTES), NULL, "%zu bytes", len);

    is_str(there_and_back(nasty, strlen(nasty), EVENT_JSON), NULL, "JSON with our own fields");
    is_str(there_and_back(nastier, strlen(nastier), EVENT_JSON_LINES), NULL,
           "JSON with line breaks and our own fields");

    memset(large, ' ', MEBIBYTE);
    large[0] = '[';
    large[MEBIBYTE - 1] = ']';
    is_str(there_and_back(large, MEBIBYTE, EVENT_JSON), NULL, "1 MiB of JSON");
    memset(large + 1, '\n', MEBIBYTE - 2);
    is_str(there_and_back(large, MEBIBYTE, EVENT_JSON_LINES), NULL, "1 MiB of line breaks");
    free(large);
}

int main(void)
{
    to_the_letter();
    hashes();
    times();
    ids();
    refused();
    strangers();
    two_lines();
    bodies();
    return done_testing();
}
