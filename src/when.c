/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* The year 9999: what a stamp has room for. */
static const int64_t last_second = INT64_C(253402300799);

size_t when_stamp(char out[WHEN_SIZE], int64_t seconds)
{
    const time_t when = seconds < 0 ? 0 : seconds > last_second ? last_second : (time_t)seconds;
    struct tm tm;

    gmtime_r(&when, &tm);
    return strftime(out, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

size_t when_stamp_micros(char out[WHEN_SIZE], int64_t seconds, long nanoseconds)
{
    const size_t len = when_stamp(out, seconds) - 1;

    return len + (size_t)snprintf(out + len, WHEN_SIZE - len, ".%06ldZ", nanoseconds / 1000);
}

/* The calendar date at the text's beginning, to the second; what is behind it, or NULL. */
static const char *parse_date(const char *text, const char *format, int64_t *seconds)
{
    struct tm tm = {0};
    char again[WHEN_SIZE];

    const char *end = strptime(text, format, &tm);
    if (end == NULL)
        return NULL;
    const time_t when = timegm(&tm);
    /* What the calendar writes back must be the text: there is no February 30. */
    const size_t len = gmtime_r(&when, &tm) == NULL ? 0 : strftime(again, sizeof(again), format,
                                                                  &tm);
    if (len == 0 || len != (size_t)(end - text) || memcmp(again, text, len) != 0 || when < 0)
        return NULL;
    *seconds = when;
    return end;
}

/* Decimal digits and nothing else; -1: something else stands there. */
static int64_t take_digits(const char *text, int count)
{
    int64_t number = 0;

    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* The days from 1970-01-01 to a date of the Gregorian calendar; -1: none, or one before. */
static int64_t count_days(int64_t year, int64_t month, int64_t day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (year < 1970 || month < 1 || month > 12 || day < 1
        || day > lengths[month - 1] + (leap && month == 2))
        return -1;
    const int64_t past = year - 1;
    const int64_t leaps = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    return (year - 1970) * 365 + leaps + before[month - 1] + (leap && month > 2) + day - 1;
}

/* By hand: it is done for every event that is looked at, and strptime(3) takes 1 us. */
bool when_parse_stamp(const char *text, size_t len, int64_t *seconds, long *nanoseconds)
{
    static const char form[] = "0000-00-00T00:00:00";
    const size_t whole = sizeof(form) - 1;

    if ((len != whole + 1 && len != whole + 8) || text[len - 1] != 'Z')
        return false;
    for (size_t i = 0; i < whole; i++) {
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    }
    const int64_t days = count_days(take_digits(text, 4), take_digits(text + 5, 2),
                                    take_digits(text + 8, 2));
    const int64_t hour = take_digits(text + 11, 2);
    const int64_t minute = take_digits(text + 14, 2);
    const int64_t second = take_digits(text + 17, 2);
    const int64_t micros = len == whole + 1 ? 0 : take_digits(text + whole + 1, 6);
    if (days < 0 || hour > 23 || minute > 59 || second > 59 || micros < 0
        || (len > whole + 1 && text[whole] != '.'))
        return false;
    *seconds = days * DAY + hour * HOUR + minute * MINUTE + second;
    *nanoseconds = (long)micros * 1000;
    return true;
}

/* "90s", "15m", "2h", "3d" */
static bool parse_ago(const char *text, int64_t *ago)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', 7 * DAY}};
    char *end;

    if (text[0] < '0' || text[0] > '9' || strspn(text, "0123456789") > 9)
        return false;
    const int64_t number = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (end[0] == units[i].letter && end[1] == '\0') {
            *ago = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

static bool parse_calendar(const char *text, int64_t *seconds)
{
    static const struct {
        const char *format;
        bool fraction, zone; /* may follow */
    } forms[] = {{"%Y-%m-%dT%H:%M:%S", true, true}, {"%Y-%m-%d %H:%M:%S", true, true},
                 {"%Y-%m-%dT%H:%M", false, true}, {"%Y-%m-%d %H:%M", false, true},
                 {"%Y-%m-%d", false, false}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *end = parse_date(text, forms[i].format, seconds);
        if (end == NULL)
            continue;
        const size_t digits = *end == '.' ? strspn(end + 1, "0123456789") : 0;
        if (forms[i].fraction && digits > 0)
            end += 1 + digits;
        if (*end == '\0' || (forms[i].zone && strcmp(end, "Z") == 0))
            return true;
    }
    return false;
}

bool when_parse(const char *text, int64_t now, int64_t *seconds)
{
    int64_t ago;

    if (strcmp(text, "now") == 0)
        *seconds = now;
    else if (strcmp(text, "today") == 0)
        *seconds = now - now % DAY;
    else if (strcmp(text, "yesterday") == 0)
        *seconds = now - now % DAY - DAY;
    else if (parse_ago(text, &ago))
        *seconds = now - ago;
    else if (text[0] == '@' && strlen(text) < 14 && strspn(text + 1, "0123456789") > 0
             && text[1 + strspn(text + 1, "0123456789")] == '\0')
        *seconds = strtoll(text + 1, NULL, 10);
    else
        return parse_calendar(text, seconds);
    return true;
}

const char *when_age(char out[WHEN_AGE_SIZE], int64_t seconds)
{
    const char *sign = seconds < 0 ? "-" : "";
    const int64_t age = seconds < 0 ? -seconds : seconds;

    if (age < MINUTE)
        snprintf(out, WHEN_AGE_SIZE, "%s%" PRId64 "s", sign, age);
    else if (age < HOUR)
        snprintf(out, WHEN_AGE_SIZE, "%s%" PRId64 "m", sign, age / MINUTE);
    else if (age < DAY)
        snprintf(out, WHEN_AGE_SIZE, "%s%" PRId64 "h%" PRId64 "m", sign, age / HOUR,
                 age % HOUR / MINUTE);
    else
        snprintf(out, WHEN_AGE_SIZE, "%s%" PRId64 "d%" PRId64 "h", sign, age / DAY % 1000000,
                 age % DAY / HOUR);
    return out;
}
