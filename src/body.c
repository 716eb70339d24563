/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"

/* What stands between `received` and the body, and before the copy of a body with line breaks. */
#define DATA "\",\"data\":"
#define DATA_BASE64 "\",\"data_base64\":\""
#define BODYBASE64 ",\"bodybase64\":\""

static bool begins(const char *at, const char *end, const char *with)
{
    return (size_t)(end - at) >= strlen(with) && memcmp(at, with, strlen(with)) == 0;
}

static void set_base64(struct body *body, const char *text, size_t len)
{
    const size_t padding = len == 0 ? 0 : (size_t)(text[len - 1] == '=') + (text[len - 2] == '=');

    body->base64 = text;
    body->base64_len = len;
    body->len = len / 4 * 3 - padding;
}

/*
 * The copy in base64 behind the data, if there is one: the text from the last
 * quotation mark but one. Data that ends like it has its own ones escaped.
 */
static void split_copy(struct body *body)
{
    const char *end = body->json + body->json_len - 1; /* on the closing quotation mark? */

    if (body->json_len < sizeof(BODYBASE64) || *end != '"')
        return;
    const char *open = memrchr(body->json, '"', body->json_len - 1);
    const size_t head = sizeof(BODYBASE64) - 1;
    if (open == NULL || (size_t)(open + 1 - body->json) < head
        || memcmp(open + 1 - head, BODYBASE64, head) != 0 || (end - open - 1) % 4 != 0)
        return;
    set_base64(body, open + 1, (size_t)(end - open - 1));
    body->json_len = (size_t)(open + 1 - body->json) - head;
}

bool body_find(struct body *body, const char *line, size_t len, const struct record_view *view)
{
    const char *at = view->received + view->received_len;
    const char *end = line + len - RECORD_SEAL;

    *body = (struct body){0};
    if (begins(at, end, DATA_BASE64)) {
        at += sizeof(DATA_BASE64) - 1;
        if (at >= end || end[-1] != '"' || (end - 1 - at) % 4 != 0)
            return false;
        set_base64(body, at, (size_t)(end - 1 - at));
        return true;
    }
    if (!begins(at, end, DATA))
        return false;
    body->json = at + sizeof(DATA) - 1;
    body->json_len = (size_t)(end - body->json);
    body->len = body->json_len;
    split_copy(body);
    if (body->base64 == NULL)
        body->len = body->json_len;
    return true;
}

char *body_bytes(const struct body *body)
{
    char *bytes = malloc(body->len + 1);

    if (bytes == NULL)
        return NULL;
    if (body->base64 == NULL) {
        memcpy(bytes, body->json, body->len);
        return bytes;
    }
    const ssize_t got = crypto_base64_decode(bytes, body->len + 1, body->base64, body->base64_len);
    if (got >= 0 && (size_t)got == body->len)
        return bytes;
    free(bytes);
    errno = EINVAL;
    return NULL;
}
