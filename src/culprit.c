/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "culprit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digests.h"
#include "attribution.h"
#include "when.h"

/* The length that was announced, and the one it has. */
static void check_length(struct inquiry *inquiry)
{
    const struct config_endpoint *endpoint = inquiry->endpoint;
    const uint64_t sent = inquiry->request->sent;
    const char *text = culprit_variable(inquiry, "CONTENT_LENGTH");
    uint64_t length;

    if (text == NULL || text[0] == '\0' || strlen(text) > 18
        || strspn(text, "0123456789") != strlen(text))
        return;
    length = strtoull(text, NULL, 10);
    if (inquiry->request->body == NULL) {
        if (endpoint != NULL && length > endpoint->max_body)
            explanation_find(inquiry->out, EXPLAIN_BODY, "body has %" PRIu64 " bytes; max_body "
                             "is %" PRIu64, length, endpoint->max_body);
    } else if (length != sent) {
        explanation_find(inquiry->out, EXPLAIN_BODY, "body has %" PRIu64 " bytes, %s than the %"
                         PRIu64 " of Content-Length", sent, sent > length ? "more" : "fewer",
                         length);
    }
}

/* "line 2 of /etc/hookspool/b.secret" */
static void name_secret(const struct attribution_answer *answer, char text[EXPLAIN_TEXT])
{
    (void)snprintf(text, EXPLAIN_TEXT, "line %u of %.200s", answer->secret->line,
                   answer->file->path);
}

static void tell_secret(struct inquiry *inquiry, const struct attribution_answer *answer)
{
    const struct secret *secret = answer->secret;
    char name[EXPLAIN_TEXT], stamp[WHEN_SIZE];

    name_secret(answer, name);
    if (answer->form != ATTRIBUTION_DECODED)
        explanation_find(inquiry->out, EXPLAIN_SECRET, "signed with the text of the secret %s as "
                         "the key, not with the bytes that its base64 stands for",
                         answer->form == ATTRIBUTION_TEXT ? "behind whsec_" : "and whsec_");
    else if (answer->file != &inquiry->keyring->files[0])
        explanation_find(inquiry->out, EXPLAIN_SECRET, "signed with the secret of endpoint %s "
                         "(line %u of its file)", answer->file->endpoint, secret->line);
    else if (secret->expires != 0 && inquiry->request->came >= secret->expires) {
        (void)when_stamp(stamp, secret->expires);
        explanation_find(inquiry->out, EXPLAIN_SECRET, "signed with the secret in line %u, which "
                         "expired %s", secret->line, stamp);
    } else {
        explanation_say(inquiry->out, EXPLAIN_SECRET, EXPLAIN_HOLDS, "%s", name);
    }
}

static void tell_body(struct inquiry *inquiry, const struct attribution_answer *answer)
{
    if (answer->variant != NULL)
        explanation_find(inquiry->out, EXPLAIN_BODY, "body was changed: it matches if %s",
                         answer->variant);
    else if (inquiry->out->inputs[EXPLAIN_BODY].holds != EXPLAIN_DIFFERS)
        explanation_say(inquiry->out, EXPLAIN_BODY, EXPLAIN_HOLDS, "%zu bytes",
                        inquiry->request->body_len);
}

static void tell_signature(struct inquiry *inquiry, const struct attribution_answer *answer)
{
    if (answer->content != NULL)
        explanation_find(inquiry->out, EXPLAIN_SIGNATURE, "the signature is of %s",
                         answer->content);
    if (answer->digest->fault != NULL)
        explanation_find(inquiry->out, EXPLAIN_SIGNATURE, "the signature is right, but %s",
                         answer->digest->fault);
    if (answer->content == NULL && answer->digest->fault == NULL)
        explanation_say(inquiry->out, EXPLAIN_SIGNATURE, EXPLAIN_HOLDS, "%s",
                        answer->variant == NULL ? "matches" : "matches another form of the body");
}

/* Signed by nobody known here, or the body is another one. */
static void tell_nobody(struct inquiry *inquiry, const struct attribution_answer *answer)
{
    size_t own = inquiry->keyring->files[0].secrets.count, others = 0;

    for (size_t i = 1; i < inquiry->keyring->count; i++)
        others += inquiry->keyring->files[i].secrets.count;
    explanation_find(inquiry->out, EXPLAIN_SIGNATURE, "no secret known here signed this, as it "
                     "is or in the ways that were tried (%u): the secret is another one, or the "
                     "body was changed otherwise%s", answer->tried,
                     answer->complete ? "" : "; not all was tried, for the body is large");
    explanation_say(inquiry->out, EXPLAIN_SECRET, EXPLAIN_UNKNOWN, "%zu of the endpoint, %zu of "
                    "others: none matches", own, others);
    if (inquiry->out->inputs[EXPLAIN_BODY].holds != EXPLAIN_DIFFERS)
        explanation_say(inquiry->out, EXPLAIN_BODY, EXPLAIN_UNKNOWN, "%zu bytes: no known form "
                        "of them matches", inquiry->request->body_len);
}

