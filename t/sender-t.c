/* SPDX-License-Identifier: ISC */
/*
 * The sender's side, as far as it is pure: ids, times, signed headers, bodies, what must be
 * answered and what to look at, the numbers of a campaign and its pace.
 */
#include "autoconf.h"

#include "sender.h"

#include <stdlib.h>

#include "event.h"
#include "expect.h"
#include "hint.h"
#include "pace.h"
#include "payload.h"
#include "sender.h"
#include "answers.h"

#include "tap.h"
#include "temp.h"

#define MS INT64_C(1000000)

static void ids(void)
{
    static const struct {
        const char *id;
        bool valid;
    } cases[] = {{"a", true}, {"_", true}, {"msg_2Kx-9", true}, {"-a", false}, {"", false},
                 {"a.b", false}, {"a b", false}, {"a\n", false}, {"caf\xc3\xa9", false}};
    char id[SENDER_ID], other[SENDER_ID], longest[DELIVERY_ID_MAX + 2];

    for (size_t i = 0; i < COUNT(cases); i++)
        is_int(delivery_is_id(cases[i].id, strlen(cases[i].id)), cases[i].valid, "id %zu", i);
    memset(longest, 'x', sizeof(longest));
    longest[DELIVERY_ID_MAX + 1] = '\0';
    ok(!delivery_is_id(longest, strlen(longest)), "an id of 201");
    longest[DELIVERY_ID_MAX] = '\0';
    ok(delivery_is_id(longest, strlen(longest)), "an id of 200");
    ok(sender_id(id) == 0 && sender_id(other) == 0, "ids are made");
    ok(strlen(id) == 31 && strncmp(id, "msg_", 4) == 0 && delivery_is_id(id, 31),
       "of Svix's form");
    ok(strcmp(id, other) != 0, "each another");
}

static void times(void)
{
    static const int64_t now = 1795478400; /* 2026-11-24T00:00:00Z */
    static const struct {
        const char *text;
        int64_t seconds; /* 0: it is no time */
    } cases[] = {
        {"1614265330", 1614265330}, {"1", 1}, {"999999999999", 999999999999}, {"now", now},
        {"10m", now - 600}, {"2026-11-24T00:00:01Z", now + 1}, {"@5", 5},
        {"0", 0}, {"", 0}, {"-1", 0}, {"1.5", 0}, {"1000000000000", 0}, {"1970-01-01", 0},
        {"soon", 0}, {"99999999999999999999", 0}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = 0;
        const bool valid = sender_time(cases[i].text, now, &seconds);
        is_int(valid ? seconds : 0, cases[i].seconds, "time '%s'", cases[i].text);
    }
}

static void headers(void)
{
    struct sender_headers made;
    struct signature_key key;
    const char *why;

    (void)signature_key_parse(&key, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38, &why);
    is_int(sender_sign(&made, "svix", &key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                       "{\"test\": 2432232314}", 20), 0, "it signs");
    is_str(made.line[0], "svix-id: msg_p5jXN8AQM9LWM0D4loKWxJek", "the id");
    is_str(made.line[1], "svix-timestamp: 1614265330", "the time");
    is_str(made.line[2], "svix-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
           "the signature that is documented");
    (void)sender_sign(&made, "webhook", &key, "a", 1, "", 0);
    is_str(made.line[0], "webhook-id: a", "the other family");
    key.len = 0;
    is_int(sender_sign(&made, "svix", &key, "a", 1, "", 0), -1, "an empty key signs nothing");
}

static void which_secret(void)
{
    struct secret list[3] = {{.line = 1, .expires = 100}, {.line = 2}, {.line = 3}};
    struct secrets secrets = {list, 3};

    is_int(sender_secret(&secrets, 99)->line, 1, "the first signs");
    is_int(sender_secret(&secrets, 100)->line, 2, "... until it has expired");
    list[1].expires = list[2].expires = 50;
    ok(sender_secret(&secrets, 100) == NULL, "all have");
}

/* ---- bodies */

static void type_is(const char *type, const char *want)
{
    size_t len = 0;
    char *body = payload_make(type, 1795478400, 0, &len);
    struct event event = {.body = body, .body_len = len};

    ok(body != NULL && strlen(body) == len, "a body of a type of %zu bytes", strlen(type));
    is_int(event_examine(&event, "default"), 0, "it is examined");
    is_int(event.form, EVENT_JSON, "it is strict JSON on one line");
    is_str(event.type, want, "its type is found");
    free(body);
}

