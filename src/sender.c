/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto.h"
#include "log.h"
#include "signature.h"
#include "when.h"

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

int sender_random(void *bytes, size_t len)
{
    unsigned char *at = bytes;

    while (len > 0) {
        const ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno != EINTR) {
            log_error("cannot get random bytes: %s", strerror(errno));
            return -1;
        }
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int sender_id(char id[SENDER_ID])
{
    size_t at = strlen("msg_");
    unsigned char pool[64];

    memcpy(id, "msg_", at);
    while (at < SENDER_ID - 1) {
        if (sender_random(pool, sizeof(pool)) < 0)
            return -1;
        for (size_t i = 0; i < sizeof(pool) && at < SENDER_ID - 1; i++) {
            if (pool[i] < 4 * 62) /* above, some characters would be likelier */
                id[at++] = base62[pool[i] % 62];
        }
    }
    id[at] = '\0';
    return 0;
}

bool sender_time(const char *text, int64_t now, int64_t *seconds)
{
    const size_t len = strlen(text);

    if (len > 0 && len <= DELIVERY_TIMESTAMP_MAX && strspn(text, "0123456789") == len)
        *seconds = strtoll(text, NULL, 10);
    else if (!when_parse(text, now, seconds))
        return false;
    return *seconds > 0 && *seconds < INT64_C(1000000000000);
}

const struct secret *sender_secret(const struct secrets *secrets, int64_t now)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (secrets->list[i].expires == 0 || now < secrets->list[i].expires)
            return &secrets->list[i];
    }
    return NULL;
}

int sender_sign(struct sender_headers *headers, const char *family,
                const struct signature_key *key, const char *id, int64_t time, const void *body,
                size_t len)
{
    char timestamp[24], made[SIGNATURE_TEXT + 1];

    (void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, time);
    if (signature_make(key, id, timestamp, body, len, made) < 0) {
        log_error("cannot sign: %s", strerror(errno));
        return -1;
    }
    (void)snprintf(headers->line[0], SENDER_LINE, "%s-id: %s", family, id);
    (void)snprintf(headers->line[1], SENDER_LINE, "%s-timestamp: %s", family, timestamp);
    (void)snprintf(headers->line[2], SENDER_LINE, "%s-signature: v1,%s", family, made);
    crypto_wipe(made, sizeof(made));
    return 0;
}
