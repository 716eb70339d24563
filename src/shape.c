/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery.h"

static const struct {
    const char *name, *variable;
} headers[SHAPE_FAMILIES][SHAPE_FIELDS] = {
    {{"svix-id", "HTTP_SVIX_ID"},
     {"svix-timestamp", "HTTP_SVIX_TIMESTAMP"},
     {"svix-signature", "HTTP_SVIX_SIGNATURE"}},
    {{"webhook-id", "HTTP_WEBHOOK_ID"},
     {"webhook-timestamp", "HTTP_WEBHOOK_TIMESTAMP"},
     {"webhook-signature", "HTTP_WEBHOOK_SIGNATURE"}},
};

/* How others sign, which is not verified here. */
static const struct {
    const char *variable, *whose;
} schemes[] = {
    {"HTTP_STRIPE_SIGNATURE", "stripe-signature, Stripe's"},
    {"HTTP_X_HUB_SIGNATURE_256", "x-hub-signature-256, GitHub's and Meta's"},
    {"HTTP_X_HUB_SIGNATURE", "x-hub-signature, WebSub's"},
    {"HTTP_X_SHOPIFY_HMAC_SHA256", "x-shopify-hmac-sha256, Shopify's"},
    {"HTTP_X_SLACK_SIGNATURE", "x-slack-signature, Slack's"},
    {"HTTP_X_TWILIO_SIGNATURE", "x-twilio-signature, Twilio's"},
    {"HTTP_X_SIGNATURE", "x-signature, another one"},
    {"HTTP_SIGNATURE", "signature, another one"},
};

/* The words into what is left of the text; too many are cut off. */
__attribute__((format(printf, 2, 3)))
static void add(char text[SHAPE_TEXT], const char *format, ...)
{
    const size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text + len, SHAPE_TEXT - len, format, args);
    va_end(args);
}

static const char *value_of(const char *variable, const char *name)
{
    const size_t len = strlen(name);

    return strncmp(variable, name, len) == 0 && variable[len] == '=' ? variable + len + 1 : NULL;
}

static void take(struct shape_value *value, const char *text)
{
    const struct shape_value before = *value;

    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    value->times++;
    if (before.text == NULL) {
        value->text = text;
        value->len = len;
    } else if (before.len != len || memcmp(before.text, text, len) != 0) {
        value->differs = true;
    }
}

/* How many headers of the family have a value. */
static int filled(const struct shape *shape, unsigned family)
{
    int count = 0;

    for (int field = 0; field < SHAPE_FIELDS; field++)
        count += shape->values[family][field].len > 0;
    return count;
}

void shape_read(struct shape *shape, char *const *envp)
{
    *shape = (struct shape){.family = 0};
    for (; *envp != NULL; envp++) {
        for (unsigned i = 0; i < SHAPE_FAMILIES * SHAPE_FIELDS; i++) {
            const unsigned family = i / SHAPE_FIELDS, field = i % SHAPE_FIELDS;
            const char *text = value_of(*envp, headers[family][field].variable);
            if (text != NULL)
                take(&shape->values[family][field], text);
        }
    }
    const int svix = filled(shape, 0), webhook = filled(shape, 1);
    shape->family = svix < SHAPE_FIELDS && webhook > svix;
    shape->complete = filled(shape, shape->family) == SHAPE_FIELDS;
    shape->mixed = !shape->complete;
    for (int field = 0; field < SHAPE_FIELDS; field++)
        shape->mixed &= shape_value(shape, field)->len > 0;
}

const struct shape_value *shape_value(const struct shape *shape, int field)
{
    const struct shape_value *own = &shape->values[shape->family][field];
    const struct shape_value *other = &shape->values[1 - shape->family][field];

    return !shape->complete && own->len == 0 && other->len > 0 ? other : own;
}

const char *shape_name(unsigned family, int field)
{
    return headers[family][field].name;
}

/* ---- which headers are there */

