/* SPDX-License-Identifier: ISC */
/* Times as people write them, and as they read them. */
#include "autoconf.h"

#include "when.h"

#include "tap.h"
#include "temp.h"

/* 2026-11-23T09:33:20Z, a Monday */
static const int64_t now = 1795426400;
static const int64_t midnight = 1795392000;

static void parses(void)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: refused */
    } cases[] = {
        {"2026-11-23T09:33:20Z", 1795426400},
        {"2026-11-23T09:33:20", 1795426400},
        {"2026-11-23 09:33:20", 1795426400},
        {"2026-11-23T09:33:20.987654Z", 1795426400},
        {"2026-11-23T09:33:20.9", 1795426400},
        {"2026-11-23T09:33Z", 1795426380},
        {"2026-11-23 09:33", 1795426380},
        {"2026-11-23", 1795392000},
        {"2024-02-29", 1709164800},
        {"1970-01-01", 0},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
        {"@0", 0},
        {"@1795426400", 1795426400},
        {"now", now},
        {"today", midnight},
        {"yesterday", midnight - 86400},
        {"0s", now},
        {"90s", now - 90},
        {"15m", now - 900},
        {"2h", now - 7200},
        {"3d", now - 259200},
        {"2w", now - 1209600},
        {"", -1}, {" ", -1}, {"x", -1}, {"90", -1}, {"-90s", -1}, {"s", -1}, {"1h30m", -1},
        {"1.5h", -1}, {"9999999999s", -1}, {"2h ", -1}, {" 2h", -1}, {"tomorrow", -1},
        {"2026-11-31", -1}, {"2025-02-29", -1}, {"2026-13-01", -1}, {"2026-1-2", -1},
        {"26-11-23", -1}, {"2026-11-23T24:00:00Z", -1}, {"2026-11-23T23:59:60Z", -1},
        {"2026-11-23T09:33:20+01:00", -1}, {"2026-11-23T09:33:20z", -1},
        {"2026-11-23T09:33:20.Z", -1}, {"2026-11-23.5", -1}, {"2026-11-23T09:33.5", -1},
        {"2026-11-23T09", -1}, {"2026-11-23Z", -1}, {" 2026-11-23", -1}, {"2026-11-23 ", -1},
        {"1969-12-31", -1}, {"@", -1}, {"@-1", -1}, {"@1x", -1}, {"@99999999999999", -1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds = -1;
        const bool parsed = when_parse(cases[i].text, now, &seconds);
        is_int(parsed ? seconds : -1, cases[i].want, "'%s'", cases[i].text);
    }
}

static void stamps(void)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
        long nanoseconds;
    } cases[] = {
        {"2026-11-23T09:33:20Z", 1795426400, 0},
        {"2026-11-23T09:33:20.000001Z", 1795426400, 1000},
        {"2026-11-23T09:33:20.999999Z", 1795426400, 999999000},
        {"2026-11-23T09:33:20.99999Z", -1, 0},
        {"2026-11-23T09:33:20.9999999Z", -1, 0},
        {"2026-11-23T09:33:20", -1, 0},
        {"2026-11-23 09:33:20Z", -1, 0},
        {"2026-11-23", -1, 0},
        {"", -1, 0},
        {"2026-11-23T09:33:20Zx", -1, 0},
        {"2026-11-23T09:33:20.123456ZZZZZZZZZ", -1, 0},
    };
    char text[WHEN_SIZE];

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t seconds;
        long nanoseconds;
        const bool good = when_parse_stamp(cases[i].text, strlen(cases[i].text), &seconds,
                                           &nanoseconds);
        ok(good ? seconds == cases[i].seconds && nanoseconds == cases[i].nanoseconds
                : cases[i].seconds == -1,
           "the stamp '%s'", cases[i].text);
    }
    int64_t seconds;
    long nanoseconds;
    ok(!when_parse_stamp("2026-11-23T09:33:20Z\0", 21, &seconds, &nanoseconds),
       "a stamp with a NUL behind it");

    is_int(when_stamp(text, now), 20, "a stamp has 20 characters");
    is_str(text, "2026-11-23T09:33:20Z", "these");
    is_int(when_stamp_micros(text, now, 123456789), 27, "with micros 27");
    is_str(text, "2026-11-23T09:33:20.123456Z", "these");
    (void)when_stamp(text, -5);
    is_str(text, "1970-01-01T00:00:00Z", "before the epoch is the epoch");
    (void)when_stamp_micros(text, INT64_MAX, 999999999);
    is_str(text, "9999-12-31T23:59:59.999999Z", "and there is an end");
    int wrong = 0;
    for (int64_t at = 0; at < INT64_C(253402300799); at += 7654321 * 97) {
        (void)when_stamp(text, at);
        wrong += !when_parse_stamp(text, strlen(text), &seconds, &nanoseconds) || seconds != at;
    }
    is_int(wrong, 0, "what is written can be read");
}

static void ages(void)
{
    static const struct {
        int64_t seconds;
        const char *want;
    } cases[] = {
        {0, "0s"}, {59, "59s"}, {60, "1m"}, {3599, "59m"}, {3600, "1h0m"}, {11520, "3h12m"},
        {86399, "23h59m"}, {86400, "1d0h"}, {187200, "2d4h"}, {-90, "-1m"},
        {INT64_C(86400) * 999999, "999999d0h"}, {INT64_MAX, NULL}};
    char text[WHEN_AGE_SIZE];

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *age = when_age(text, cases[i].seconds);
        if (cases[i].want != NULL)
            is_str(age, cases[i].want, "an age of %jd s", (intmax_t)cases[i].seconds);
        else
            ok(strlen(age) < WHEN_AGE_SIZE, "an age of %jd s fits", (intmax_t)cases[i].seconds);
    }
}

int main(void)
{
    parses();
    stamps();
    ages();
    return done_testing();
}
