/* SPDX-License-Identifier: ISC */
/*
 * rotation: the text of a secret file with a new secret before the old ones,
 * which are given a time to expire. Comments, line ends, a byte order mark and
 * the order of the old secrets stay.
 *
 * Pure: no file, no clock; any thread. Texts hold secrets: who frees one wipes
 * it first. Times are Unix seconds.
 */
#ifndef HOOKSPOOL_ROTATION_H
#define HOOKSPOOL_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secret.h"

/* "whsec_", base64 and a NUL, for the largest key. */
enum { ROTATION_SECRET = sizeof("whsec_") + (SIGNATURE_KEY_MAX + 2) / 3 * 4 };

/* Old secrets stay for so long after they expired, so that `verify` can recognise them. */
enum { ROTATION_REMEMBER = 30 * 24 * 60 * 60 };

struct rotation {
    const struct signature_key *key; /* the new secret */
    int64_t now;
    int64_t expires; /* of the old ones, unless theirs is sooner; 0: as it is */
    /* What rotation_rewrite() did: */
    unsigned line;    /* of the new secret */
    unsigned kept;    /* old ones that still hold */
    unsigned dropped; /* left out: they expired more than ROTATION_REMEMBER ago */
};

/* How a key is written. */
void rotation_secret(const struct signature_key *key, char text[ROTATION_SECRET]);

/* secrets are those of the text. NULL: ENOMEM. The caller frees. */
char *rotation_rewrite(struct rotation *rotation, const struct secrets *secrets, const char *text,
                       size_t len, size_t *new_len);

#endif