static bool repeated(const struct shape *shape, char text[SHAPE_TEXT])
{
    for (unsigned i = 0; i < SHAPE_FAMILIES * SHAPE_FIELDS; i++) {
        const unsigned family = i / SHAPE_FIELDS, field = i % SHAPE_FIELDS;
        const struct shape_value *value = &shape->values[family][field];
        if (value->times > 1)
            add(text, "%s%s stands there %u times, with %s", text[0] == '\0' ? "" : "; ",
                headers[family][field].name, value->times,
                value->differs ? "different values" : "one value");
    }
    return text[0] != '\0';
}

static void name_missing(const struct shape *shape, char text[SHAPE_TEXT])
{
    for (int field = 0; field < SHAPE_FIELDS; field++) {
        const struct shape_value *value = &shape->values[shape->family][field];
        if (value->len == 0)
            add(text, "%s%s is %s", text[0] == '\0' ? "" : ", ", headers[shape->family][field].name,
                value->text == NULL ? "missing" : "empty");
    }
}

static void name_scheme(char *const *envp, char text[SHAPE_TEXT])
{
    for (; *envp != NULL; envp++) {
        for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
            if (value_of(*envp, schemes[i].variable) != NULL) {
                add(text, "; there is %s way of signing", schemes[i].whose);
                return;
            }
        }
    }
}

bool shape_headers_fault(const struct shape *shape, char *const *envp, char text[SHAPE_TEXT])
{
    text[0] = '\0';
    if (repeated(shape, text))
        return true;
    if (shape->complete)
        return false;
    if (filled(shape, 0) + filled(shape, 1) == 0) {
        add(text, "no signature: neither svix-id, svix-timestamp and svix-signature nor webhook-*");
        name_scheme(envp, text);
        return true;
    }
    name_missing(shape, text);
    if (filled(shape, 0) > 0 && filled(shape, 1) > 0)
        add(text, "; svix-* and webhook-* do not make up for each other");
    return true;
}

/* ---- id and timestamp */

static void name_character(char c, size_t at, char text[SHAPE_TEXT])
{
    if (c > ' ' && c <= '~')
        add(text, "'%c' as character %zu", c, at + 1);
    else if (c == ' ')
        add(text, "a blank as character %zu", at + 1);
    else
        add(text, "the byte 0x%02x as character %zu", (unsigned)(unsigned char)c, at + 1);
}

bool shape_id_fault(const struct shape_value *id, char text[SHAPE_TEXT])
{
    static const char word[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    text[0] = '\0';
    const size_t good = strspn(id->text, word);
    if (good < id->len) {
        add(text, "id has ");
        name_character(id->text[good], good, text);
        if (id->text[good] == ',')
            add(text, ": two headers joined by a web server?");
        else
            add(text, "; only A-Z a-z 0-9 _ - may stand in it");
    } else if (id->len > DELIVERY_ID_MAX) {
        add(text, "id is %zu characters long; at most %d are taken", id->len, DELIVERY_ID_MAX);
    } else if (id->text[0] == '-') {
        add(text, "id begins with a dash");
    }
    return text[0] != '\0';
}

bool shape_time_fault(const struct shape_value *time, int64_t came, char text[SHAPE_TEXT])
{
    const size_t digits = strspn(time->text, "0123456789");

    text[0] = '\0';
    if (digits >= time->len && time->text[0] != '0' && time->len <= DELIVERY_TIMESTAMP_MAX)
        return false;
    if (digits >= time->len && time->len == 13
        && llabs(strtoll(time->text, NULL, 10) / 1000 - came) < 366 * 86400LL) {
        add(text, "timestamp is in milliseconds; seconds are wanted");
    } else if (digits >= time->len && time->text[0] == '0') {
        add(text, "timestamp begins with 0");
    } else if (digits >= time->len) {
        add(text, "timestamp has %zu digits; at most %d are taken", time->len,
            DELIVERY_TIMESTAMP_MAX);
    } else {
        add(text, "timestamp has ");
        name_character(time->text[digits], digits, text);
        if (digits == 4 && time->text[4] == '-')
            add(text, ": a date; seconds since 1970 are wanted");
        else if (time->text[digits] == ',')
            add(text, ": two headers joined by a web server?");
        else
            add(text, "; only digits may stand in it");
    }
    return true;
}
