/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "event.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc.h"
#include "strictjson.h"

/* Where a payload may name its type, in the order of preference. */
static const char *const type_names[] = {"type", "event", "eventType"};
enum { TYPE_NAMES = sizeof(type_names) / sizeof(type_names[0]) };

static bool is_type(const char *text, size_t len)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-";

    return len > 0 && len <= EVENT_TYPE_MAX && strspn(text, allowed) == len;
}

/* Takes a string of the body, escapes resolved, as the type: 1, 0 when it is none, -1. */
static int take_type(const struct strictjson_string *string, char type[EVENT_TYPE_MAX + 1])
{
    char *text;
    size_t len;
    int taken = 0;

    if (string->text == NULL || string->len > 6 * (EVENT_TYPE_MAX + 1)) /* six for each, escaped */
        return 0;
    if (jsonc_unquote(string->text, string->len, &text, &len) < 0)
        return errno == ENOMEM ? -1 : 0;
    if (is_type(text, len)) {
        memcpy(type, text, len + 1);
        taken = 1;
    }
    free(text);
    return taken;
}

int event_examine(struct event *event, const char *default_type)
{
    const char *body = event->body;
    const size_t len = event->body_len;
    struct strictjson_string types[TYPE_NAMES];

    strncpy(event->type, default_type, EVENT_TYPE_MAX);
    event->type[EVENT_TYPE_MAX] = '\0';
    event->form = EVENT_BYTES;
    if (!strictjson_scan(body, len, type_names, TYPE_NAMES, types))
        return 0;

    const bool lines = memchr(body, '\n', len) != NULL || memchr(body, '\r', len) != NULL;
    event->form = lines ? EVENT_JSON_LINES : EVENT_JSON;
    int taken = 0;
    for (size_t i = 0; i < TYPE_NAMES && taken == 0; i++)
        taken = take_type(&types[i], event->type);
    return taken < 0 ? -1 : 0;
}
