/* SPDX-License-Identifier: ISC */
/* A failed event as a line, and back: whatever a command wrote, and however large the event is. */
#include "autoconf.h"

#include "failure.h"

#include "jsonc.h"
#include "tap.h"
#include "temp.h"

static struct failure make(const char *event)
{
    struct failure failure = {
        .position = 123456789012, .attempts = 3, .first = 1764000000, .last = 1764000100,
        .next = 1764000220, .status = 7, .event = event, .event_len = strlen(event)};

    strcpy(failure.id, "msg_1");
    strcpy(failure.type, "phone_call.ended");
    strcpy(failure.reason, "exit status 7");
    failure_set_stderr(&failure, "no such call\n", 13);
    return failure;
}

static bool same(const struct failure *a, const struct failure *b)
{
    return a->position == b->position && strcmp(a->id, b->id) == 0 && strcmp(a->type, b->type) == 0
        && a->attempts == b->attempts && a->first == b->first && a->last == b->last
        && a->next == b->next && a->status == b->status && strcmp(a->reason, b->reason) == 0
        && strcmp(a->stderr_text, b->stderr_text) == 0 && a->event_len == b->event_len
        && memcmp(a->event, b->event, a->event_len) == 0;
}

static void round_trip(const struct failure *failure, const char *what)
{
    struct failure back;
    size_t len;

    char *line = failure_encode(failure, &len);
    ok(line != NULL && line[len - 1] == '\n' && memchr(line, '\n', len) == line + len - 1,
       "%s: one line", what);
    ok(failure_decode(line, len, &back) && same(failure, &back), "%s: there and back", what);
    free(line);
}

static void forms(void)
{
    static const char want[] =
        "{\"position\":123456789012,\"id\":\"msg_1\",\"type\":\"phone_call.ended\",\"attempts\":3,"
        "\"first\":1764000000,\"last\":1764000100,\"next\":1764000220,\"reason\":\"exit status 7\","
        "\"status\":7,\"stderr\":\"no such call\\n\",\"event\":{\"a\":1}";
    struct failure failure = make("{\"a\":1}");
    size_t len;

    char *line = failure_encode(&failure, &len);
    is_mem(line, len - RECORD_SEAL, want, strlen(want), "the members stand in their order");
    free(line);
    round_trip(&failure, "a failure");

    failure.next = 0;
    line = failure_encode(&failure, &len);
    ok(memmem(line, len, "\"next\":null", 11) != NULL, "a dead one has no next");
    free(line);
    round_trip(&failure, "a dead one");

    failure.attempts = 0;
    failure.first = 0;
    failure.position = 0;
    round_trip(&failure, "one that begins anew");

    failure.attempts = UINT32_MAX;
    failure.position = INT64_MAX;
    failure.status = 255;
    memset(failure.id, 'i', FAILURE_ID);
    memset(failure.type, 't', FAILURE_TYPE);
    memset(failure.reason, 'r', FAILURE_REASON);
    round_trip(&failure, "the longest members");
    failure.event = "{\"x\":\",\\\"event\\\":{}\",\"event\":{\"event\":1}}";
    failure.event_len = strlen(failure.event);
    strcpy(failure.reason, ",\"event\":\"");
    failure_set_stderr(&failure, ",\"event\":{\"xxh3\":\"", 18);
    round_trip(&failure, "texts that look like members");
}

static void large(void)
{
    const size_t len = 8 * 1024 * 1024;
    char *event = malloc(len + 1);

    memset(event, 'x', len);
    event[0] = '"';
    event[len - 1] = '"';
    event[len] = '\0';
    const struct failure failure = make(event);
    round_trip(&failure, "an event of 8 MiB");
    free(event);
}