static void payloads(void)
{
    size_t len = 0, bare = 0;

    type_is(PAYLOAD_TYPE, "phone_call.ended");
    type_is("a.b/c:d-e", "a.b/c:d-e");
    type_is("\",\"x\":\"\\", "default");
    type_is("line\nbreak\x01 \xff\xc3\xa9", "default");
    type_is("", "default");
    free(payload_make("x", 0, 0, &bare));
    static const size_t wanted[] = {1, 1024, 1048577, 5000001};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        char *body = payload_make("x", 0, wanted[i], &len);
        struct event event = {.body = body, .body_len = len};
        is_int(len, wanted[i] > bare ? wanted[i] : bare, "%zu bytes", wanted[i]);
        is_int(event_examine(&event, "-"), 0, "examined");
        is_int(event.form, EVENT_JSON, "still JSON");
        free(body);
    }
    char *one = payload_make("x", 0, 0, &len), *two = payload_make("x", 0, 0, &len);
    ok(strcmp(one, two) != 0, "each has a call id of its own");
    free(one);
    free(two);
}

/* ---- what must be answered */

static void expectations(void)
{
    static char *events[] = {(char *)"phone_call.*", NULL};
    static const struct config_endpoint endpoint = {
        .events = events, .default_type = (char *)"webhook", .tolerance = 60, .max_body = 1024};
    static const struct {
        const char *what;
        bool known;
        const char *body;
        size_t len; /* 0: the body's */
        int64_t age;
        bool bad, again;
        long status;
        const char *word;
    } cases[] = {
        {"a call", true, "{\"type\":\"phone_call.ended\"}", 0, 0, false, false, 200, "stored"},
        {"again", true, "{\"type\":\"phone_call.ended\"}", 0, 0, false, true, 200, "duplicate"},
        {"another type", true, "{\"type\":\"sms\"}", 0, 0, false, true, 200, "ignored"},
        {"no type", true, "hello", 0, 0, false, false, 200, "ignored"},
        {"no configuration", false, "hello", 0, 300, false, false, 200, "stored"},
        {"... and old", false, "hello", 0, 301, false, false, 400, NULL},
        {"just in time", true, "{\"type\":\"phone_call.x\"}", 0, 60, false, false, 200, "stored"},
        {"late", true, "{\"type\":\"phone_call.ended\"}", 0, 61, true, false, 400, NULL},
        {"early", true, "{\"type\":\"phone_call.ended\"}", 0, -61, false, false, 400, NULL},
        {"bad", true, "{\"type\":\"sms\"}", 0, 0, true, true, 401, NULL},
        {"large and bad and late", true, NULL, 1025, 99, true, false, 413, NULL},
        {"as large as may be, and bad", true, NULL, 1024, 0, true, false, 401, NULL},
    };
    char body[2048];

    memset(body, ' ', sizeof(body));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *text = cases[i].body != NULL ? cases[i].body : body;
        const struct test_event event = {cases[i].known ? &endpoint : NULL, text,
                                         cases[i].len != 0 ? cases[i].len : strlen(text),
                                         cases[i].age, cases[i].bad};
        struct expectation expectation;
        is_int(expect_answer(&expectation, &event, cases[i].again), 0, "%s", cases[i].what);
        is_int(expectation.status, cases[i].status, "the status");
        is_str(expectation.word, cases[i].word, "the word");
        ok(expect_met(&expectation, cases[i].status, cases[i].word ? cases[i].word : "refused"),
           "which meets it");
        ok(!expect_met(&expectation, 503, "unavailable"), "another does not");
        is_int(expect_met(&expectation, cases[i].status, ""), cases[i].word == NULL,
           "a refusal may be the web server's");
    }
}

static void hint_is(struct post_answer answer, const char *word, const char *want)
{
    char hint[HINT_SIZE];

    hint_write(hint, &answer, word, 1000000);
    ok(strstr(hint, want) != NULL, "%ld '%s': %s", answer.status, word, hint);
}

static void hints(void)
{
    hint_is((struct post_answer){.status = 401}, "refused", "no signature matches");
    hint_is((struct post_answer){.status = 401}, "", "no password may stand before");
    hint_is((struct post_answer){.status = 400}, "refused", "timedatectl");
    hint_is((struct post_answer){.status = 400, .date = 1000312}, "refused",
            "clock is 312 s ahead of this");
    hint_is((struct post_answer){.status = 400, .date = 999000}, "refused",
            "clock is 1000 s behind this");
    hint_is((struct post_answer){.status = 400, .date = 1000002}, "refused", "a header is lost");
    hint_is((struct post_answer){.status = 404}, "refused", "no endpoint has this path");
    hint_is((struct post_answer){.status = 404}, "", "is the snippet included");
    hint_is((struct post_answer){.status = 413}, "", "client_max_body_size");
    hint_is((struct post_answer){.status = 502}, "", "not running");
    hint_is((struct post_answer){.status = 503}, "unavailable", "nothing is lost");
    hint_is((struct post_answer){.status = 301, .location = "https://x/"}, "", "https://x/;");
    hint_is((struct post_answer){.status = 302}, "", "points to nowhere");
    hint_is((struct post_answer){.status = 200}, "duplicate", "forget");
    hint_is((struct post_answer){.status = 200}, "", "not hookspoold");
    hint_is((struct post_answer){.status = 418}, "", "neither hookspoold");
    hint_is((struct post_answer){.status = 0}, "", "is the web server running");
    hint_is((struct post_answer){.fault = POST_CERTIFICATE}, "", "--insecure");
    hint_is((struct post_answer){.fault = POST_TLS}, "", "for http?");
}