/* Asks who signed this id and time, with the body. 0, or -1 with ENOMEM. */
static int ask(struct inquiry *inquiry, const struct shape_value *id,
               const struct shape_value *time, const struct digest *digests, size_t digest_count,
               bool plainly, struct attribution_answer *answer)
{
    const struct explain_request *request = inquiry->request;
    char *id_text = strndup(id->len > 0 ? id->text : "", id->len);
    char *time_text = strndup(time->len > 0 ? time->text : "", time->len);
    int result = -1;

    if (id_text != NULL && time_text != NULL) {
        const struct attribution_question question = {
            .keyring = inquiry->keyring, .id = id_text, .timestamp = time_text,
            .body = request->body, .len = request->body_len, .digests = digests,
            .digest_count = digest_count, .plainly = plainly,
            .bytes = request->effort == 0 ? EXPLAIN_EFFORT : request->effort};
        result = attribution_find(&question, answer);
    }
    free(id_text);
    free(time_text);
    return result;
}

/* Do the headers of the family that does not decide hold? */
static int ask_other_family(struct inquiry *inquiry)
{
    const struct shape_value *values = inquiry->shape.values[1 - inquiry->shape.family];
    const char *signatures = values[SHAPE_SIGNATURE].text;
    struct digest digests[DIGESTS_MAX];
    struct attribution_answer answer;

    if (!inquiry->shape.complete || values[SHAPE_ID].len == 0 || values[SHAPE_TIME].len == 0
        || signatures == NULL)
        return 0;
    const size_t count = digests_find(digests, signatures, values[SHAPE_SIGNATURE].len);
    if (ask(inquiry, &values[SHAPE_ID], &values[SHAPE_TIME], digests, count, true, &answer) < 0)
        return -1;
    if (answer.found && answer.file == &inquiry->keyring->files[0])
        explanation_find(inquiry->out, EXPLAIN_HEADERS, "the webhook-* headers are signed, the "
                         "svix-* headers are not, and they decide where both are there");
    return 0;
}

/* Looks for what the signature was made of. */
static int search(struct inquiry *inquiry, const struct digest *digests, size_t count)
{
    struct attribution_answer answer;

    if (ask(inquiry, shape_value(&inquiry->shape, SHAPE_ID),
            shape_value(&inquiry->shape, SHAPE_TIME), digests, count, false, &answer) < 0)
        return -1;
    if (!answer.found || answer.variant != NULL)
        check_length(inquiry);
    if (answer.found) {
        tell_secret(inquiry, &answer);
        tell_body(inquiry, &answer);
        tell_signature(inquiry, &answer);
        return 0;
    }
    tell_nobody(inquiry, &answer);
    return ask_other_family(inquiry);
}

static void tell_unknown_body(struct inquiry *inquiry)
{
    const struct explain_request *request = inquiry->request;

    check_length(inquiry);
    if (inquiry->out->inputs[EXPLAIN_BODY].holds != EXPLAIN_UNKNOWN)
        return;
    if (request->body == NULL)
        explanation_say(inquiry->out, EXPLAIN_BODY, EXPLAIN_UNKNOWN, "was not read");
    else
        explanation_say(inquiry->out, EXPLAIN_BODY, EXPLAIN_UNKNOWN, "%zu of %" PRIu64 " bytes "
                        "are known, so the signature cannot be checked", request->body_len,
                        request->sent);
}

int culprit_find(struct inquiry *inquiry)
{
    const struct explain_request *request = inquiry->request;
    const struct shape_value *list = shape_value(&inquiry->shape, SHAPE_SIGNATURE);
    struct digest digests[DIGESTS_MAX];
    char text[DIGESTS_TEXT];

    if (list->len == 0) {
        explanation_say(inquiry->out, EXPLAIN_SIGNATURE, EXPLAIN_UNKNOWN, "there is none");
        check_length(inquiry);
        return 0;
    }
    const size_t count = digests_find(digests, list->text, list->len);
    if (count == 0) {
        explanation_find(inquiry->out, EXPLAIN_SIGNATURE, "%s: %s",
                         culprit_header(inquiry, SHAPE_SIGNATURE),
                         digests_missing(list->text, list->len, text));
        check_length(inquiry);
        return 0;
    }
    explanation_say(inquiry->out, EXPLAIN_SIGNATURE, EXPLAIN_UNKNOWN, "%zu in the header", count);
    if (request->body == NULL || request->sent > request->body_len) {
        tell_unknown_body(inquiry);
        return 0;
    }
    if (inquiry->secret == NULL)
        return search(inquiry, digests, count);
    explanation_say(inquiry->out, EXPLAIN_SIGNATURE, EXPLAIN_HOLDS, "matches");
    explanation_say(inquiry->out, EXPLAIN_SECRET, EXPLAIN_HOLDS, "line %u of %.200s",
                    inquiry->secret->line, inquiry->keyring->files[0].path);
    explanation_say(inquiry->out, EXPLAIN_BODY, EXPLAIN_HOLDS, "%zu bytes", request->body_len);
    return 0;
}

const char *culprit_variable(const struct inquiry *inquiry, const char *name)
{
    const size_t len = strlen(name);

    for (char *const *at = inquiry->request->headers; *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
            return *at + len + 1;
    }
    return NULL;
}

const char *culprit_header(const struct inquiry *inquiry, int field)
{
    return shape_name(inquiry->shape.family, field);
}
