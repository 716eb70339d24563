/* SPDX-License-Identifier: ISC */
/*
 * digests: the digests that a signature header holds, however it is written,
 * and what is wrong with the writing of each: for whoever wants to tell why a
 * signature was refused. What is accepted is signature.h's and no wider for it.
 *
 * Pure; any thread.
 */
#ifndef HOOKSPOOL_DIGESTS_H
#define HOOKSPOOL_DIGESTS_H

#include <stddef.h>

#include "crypto.h"

enum { DIGESTS_MAX = 32, DIGESTS_TEXT = 128 };

struct digest {
    unsigned char bytes[CRYPTO_HASH];
    const char *fault; /* completes "the signature is right, but "; NULL: `v1,` and base64 */
};

/* Those in a list of len bytes, in its order; at most DIGESTS_MAX. */
size_t digests_find(struct digest digests[DIGESTS_MAX], const char *list, size_t len);

/* What a list is like that holds none: "v1, is followed by 20 characters instead of 44". */
const char *digests_missing(const char *list, size_t len, char text[DIGESTS_TEXT]);

#endif
