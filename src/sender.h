/* SPDX-License-Identifier: ISC */
/*
 * sender: what the other side does, so that `sign` and `send` need no account
 * with it: fresh ids, times, and the three headers for a body.
 *
 * Pure but for getrandom(2); any thread. Whoever holds a struct sender_headers
 * holds a valid signature and wipes it.
 */
#ifndef HOOKSPOOL_SENDER_H
#define HOOKSPOOL_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery.h"
#include "secret.h"

enum { SENDER_HEADERS = 3, SENDER_LINE = 256, SENDER_ID = sizeof("msg_") + 27 };

/* "svix-id: msg_2Kx…" and the like, without line ends. */
struct sender_headers {
    char line[SENDER_HEADERS][SENDER_LINE];
};

/* All of it from getrandom(2): 0, or -1 after a message. */
int sender_random(void *bytes, size_t len);

/* "msg_" and 27 characters of base62, as Svix makes them: 0, or -1 after a message. */
int sender_id(char id[SENDER_ID]);

/* The rule of sender_time() in words. */
#define SENDER_TIMES "1790000000, 2026-11-23T09:33:00Z, or how long ago: 90s, 2h, 3d"


/*
 * A timestamp as the header has it (Unix seconds), or what when_parse() takes. False: it is
 * neither, or the header cannot hold it.
 */
bool sender_time(const char *text, int64_t now, int64_t *seconds);

/* The secret that a sender would use: the first that has not expired; NULL: all have. */
const struct secret *sender_secret(const struct secrets *secrets, int64_t now);

/* Signs. family is "svix" or "webhook". 0, or -1 after a message. */
int sender_sign(struct sender_headers *headers, const char *family,
                const struct signature_key *key, const char *id, int64_t time, const void *body,
                size_t len);

#endif
