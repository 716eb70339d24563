/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "member.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "jsonc.h"
#include "when.h"

void member_text(const char *name, const char *text, size_t len)
{
    printf(",\"%s\":", name);
    jsonc_put(stdout, text, len);
}

void member_string(const char *name, const char *text)
{
    member_text(name, text, strlen(text));
}

void member_number(const char *name, uint64_t number)
{
    printf(",\"%s\":%" PRIu64, name, number);
}

void member_flag(const char *name, bool flag)
{
    printf(",\"%s\":%s", name, flag ? "true" : "false");
}

void member_time(const char *name, int64_t seconds)
{
    char stamp[WHEN_SIZE];

    if (seconds == 0 || seconds == INT64_MAX) {
        printf(",\"%s\":null", name);
        return;
    }
    when_stamp(stamp, seconds);
    printf(",\"%s\":\"%s\"", name, stamp);
}