/* ---- numbers */

static bool near(int64_t got, int64_t want)
{
    const int64_t off = got < want ? want - got : got - want;

    if (off * 100 > want)
        diag("got %jd, want about %jd", (intmax_t)got, (intmax_t)want);
    return off * 100 <= want;
}

static void numbers(void)
{
    struct answers *answers = calloc(1, sizeof(*answers));

    is_int(answers_time(answers, 500), 0, "nothing yet");
    (void)answers_add(answers, 200, "stored", true, 7 * MS + 123);
    ok(answers_time(answers, 500) == 7 * MS + 123 && answers_time(answers, 990) == 7 * MS + 123,
       "one time is exact");
    memset(answers, 0, sizeof(*answers));
    for (int64_t i = 1; i <= 10000; i++)
        (void)answers_add(answers, 200, "stored", true, (i * 7919 % 10000 + 1) * MS / 10);
    ok(answers->least == MS / 10 && answers->most == 1000 * MS, "the least and the most are exact");
    ok(near(answers_time(answers, 500), 500 * MS), "the median");
    ok(near(answers_time(answers, 990), 990 * MS), "the 99th hundredth");
    ok(near(answers_time(answers, 1), MS), "the first thousandth");
    is_int(answers_time(answers, 1000), 1000 * MS, "the last");
    (void)answers_add(answers, 200, "stored", true, 0);
    (void)answers_add(answers, 200, "stored", true, INT64_MAX);
    (void)answers_add(answers, 200, "stored", true, -5);
    ok(answers->count == 10003 && answers->kind_count == 1, "times out of all bounds do no harm");
    memset(answers, 0, sizeof(*answers));
    for (int i = 0; i < 100; i++)
        (void)answers_add(answers, i < 50 ? 0 : 400 + i, i < 50 ? "" : "a word that is too long",
                           false, MS);
    is_int(answers->kind_count, ANSWERS_KINDS, "kinds are bounded");
    is_int(answers->answered, 50, "the unanswered are none of the times");
    is_int(answers->kinds[0].count, 50, "the first kind");
    is_str(answers->kinds[ANSWERS_KINDS - 1].word, "others", "the last is of all others");
    int64_t sum = 0;
    for (size_t i = 0; i < ANSWERS_KINDS; i++)
        sum += answers->kinds[i].count;
    is_int(sum, 100, "nothing is uncounted");
    free(answers);
}

static void paces(void)
{
    static const struct {
        const char *text;
        int64_t number, period;
    } cases[] = {{"20", 20, 1}, {"20/s", 20, 1}, {"90/m", 90, 60}, {"1/h", 1, 3600},
                 {"1000000/s", 1000000, 1}, {"1000001", 0, 0}, {"0", 0, 0}, {"-1", 0, 0},
                 {"", 0, 0}, {"1.5", 0, 0}, {"20/d", 0, 0}, {"20/", 0, 0}, {"/s", 0, 0},
                 {"99999999999999999999", 0, 0}};
    struct pace pace = {0};

    for (size_t i = 0; i < COUNT(cases); i++) {
        pace = (struct pace){0};
        is_int(pace_parse(&pace, cases[i].text), cases[i].number != 0, "rate '%s'", cases[i].text);
        ok(pace.number == cases[i].number && pace.period == cases[i].period * 1000 * MS,
           "its value");
    }
    pace = (struct pace){3, 1000 * MS, 5};
    is_int(pace_due(&pace, 0), 5, "the first at once");
    is_int(pace_due(&pace, 1), 333333338, "the second a third later");
    is_int(pace_due(&pace, 3), 5 + 1000 * MS, "no rounding adds up");
    is_int(pace_due(&pace, 300000), 5 + 100000 * 1000 * MS, "... not in a day");
    pace = (struct pace){1, 3600 * 1000 * MS, 5};
    is_int(pace_due(&pace, 1000000000), INT64_MAX, "beyond all time");
    pace = (struct pace){0, 0, 5};
    is_int(pace_due(&pace, 77), 5, "without a rate all are due");
}

int main(void)
{
    temp_start();
    ids();
    times();
    headers();
    which_secret();
    payloads();
    expectations();
    hints();
    numbers();
    paces();
    return done_testing();
}
