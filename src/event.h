/* SPDX-License-Identifier: ISC */
/*
 * event: what a genuine body is: strict JSON on one line, strict JSON with
 * line breaks, or plain bytes; and the type its payload names.
 *
 * Strict JSON is what strictjson.h says; what it is not goes into the record as
 * bytes. Only a type's escapes are resolved, by jsonc.h.
 *
 * A body is never refused for what it holds: whoever signed it meant it.
 * Pure: no I/O, no clock, any thread.
 */
#ifndef HOOKSPOOL_EVENT_H
#define HOOKSPOOL_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { EVENT_TYPE_MAX = 128 };

enum event_form {
    EVENT_JSON,       /* strict JSON on one line: goes into the record as it is */
    EVENT_JSON_LINES, /* strict JSON with line breaks between its tokens */
    EVENT_BYTES       /* anything else */
};

struct event {
    const char *id;       /* borrowed, as are source and body */
    const char *source;
    char type[EVENT_TYPE_MAX + 1];
    int64_t time;         /* signed timestamp, Unix seconds */
    struct timespec received;
    const char *body;
    size_t body_len;
    enum event_form form;
};

/*
 * Sets form and type from the body. The type is the first of "type", "event"
 * and "eventType" at the top level that is a string of 1 to EVENT_TYPE_MAX
 * characters out of [A-Za-z0-9_.:/-]; else default_type. 0, or -1 with ENOMEM.
 */
int event_examine(struct event *event, const char *default_type);

#endif
