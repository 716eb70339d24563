/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "culprit.h"
#include "delivery.h"
#include "when.h"

/* ---- the headers, one by one */

static void check_method(struct inquiry *inquiry)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    const char *method = culprit_variable(inquiry, "REQUEST_METHOD");

    if (method != NULL && strcmp(method, "POST") != 0)
        explanation_find(inquiry->out, EXPLAIN_HEADERS, "method is %.*s; only POST is taken",
                         (int)(strspn(method, letters) > 20 ? 20 : strspn(method, letters)),
                         method);
}

static void check_headers(struct inquiry *inquiry)
{
    const struct shape *shape = &inquiry->shape;
    char text[SHAPE_TEXT];

    if (shape->complete)
        explanation_say(inquiry->out, EXPLAIN_HEADERS, EXPLAIN_HOLDS, "%s, %s, %s",
                        culprit_header(inquiry, SHAPE_ID), culprit_header(inquiry, SHAPE_TIME),
                        culprit_header(inquiry, SHAPE_SIGNATURE));
    check_method(inquiry);
    if (shape_headers_fault(shape, inquiry->request->headers, text))
        explanation_find(inquiry->out, EXPLAIN_HEADERS, "%s", text);
}

static void check_id(struct inquiry *inquiry)
{
    const struct shape_value *id = shape_value(&inquiry->shape, SHAPE_ID);
    char text[SHAPE_TEXT];

    if (id->len == 0)
        explanation_say(inquiry->out, EXPLAIN_ID, EXPLAIN_UNKNOWN, "there is none");
    else if (shape_id_fault(id, text))
        explanation_find(inquiry->out, EXPLAIN_ID, "%s", text);
    else
        explanation_say(inquiry->out, EXPLAIN_ID, EXPLAIN_HOLDS, "%.*s", (int)id->len, id->text);
}

/* How far apart two clocks are: "312 s", and more readable from two hours on. */
static const char *distance(int64_t seconds, char text[64])
{
    char age[WHEN_AGE_SIZE];
    const int64_t half_hours = (seconds + 900) / 1800, off = seconds - half_hours * 1800;

    if (seconds < 7200)
        (void)snprintf(text, 64, "%" PRId64 " s", seconds);
    else
        (void)snprintf(text, 64, "%s", when_age(age, seconds));
    if (half_hours >= 1 && half_hours <= 28 && off >= -30 && off <= 30)
        (void)strncat(text, " (local time taken for UTC?)", 64 - 1 - strlen(text));
    return text;
}

static void check_time(struct inquiry *inquiry)
{
    const struct shape_value *time = shape_value(&inquiry->shape, SHAPE_TIME);
    const int64_t came = inquiry->request->came;
    const int64_t tolerance = inquiry->endpoint == NULL ? EXPLAIN_TOLERANCE
                                                        : inquiry->endpoint->tolerance;
    char text[SHAPE_TEXT], stamp[WHEN_SIZE], off[64];

    if (time->len == 0) {
        explanation_say(inquiry->out, EXPLAIN_TIME, EXPLAIN_UNKNOWN, "there is none");
        return;
    }
    if (shape_time_fault(time, came, text)) {
        explanation_find(inquiry->out, EXPLAIN_TIME, "%s", text);
        return;
    }
    const int64_t when = strtoll(time->text, NULL, 10); /* ends at a blank, or the end */
    (void)when_stamp(stamp, when);
    if (when < came - tolerance)
        explanation_find(inquiry->out, EXPLAIN_TIME, "clock %s ahead of the sender's, or the "
                         "request is that old; tolerance %" PRId64 " s",
                         distance(came - when, off), tolerance);
    else if (when > came + tolerance)
        explanation_find(inquiry->out, EXPLAIN_TIME, "clock %s behind the sender's; tolerance %"
                         PRId64 " s", distance(when - came, off), tolerance);
    else
        explanation_say(inquiry->out, EXPLAIN_TIME, EXPLAIN_HOLDS, "%s, %" PRId64 " s %s", stamp,
                        when > came ? when - came : came - when, when > came ? "ahead" : "ago");
}

/* What hookspoold would find, by what it would find it with: 0, or -1 with ENOMEM. */
static int judge(struct inquiry *inquiry)
{
    const struct explain_request *request = inquiry->request;
    const char *method = culprit_variable(inquiry, "REQUEST_METHOD");
    struct delivery delivery;
    int error = 0;

    const char *fault = delivery_parse(
        &delivery, request->headers, request->came,
        inquiry->endpoint == NULL ? EXPLAIN_TOLERANCE : inquiry->endpoint->tolerance);
    /* With a time that is off, the signature is looked at all the same. */
    if (delivery.timestamp[0] != '\0' && request->body != NULL
        && request->sent == request->body_len)
        inquiry->secret = secrets_verify(
            &inquiry->keyring->files[0].secrets, request->came, delivery.id,
            delivery.timestamp, request->body, request->body_len,
            delivery.signatures, delivery.signatures_len, &error);
    inquiry->out->genuine = fault == NULL && inquiry->secret != NULL
                         && (method == NULL || strcmp(method, "POST") == 0);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

int explain(const struct explain_request *request, const struct config_endpoint *endpoint,
            const struct keyring *keyring, struct explanation *explanation)
{
    struct inquiry inquiry = {.request = request, .endpoint = endpoint, .keyring = keyring,
                              .out = explanation};

    memset(explanation, 0, sizeof(*explanation));
    for (int i = 0; i < EXPLAIN_INPUTS; i++)
        strcpy(explanation->inputs[i].text, "not looked at");
    shape_read(&inquiry.shape, request->headers);
    if (judge(&inquiry) < 0)
        return -1;
    check_headers(&inquiry);
    check_id(&inquiry);
    check_time(&inquiry);
    return culprit_find(&inquiry);
}
