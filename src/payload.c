/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "payload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonc.h"
#include "log.h"
#include "sender.h"
#include "when.h"

static const char filler[] = "Could you say that again, please? ";

enum { UUID = sizeof("069652c8-d01e-733e-8000-7c64a16dde5f") };

/* RFC 9562, version 4. */
static int make_uuid(char text[UUID])
{
    unsigned char b[16];

    if (sender_random(b, sizeof(b)) < 0)
        return -1;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(text, UUID,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
    return 0;
}

/* The body up to the end of what was said, and the rest of it. */
static int write_parts(char **head, char **tail, const char *type, const char *stamp,
                       const char *uuid)
{
    if (asprintf(head,
                 "{\"type\":%s,\"timestamp\":\"%s\",\"data\":{\"providerCallId\":\"%s\","
                 "\"numberFrom\":\"+12025550143\",\"numberTo\":\"+12025550178\","
                 "\"providerStatus\":\"pass\",\"deliveryStatus\":\"pass\",\"duration\":53,"
                 "\"summary\":null,\"endedReason\":null,\"callOutput\":\"CALL_RESULT\","
                 "\"sentimentOutput\":\"NEUTRAL\",\"transcription\":\"This is a test. ",
                 type, stamp, uuid) < 0)
        *head = NULL;
    if (asprintf(tail, "\",\"metadata\":{\"requestMetadata\":{\"test\":true,"
                       "\"sent_by\":\"hookspool send\"}}}}") < 0)
        *tail = NULL;
    return *head == NULL || *tail == NULL ? -1 : 0;
}

/* The two parts with as much said between them as is wanted. */
static char *join(const char *head, const char *tail, size_t least, size_t *len)
{
    const size_t head_len = strlen(head), tail_len = strlen(tail);
    const size_t bare = head_len + tail_len, more = least > bare ? least - bare : 0;
    char *body = malloc(bare + more + 1);

    if (body == NULL)
        return NULL;
    memcpy(body, head, head_len);
    for (size_t i = 0; i < more; i++)
        body[head_len + i] = filler[i % (sizeof(filler) - 1)];
    memcpy(body + head_len + more, tail, tail_len + 1);
    *len = bare + more;
    return body;
}

char *payload_make(const char *type, int64_t now, size_t least, size_t *len)
{
    char uuid[UUID], stamp[WHEN_SIZE];
    char *quoted, *head = NULL, *tail = NULL, *body = NULL;

    if (make_uuid(uuid) < 0)
        return NULL;
    (void)when_stamp(stamp, now);
    quoted = jsonc_quote(type, strlen(type));
    if (quoted != NULL && write_parts(&head, &tail, quoted, stamp, uuid) == 0)
        body = join(head, tail, least, len);
    if (body == NULL)
        log_error("cannot make a body: %s", strerror(ENOMEM));
    free(quoted);
    free(head);
    free(tail);
    return body;
}
