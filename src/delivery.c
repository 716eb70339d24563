/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "delivery.h"

#include <stdbool.h>
#include <string.h>

enum { ID, TIMESTAMP, SIGNATURE, FIELDS };
enum { FAMILIES = 2 };

static const struct {
    const char *name;
    const char *variable[FIELDS];
} families[FAMILIES] = {
    {"svix", {"HTTP_SVIX_ID", "HTTP_SVIX_TIMESTAMP", "HTTP_SVIX_SIGNATURE"}},
    {"webhook", {"HTTP_WEBHOOK_ID", "HTTP_WEBHOOK_TIMESTAMP", "HTTP_WEBHOOK_SIGNATURE"}},
};

/* A header's value in envp; text is NULL when the header is absent. */
struct value {
    const char *text;
    size_t len;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* nginx leaves TABs around a value, Apache does not; the sender means neither. */
static struct value trimmed(const char *text)
{
    size_t len;

    while (is_blank(*text))
        text++;
    len = strlen(text);
    while (len > 0 && is_blank(text[len - 1]))
        len--;
    return (struct value){text, len};
}

/* The value of `NAME=value` if its name is `name`, else NULL. */
static const char *value_of(const char *variable, const char *name)
{
    size_t len = strlen(name);

    return strncmp(variable, name, len) == 0 && variable[len] == '=' ? variable + len + 1 : NULL;
}

/* Returns false when a header of ours stands in envp twice, whatever its values. */
static bool collect(struct value values[FAMILIES][FIELDS], char *const *envp)
{
    for (; *envp != NULL; envp++) {
        for (size_t i = 0; i < FAMILIES * FIELDS; i++) {
            const char *text = value_of(*envp, families[i / FIELDS].variable[i % FIELDS]);
            struct value *value = &values[i / FIELDS][i % FIELDS];

            if (text == NULL)
                continue;
            if (value->text != NULL)
                return false;
            *value = trimmed(text);
        }
    }
    return true;
}

static bool complete(const struct value headers[FIELDS])
{
    return headers[ID].len > 0 && headers[TIMESTAMP].len > 0 && headers[SIGNATURE].len > 0;
}

bool delivery_is_id(const char *text, size_t len)
{
    if (len == 0 || len > DELIVERY_ID_MAX || !is_word(text[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!is_word(text[i]) && text[i] != '-')
            return false;
    }
    return true;
}

/* Twelve digits reach the year 33658 and cannot overflow. Returns 0 if malformed. */
static int64_t timestamp_value(const struct value *timestamp)
{
    int64_t when = 0;

    if (timestamp->len > DELIVERY_TIMESTAMP_MAX || timestamp->text[0] == '0')
        return 0;
    for (size_t i = 0; i < timestamp->len; i++) {
        if (!is_digit(timestamp->text[i]))
            return 0;
        when = when * 10 + (timestamp->text[i] - '0');
    }
    return when;
}

const char *delivery_parse(struct delivery *delivery, char *const *envp, int64_t now,
                           int64_t tolerance)
{
    struct value values[FAMILIES][FIELDS] = {{{NULL, 0}}};
    const struct value *value;
    size_t family = 0;

    *delivery = (struct delivery){.signatures = "", .family = ""};
    if (!collect(values, envp))
        return "repeated header";
    while (family < FAMILIES && !complete(values[family]))
        family++;
    if (family == FAMILIES)
        return "no complete header family";
    value = values[family];
    delivery->family = families[family].name;
    delivery->signatures = value[SIGNATURE].text;
    delivery->signatures_len = value[SIGNATURE].len;

    if (!delivery_is_id(value[ID].text, value[ID].len))
        return "malformed id";
    memcpy(delivery->id, value[ID].text, value[ID].len);
    delivery->when = timestamp_value(&value[TIMESTAMP]);
    if (delivery->when == 0)
        return "malformed timestamp";
    memcpy(delivery->timestamp, value[TIMESTAMP].text, value[TIMESTAMP].len);
    if (delivery->when < now - tolerance)
        return "timestamp too old";
    if (delivery->when > now + tolerance)
        return "timestamp too new";
    return NULL;
}
