/* SPDX-License-Identifier: ISC */
/*
 * Signatures of Svix and Standard Webhooks: base64(HMAC-SHA256(key, id "." timestamp "." body)).
 *
 * Pure: no clock, no file, no global state, so any number of threads may call it.
 * A key is a plain value. Whoever holds one wipes it; what this module copies it wipes itself.
 * Keys are decoded strictly, because a lenient decoder turns a mistyped secret into a wrong or
 * an empty key, and an empty key accepts forgeries. Signatures are compared as text for the same
 * reason: 44 characters have one spelling, decoded bytes have many.
 * Failures return -1; signature_key_parse() says why, signature_make() sets errno.
 * Source: standardwebhooks.com, "Signature scheme"; docs.svix.com, "Verifying webhooks manually".
 */
#ifndef HOOKSPOOL_SIGNATURE_H
#define HOOKSPOOL_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SIGNATURE_KEY_MIN = 16,  /* bytes; below, a key can be guessed */
    SIGNATURE_KEY_MAX = 128, /* bytes; senders use 24 to 64 */
    SIGNATURE_TEXT = 44      /* characters of base64 for 32 bytes */
};

struct signature_key {
    unsigned char bytes[SIGNATURE_KEY_MAX];
    size_t len;
};

/*
 * Decodes a secret as the sender shows it: base64, with or without padding, with or without the
 * prefix `whsec_` or `v1,whsec_`, white space around it trimmed. Returns 0, or -1 with an empty
 * key and *why a constant that completes "secret ...", such as "is shorter than 16 bytes".
 */
int signature_key_parse(struct signature_key *key, const char *text, size_t len, const char **why);

/*
 * Writes the signature and a NUL to out. The id must hold no dot and the timestamp only digits,
 * or the same bytes could be cut another way (delivery.h checks both). Returns 0, or -1 with an
 * empty out and errno: EINVAL for an empty key, or ENOMEM.
 * What it makes for a stranger's message is a valid signature of it: wipe it when it is compared.
 */
int signature_make(const struct signature_key *key, const char *id, const char *timestamp,
                   const void *body, size_t len, char out[SIGNATURE_TEXT + 1]);

/*
 * Whether the sender's list holds `v1,` and exactly the 44 characters made. Tokens end at single
 * blanks and nothing else; empty ones and other versions are skipped. Takes the same time
 * wherever a difference is, and always looks at the whole list.
 */
bool signature_listed(const char made[SIGNATURE_TEXT], const char *list, size_t list_len);

/* Names a key in statistics without giving it away; never 0, except out of memory. */
uint64_t signature_key_fingerprint(const struct signature_key *key);

void signature_key_wipe(struct signature_key *key);

#endif
