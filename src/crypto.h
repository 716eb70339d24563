/* SPDX-License-Identifier: ISC */
/*
 * crypto: HMAC-SHA-256, SHA-256 and base64, by mbedTLS (2.28 and 3.x).
 *
 * The only file that knows mbedTLS. Pure: no state, no I/O, any thread.
 * Base64 is RFC 4648 section 4: standard alphabet, padded, no white space.
 */
#ifndef HOOKSPOOL_CRYPTO_H
#define HOOKSPOOL_CRYPTO_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { CRYPTO_HASH = 32 };

/* HMAC-SHA-256 over the concatenated parts: 0, or -1 with errno ENOMEM. */
int crypto_hmac(unsigned char out[CRYPTO_HASH], const void *key, size_t key_len,
                const struct iovec *parts, int count);

/* Length of the text for n bytes, without a terminating NUL. */
size_t crypto_base64_length(size_t n);

/* Writes exactly crypto_base64_length(len) characters, no NUL. */
void crypto_base64_encode(char *out, const void *bytes, size_t len);

/*
 * Decodes strict, padded base64 of text_len characters into out, which has
 * room for cap bytes: the number of bytes, or -1 (EINVAL for text that is
 * not canonical base64, ENOSPC when it does not fit).
 */
ssize_t crypto_base64_decode(void *out, size_t cap, const char *text, size_t text_len);

/* Clears memory in a way that the compiler does not remove. */
void crypto_wipe(void *memory, size_t len);

#endif
