/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "pace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t second = 1000000000;

/* Its product with an hour's nanoseconds still fits. */
enum { NUMBER_MAX = 1000000, DIGITS_MAX = 7 };

bool pace_parse(struct pace *pace, const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    const int64_t number = strtoll(text, NULL, 10);

    if (digits == 0 || digits > DIGITS_MAX || number == 0 || number > NUMBER_MAX)
        return false;
    if (*unit == '\0' || strcmp(unit, "/s") == 0)
        pace->period = second;
    else if (strcmp(unit, "/m") == 0)
        pace->period = 60 * second;
    else if (strcmp(unit, "/h") == 0)
        pace->period = 3600 * second;
    else
        return false;
    pace->number = number;
    return true;
}

int64_t pace_due(const struct pace *pace, int64_t which)
{
    int64_t due;

    if (pace->number == 0)
        return pace->start;
    /* Whole periods apart: all in one product would overflow after some hours. */
    if (__builtin_mul_overflow(which / pace->number, pace->period, &due)
        || __builtin_add_overflow(due, pace->start, &due)
        || __builtin_add_overflow(due, which % pace->number * pace->period / pace->number, &due))
        return INT64_MAX;
    return due;
}

int pace_wait(const struct pace *pace, int64_t which)
{
    const int64_t due = pace_due(pace, which);
    const struct timespec when = {due / second, due % second};

    if (pace->number == 0)
        return 0;
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == 0 ? 0 : -1;
}
