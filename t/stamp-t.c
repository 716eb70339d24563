/* SPDX-License-Identifier: ISC */
/* Stamps of records: each second of the calendar is read as libc counts it, and nothing else is. */
#include "autoconf.h"

#include "when.h"

#include <time.h>

#include "tap.h"

static void stamps(void)
{
    int wrong = 0;
    long nanoseconds;

    /* Steps that meet every month, hour and minute, up to the year 9999. */
    for (int64_t second = 0; second < INT64_C(253402300800); second += 1234567 + second % 977) {
        char text[WHEN_SIZE];
        int64_t got = -1;
        const size_t len = when_stamp(text, second);
        wrong += !when_parse_stamp(text, len, &got, &nanoseconds) || got != second
              || nanoseconds != 0;
        const size_t longer = when_stamp_micros(text, second, 987654321);
        wrong += !when_parse_stamp(text, longer, &got, &nanoseconds) || got != second
              || nanoseconds != 987654000;
    }
    is_int(wrong, 0, "what is written is read");
}

static void calendar(void)
{
    int wrong = 0;

    for (int year = 1970; year < 2500; year++) {
        for (int month = 0; month <= 13; month++) {
            for (int day = 0; day <= 32; day++) {
                char text[WHEN_SIZE * 2];
                int64_t got;
                long nanoseconds;
                struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day,
                                .tm_hour = 1};
                const time_t want = timegm(&tm);
                const bool real = tm.tm_year == year - 1900 && tm.tm_mon == month - 1
                               && tm.tm_mday == day;
                const int len = snprintf(text, sizeof(text), "%04d-%02d-%02dT01:00:00Z", year,
                                         month, day);
                const bool read = when_parse_stamp(text, (size_t)len, &got, &nanoseconds);
                wrong += read != real || (read && got != want);
            }
        }
    }
    is_int(wrong, 0, "each day is the one that libc counts, and days that are none are refused");
}

static void refused(void)
{
    static const char *const texts[] = {
        "", "Z", "2026-11-23", "2026-11-23T09:33:00", "2026-11-23T09:33:00z",
        "2026-11-23 09:33:00Z", "2026-11-23T24:00:00Z", "2026-11-23T09:60:00Z",
        "2026-11-23T09:33:60Z", "2026-11-23T09:33:00.Z", "2026-11-23T09:33:00.12345Z",
        "2026-11-23T09:33:00.1234567Z", "2026-11-23T09:33:00.12345xZ",
        "2026-11-23T09:33:00,123456Z", "1969-12-31T23:59:59Z", "-026-11-23T09:33:00Z",
        "2026-11-23T09:33:-1Z", "2026-11-23T09:33: 1Z", " 026-11-23T09:33:00Z",
        "2026-11-23T09:33:00+00:00Z",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t seconds;
        long nanoseconds;
        ok(!when_parse_stamp(texts[i], strlen(texts[i]), &seconds, &nanoseconds), "'%s' is none",
           texts[i]);
    }
}

int main(void)
{
    stamps();
    calendar();
    refused();
    return done_testing();
}
