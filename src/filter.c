/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "filter.h"

#include <fnmatch.h>
#include <string.h>

#include "event.h"
#include "when.h"

int64_t filter_received(const struct record_view *view)
{
    int64_t seconds;
    long nanoseconds;

    return when_parse_stamp(view->received, view->received_len, &seconds, &nanoseconds) ? seconds
                                                                                         : 0;
}

static bool type_taken(const struct filter *filter, const struct record_view *view)
{
    char type[EVENT_TYPE_MAX + 1];

    if (view->type_len > EVENT_TYPE_MAX)
        return false;
    memcpy(type, view->type, view->type_len);
    type[view->type_len] = '\0';
    return fnmatch(filter->type, type, 0) == 0;
}

static bool id_taken(const struct filter *filter, const struct record_view *view)
{
    for (size_t i = 0; i < filter->id_count; i++) {
        if (strlen(filter->ids[i]) == view->id_len
            && memcmp(filter->ids[i], view->id, view->id_len) == 0)
            return true;
    }
    return filter->id_count == 0;
}

bool filter_takes(const struct filter *filter, const struct record_view *view)
{
    if (!id_taken(filter, view) || (filter->type != NULL && !type_taken(filter, view)))
        return false;
    if (filter->since == INT64_MIN && filter->until == INT64_MAX)
        return true;
    const int64_t received = filter_received(view);
    return received >= filter->since && received < filter->until;
}
