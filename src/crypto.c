/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "crypto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

int crypto_hmac(unsigned char out[CRYPTO_HASH], const void *key, size_t key_len,
                const struct iovec *parts, int count)
{
    mbedtls_md_context_t context;
    int failed;

    mbedtls_md_init(&context);
    failed = mbedtls_md_setup(&context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
    if (failed == 0)
        failed = mbedtls_md_hmac_starts(&context, key, key_len);
    for (int i = 0; i < count && failed == 0; i++)
        failed = mbedtls_md_hmac_update(&context, parts[i].iov_base, parts[i].iov_len);
    if (failed == 0)
        failed = mbedtls_md_hmac_finish(&context, out);
    mbedtls_md_free(&context); /* wipes the key's state */
    if (failed == 0)
        return 0;
    errno = ENOMEM; /* the only failure that SHA-256 in software has */
    return -1;
}

size_t crypto_base64_length(size_t n)
{
    return (n + 2) / 3 * 4;
}

void crypto_base64_encode(char *out, const void *bytes, size_t len)
{
    /*
     * mbedTLS wants room for its NUL as well; groups of 48 bytes go through a
     * small buffer, so that out need not have that room.
     */
    const unsigned char *from = bytes;
    unsigned char group[65];
    size_t written;

    while (len > 0) {
        const size_t n = len < 48 ? len : 48;
        (void)mbedtls_base64_encode(group, sizeof(group), &written, from, n);
        memcpy(out, group, written);
        out += written;
        from += n;
        len -= n;
    }
    mbedtls_platform_zeroize(group, sizeof(group));
}

/* mbedTLS skips white space and line ends: refused before it sees them. */
static bool only_alphabet(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool pad = c == '=' && i + 2 >= len;
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
              || c == '+' || c == '/' || pad))
            return false;
    }
    return true;
}

ssize_t crypto_base64_decode(void *out, size_t cap, const char *text, size_t text_len)
{
    size_t written = 0;
    char last[4];

    if (text_len % 4 != 0 || !only_alphabet(text, text_len)) {
        errno = EINVAL;
        return -1;
    }
    if (text_len == 0)
        return 0;
    const int failed =
        mbedtls_base64_decode(out, cap, &written, (const unsigned char *)text, text_len);
    if (failed != 0) {
        errno = failed == MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL ? ENOSPC : EINVAL;
        return -1;
    }
    /* Unused bits of the last character must be 0: one text for one value. */
    const size_t rest = written % 3 == 0 ? 3 : written % 3;
    crypto_base64_encode(last, (unsigned char *)out + written - rest, rest);
    const bool canonical = memcmp(last, text + text_len - 4, 4) == 0;
    mbedtls_platform_zeroize(last, sizeof(last));
    if (!canonical) {
        errno = EINVAL;
        return -1;
    }
    return (ssize_t)written;
}

void crypto_wipe(void *memory, size_t len)
{
    mbedtls_platform_zeroize(memory, len);
}
