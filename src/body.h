/* SPDX-License-Identifier: ISC */
/*
 * body: the body of a recorded event: as it stands in the line, and the exact
 * bytes that were signed.
 *
 * Pure; any thread. What it points to is the line's.
 */
#ifndef HOOKSPOOL_BODY_H
#define HOOKSPOOL_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

struct body {
    const char *json; /* strict JSON on one line; NULL: the body is none */
    size_t json_len;
    const char *base64; /* of the exact bytes; NULL: they are those of json */
    size_t base64_len;
    size_t len; /* of the exact bytes */
};

/* The body of a line that proves itself, whose view it is; false: the line has none. */
bool body_find(struct body *body, const char *line, size_t len, const struct record_view *view);

/* The exact bytes, malloc()ed, body->len of them. NULL with errno: ENOMEM, or EINVAL. */
char *body_bytes(const struct body *body);

#endif
