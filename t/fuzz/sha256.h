/* SPDX-License-Identifier: ISC */
/* SHA-256 and HMAC by the letter of FIPS 180-4 and RFC 2104, to hold the library's against. */
#ifndef SHA256_H
#define SHA256_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline uint32_t sha256_turn(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

/* The first 32 bits of the fractional part of a root of the prime. */
static inline uint32_t sha256_root(unsigned prime, int cube)
{
    long double low = 0, high = 64;

    for (int i = 0; i < 160; i++) {
        const long double middle = (low + high) / 2;
        if ((cube ? middle * middle * middle : middle * middle) <= prime)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)((low - (long double)(uint64_t)low) * 4294967296.0L);
}

static inline void sha256_block(uint32_t h[8], const uint32_t k[64], const unsigned char *block)
{
    uint32_t w[64], a[8];

    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16
             | (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        const uint32_t s0 = sha256_turn(w[t - 15], 7) ^ sha256_turn(w[t - 15], 18) ^ w[t - 15] >> 3;
        const uint32_t s1 = sha256_turn(w[t - 2], 17) ^ sha256_turn(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    memcpy(a, h, sizeof(a));
    for (int t = 0; t < 64; t++) {
        const uint32_t s1 = sha256_turn(a[4], 6) ^ sha256_turn(a[4], 11) ^ sha256_turn(a[4], 25);
        const uint32_t t1 = a[7] + s1 + ((a[4] & a[5]) ^ (~a[4] & a[6])) + k[t] + w[t];
        const uint32_t s0 = sha256_turn(a[0], 2) ^ sha256_turn(a[0], 13) ^ sha256_turn(a[0], 22);
        const uint32_t t2 = s0 + ((a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]));
        memmove(a + 1, a, 7 * sizeof(a[0]));
        a[4] += t1;
        a[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += a[i];
}

static inline void sha256(unsigned char out[32], const void *message, size_t len)
{
    static uint32_t first[8], k[64];
    const size_t padded = (len + 9 + 63) / 64 * 64;
    unsigned char *text = calloc(1, padded);
    uint32_t h[8];

    if (text == NULL)
        abort();
    for (unsigned prime = 2, found = 0; k[63] == 0; prime++) {
        unsigned d = 2;
        while (prime % d != 0)
            d++;
        if (d < prime)
            continue;
        if (found < 8)
            first[found] = sha256_root(prime, 0);
        k[found++] = sha256_root(prime, 1);
    }
    memcpy(text, message, len);
    text[len] = 0x80;
    for (int i = 0; i < 8; i++)
        text[padded - 1 - (size_t)i] = (unsigned char)((uint64_t)len * 8 >> (8 * i));
    memcpy(h, first, sizeof(h));
    for (size_t at = 0; at < padded; at += 64)
        sha256_block(h, k, text + at);
    for (int i = 0; i < 32; i++)
        out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
    free(text);
}

static inline void sha256_hmac(unsigned char out[32], const unsigned char *key, size_t key_len,
                               const void *message, size_t len)
{
    unsigned char block[64] = {0};
    unsigned char *text = malloc(64 + (len < 32 ? 32 : len));

    if (text == NULL)
        abort();
    if (key_len > 64)
        sha256(block, key, key_len);
    else
        memcpy(block, key, key_len);
    for (int i = 0; i < 64; i++)
        text[i] = block[i] ^ 0x36;
    memcpy(text + 64, message, len);
    sha256(out, text, 64 + len);
    for (int i = 0; i < 64; i++)
        text[i] = block[i] ^ 0x5c;
    memcpy(text + 64, out, 32);
    sha256(out, text, 96);
    free(text);
}

#endif
