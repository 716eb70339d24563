/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "webvalue.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS = 12 /* of a time */ };

struct unit {
    const char *name;
    int64_t milliseconds;
};

static int read_number(const char *text, uint64_t *number, const char **end)
{
    char *after;

    if (text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    *number = strtoull(text, &after, 10);
    *end = after;
    return errno != 0 ? -1 : 0;
}

int webvalue_nginx_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "kmg";
    const char *end;

    if (read_number(text, bytes, &end) < 0)
        return -1;
    if (*end == '\0')
        return 0;
    const char *unit = strchr(units, *end | 0x20);
    if (unit == NULL || *unit == '\0' || end[1] != '\0')
        return -1;
    return __builtin_mul_overflow(*bytes, UINT64_C(1) << 10 * (unit - units + 1), bytes) ? -1 : 0;
}

int webvalue_nginx_time(const char *text, int64_t *milliseconds)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
        {"w", INT64_C(604800000)}, {"M", INT64_C(2592000000)}, {"y", INT64_C(31536000000)},
        {"", 1000}};
    const size_t count = sizeof(units) / sizeof(units[0]);

    *milliseconds = 0;
    do {
        uint64_t number;
        size_t unit = 0;
        if (strspn(text, "0123456789") > DIGITS || read_number(text, &number, &text) < 0)
            return -1;
        const size_t letters = strcspn(text, "0123456789 ");
        while (unit < count && (strlen(units[unit].name) != letters
                                || strncmp(units[unit].name, text, letters) != 0))
            unit++;
        int64_t part;
        if (unit == count
            || __builtin_mul_overflow((int64_t)number, units[unit].milliseconds, &part)
            || __builtin_add_overflow(*milliseconds, part, milliseconds))
            return -1;
        text += letters;
        text += strspn(text, " ");
    } while (*text != '\0');
    return 0;
}

int webvalue_apache_size(const char *text, uint64_t *bytes)
{
    const char *end;

    return read_number(text, bytes, &end) == 0 && *end == '\0' ? 0 : -1;
}

int webvalue_apache_time(const char *text, int64_t *milliseconds)
{
    static const struct unit units[] = {
        {"", 1000}, {"s", 1000}, {"ms", 1}, {"mi", 60000}, {"min", 60000}, {"h", 3600000}};
    uint64_t number;
    const char *end;

    if (strspn(text, "0123456789") > DIGITS || read_number(text, &number, &end) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(end, units[i].name) == 0) {
            *milliseconds = (int64_t)number * units[i].milliseconds;
            return 0;
        }
    }
    return -1;
}
