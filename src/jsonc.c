/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "jsonc.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

enum { DEPTH = 32 };

struct jsonc {
    struct json_object *object;
};

/* One JSON value out of the text and nothing behind it. */
static struct json_object *parse(const char *text, size_t len)
{
    struct json_tokener *tokener = len > INT_MAX ? NULL : json_tokener_new_ex(DEPTH);
    struct json_object *value = NULL;

    if (tokener == NULL) {
        errno = len > INT_MAX ? EINVAL : ENOMEM;
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    value = json_tokener_parse_ex(tokener, text, (int)len);
    if (json_tokener_get_error(tokener) != json_tokener_success
        || json_tokener_get_parse_end(tokener) < len) {
        json_object_put(value);
        value = NULL;
        errno = EINVAL;
    }
    json_tokener_free(tokener);
    return value;
}

struct jsonc *jsonc_parse(const char *text, size_t len)
{
    struct json_object *object = parse(text, len);

    if (object == NULL)
        return NULL;
    struct jsonc *json = malloc(sizeof(*json));
    if (json == NULL || !json_object_is_type(object, json_type_object)) {
        errno = json == NULL ? ENOMEM : EINVAL;
        free(json);
        json_object_put(object);
        return NULL;
    }
    json->object = object;
    return json;
}

void jsonc_free(struct jsonc *json)
{
    if (json == NULL)
        return;
    json_object_put(json->object);
    free(json);
}

const char *jsonc_text(const struct jsonc *json, const char *name, size_t *len)
{
    struct json_object *member;

    if (!json_object_object_get_ex(json->object, name, &member)
        || !json_object_is_type(member, json_type_string))
        return NULL;
    if (len != NULL)
        *len = (size_t)json_object_get_string_len(member);
    return json_object_get_string(member);
}

bool jsonc_number(const struct jsonc *json, const char *name, int64_t *number)
{
    struct json_object *member;

    if (!json_object_object_get_ex(json->object, name, &member)
        || !json_object_is_type(member, json_type_int))
        return false;
    *number = json_object_get_int64(member);
    return true;
}

/* What is being visited. */
struct walk {
    jsonc_visit *visit;
    void *context;
};

static void walk_value(const struct walk *walk, const char *parent, const char *name,
                       size_t index, struct json_object *value);

static void walk_object(const struct walk *walk, const char *name, struct json_object *object)
{
    struct json_object_iterator at = json_object_iter_begin(object);
    const struct json_object_iterator end = json_object_iter_end(object);

    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
        walk_value(walk, name, json_object_iter_peek_name(&at), 0,
                   json_object_iter_peek_value(&at));
}

/* Recursion is bounded by the parser's DEPTH. */
static void walk_value(const struct walk *walk, const char *parent, const char *name,
                       size_t index, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_object:
        walk_object(walk, name, value);
        break;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++)
            walk_value(walk, parent, name, i, json_object_array_get_idx(value, i));
        break;
    case json_type_string:
    case json_type_int: {
        const char *text = json_object_get_string(value);
        walk->visit(walk->context, parent, name, index, text,
                    json_object_get_type(value) == json_type_string
                        ? (size_t)json_object_get_string_len(value)
                        : strlen(text));
        break;
    }
    case json_type_null:
    case json_type_boolean:
    case json_type_double:
        break;
    }
}

int jsonc_each(const char *text, size_t len, jsonc_visit *visit, void *context)
{
    const struct walk walk = {visit, context};
    struct json_object *value = parse(text, len);

    if (value == NULL)
        return -1;
    walk_value(&walk, "", "", 0, value);
    json_object_put(value);
    return 0;
}

int jsonc_unquote(const char *text, size_t len, char **out, size_t *out_len)
{
    struct json_object *value = parse(text, len);

    if (value == NULL || !json_object_is_type(value, json_type_string)) {
        json_object_put(value);
        errno = value == NULL && errno == ENOMEM ? ENOMEM : EINVAL;
        return -1;
    }
    const size_t size = (size_t)json_object_get_string_len(value);
    *out = malloc(size + 1);
    if (*out != NULL) {
        memcpy(*out, json_object_get_string(value), size);
        (*out)[size] = '\0';
        *out_len = size;
    }
    json_object_put(value);
    return *out == NULL ? -1 : 0;
}

size_t jsonc_character(const char *text, size_t left)
{
    const unsigned char *at = (const unsigned char *)text;
    static const struct {
        unsigned char first, last, second_first, second_last, len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

    for (size_t i = 0; left > 0 && i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        if (forms[i].len == 1)
            return 1;
        if (forms[i].len > left || at[1] < forms[i].second_first || at[1] > forms[i].second_last)
            return 0;
        for (size_t j = 2; j < forms[i].len; j++) {
            if (at[j] < 0x80 || at[j] > 0xbf)
                return 0;
        }
        return forms[i].len;
    }
    return 0;
}

/* What is no UTF-8 becomes '?': json-c would hand it on. */
static void clean(char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const size_t step = jsonc_character(text + at, len - at);
        if (step == 0)
            text[at] = '?';
        at += step == 0 ? 1 : step;
    }
}

char *jsonc_quote(const char *text, size_t len)
{
    char *copy = len > INT_MAX ? NULL : malloc(len + 1);
    char *quoted = NULL;

    if (copy == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    clean(copy, len);
    struct json_object *value = json_object_new_string_len(copy, (int)len);
    const char *made =
        value == NULL ? NULL
                      : json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
    if (made != NULL)
        quoted = strdup(made);
    json_object_put(value);
    free(copy);
    if (quoted == NULL)
        errno = ENOMEM;
    return quoted;
}

/* Printable ASCII that needs no escape, as nearly all of it is. */
static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

void jsonc_put(FILE *out, const char *text, size_t len)
{
    if (is_plain(text, len)) {
        putc('"', out);
        fwrite(text, 1, len, out);
        putc('"', out);
        return;
    }
    char *quoted = jsonc_quote(text, len);

    fputs(quoted == NULL ? "\"\"" : quoted, out);
    free(quoted);
}