/* What a command writes on standard error, and what is kept of it. */
static void stderr_texts(void)
{
    static const struct {
        const char *what, *bytes;
        size_t len;
        const char *want;
    } cases[] = {
        {"nothing", "", 0, ""},
        {"text", "a\tb\nc", 5, "a\tb\nc"},
        {"control bytes", "\x1b[2J\r\a\x7f", 7, "?[2J???"},
        {"a NUL", "a\0b", 3, "a?b"},
        {"UTF-8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e", 15,
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\x9e"},
        {"Latin 1", "gr\xfc\xdf", 4, "gr??"},
        {"half a character at the end", "a\xe2\x82", 3, "a??"},
        {"overlong, surrogate, beyond Unicode", "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", 9,
         "?????????"},
        {"C1 controls, as characters", "\xc2\x9b" "2J", 4, "??2J"},
        {"quotes", "\"\\", 2, "\"\\"},
    };
    struct failure failure = make("{}");

    for (size_t i = 0; i < COUNT(cases); i++) {
        failure_set_stderr(&failure, cases[i].bytes, cases[i].len);
        is_str(failure.stderr_text, cases[i].want, "%s", cases[i].what);
        round_trip(&failure, cases[i].what);
    }
}

/* It is cut between characters. */
static void cut(void)
{
    struct failure failure = make("{}");
    char bytes[FAILURE_STDERR + 8];

    for (size_t before = 0; before < 4; before++) {
        memset(bytes, 'x', sizeof(bytes));
        memcpy(bytes + FAILURE_STDERR - before, "\xf0\x9f\x93\x9e", 4);
        failure_set_stderr(&failure, bytes, sizeof(bytes));
        is_int(strlen(failure.stderr_text), FAILURE_STDERR - before,
               "a character with %zu bytes before the end is left out", before);
        round_trip(&failure, "a text that was cut");
    }
    memcpy(bytes + FAILURE_STDERR - 4, "\xf0\x9f\x93\x9e", 4);
    failure_set_stderr(&failure, bytes, FAILURE_STDERR);
    is_int(strlen(failure.stderr_text), FAILURE_STDERR, "one that just fits stays");
    memset(bytes, 0x80, sizeof(bytes));
    failure_set_stderr(&failure, bytes, sizeof(bytes));
    is_int(strspn(failure.stderr_text, "?"), FAILURE_STDERR, "bytes that are no text are counted");
    memset(bytes, '\n', sizeof(bytes));
    failure_set_stderr(&failure, bytes, sizeof(bytes));
    round_trip(&failure, "the longest text when it is escaped");
}

/* A line proves itself, or is refused. */
static void damaged(void)
{
    struct failure failure = make("{\"a\":1}"), back;
    size_t len, taken = 0;

    char *line = failure_encode(&failure, &len);
    for (size_t i = 0; i < len; i++) {
        line[i] ^= 1;
        taken += failure_decode(line, len, &back);
        line[i] ^= 1;
    }
    is_int(taken, 0, "an altered byte, whichever it is, is found");
    for (size_t i = 0; i < len; i++)
        taken += failure_decode(line, i, &back);
    is_int(taken, 0, "so is a cut");
    free(line);

    static const char *const others[] = {
        "{\"a\":1", "{\"position\":1,\"id\":\"x\",\"event\":{}",
        "{\"position\":-1,\"id\":\"x\",\"type\":\"t\",\"attempts\":1,\"first\":1,\"last\":1,"
        "\"next\":null,\"reason\":\"\",\"status\":1,\"stderr\":\"\",\"event\":{}",
        "{\"position\":1,\"id\":\"x\",\"type\":\"t\",\"attempts\":-1,\"first\":1,\"last\":1,"
        "\"next\":null,\"reason\":\"\",\"status\":1,\"stderr\":\"\",\"event\":{}",
        "{\"position\":1,\"id\":[],\"type\":\"t\",\"attempts\":1,\"first\":1,\"last\":1,"
        "\"next\":null,\"reason\":\"\",\"status\":1,\"stderr\":\"\",\"event\":{}",
        "[1,\"event\":{}"};
    for (size_t i = 0; i < COUNT(others); i++) {
        char sealed[512];
        strcpy(sealed, others[i]);
        ok(!failure_decode(sealed, record_seal(sealed, strlen(sealed)), &back),
           "sealed, but no failure: %s", others[i]);
    }
}

int main(void)
{
    forms();
    large();
    stderr_texts();
    cut();
    damaged();
    return done_testing();
}
