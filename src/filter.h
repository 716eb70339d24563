/* SPDX-License-Identifier: ISC */
/*
 * filter: which events are meant: by the time they arrived, type and id.
 *
 * Pure; any thread. What it points to is borrowed. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_FILTER_H
#define HOOKSPOOL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

struct filter {
    int64_t since, until; /* since <= received < until */
    const char *type;     /* shell pattern; NULL: any */
    char *const *ids;     /* id_count of them; none: any */
    size_t id_count;
};

/* Takes everything. */
#define FILTER_ALL ((struct filter){.since = INT64_MIN, .until = INT64_MAX})

bool filter_takes(const struct filter *filter, const struct record_view *view);

/* The second in which it arrived; 0 if it cannot be read. */
int64_t filter_received(const struct record_view *view);

#endif
