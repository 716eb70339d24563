/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "signature.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "crypto.h"

enum { KEY_TEXT = (SIGNATURE_KEY_MAX + 2) / 3 * 4 };

static const char asymmetric[] =
    "is asymmetric (whsk_, whpk_); only whsec_ secrets are supported";

/* A piece of the secret's text that is still to be read. */
struct span {
    const char *text;
    size_t len;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(struct span *s)
{
    while (s->len > 0 && is_space(s->text[0])) {
        s->text++;
        s->len--;
    }
    while (s->len > 0 && is_space(s->text[s->len - 1]))
        s->len--;
}

static bool begins(const struct span *s, const char *prefix)
{
    return s->len >= strlen(prefix) && strncasecmp(s->text, prefix, strlen(prefix)) == 0;
}

static bool skip(struct span *s, const char *prefix)
{
    size_t len = strlen(prefix);

    if (s->len < len || memcmp(s->text, prefix, len) != 0)
        return false;
    s->text += len;
    s->len -= len;
    return true;
}

/* Leaves the base64 in s. No prefix is mistaken for a key: base64 has neither `_` nor `,`. */
static const char *strip_prefix(struct span *s)
{
    bool versioned = skip(s, "v1,"); /* Supabase shows v1,whsec_... */
    bool prefixed = skip(s, "whsec_");

    if (begins(s, "whsk_") || begins(s, "whpk_") || begins(s, "v1a,"))
        return asymmetric;
    if (begins(s, "whsec_"))
        return prefixed ? "has the prefix whsec_ twice" : "has a prefix that is not lower case";
    if (versioned && !prefixed)
        return "begins with v1, but not with v1,whsec_ (a signature, not a secret?)";
    return NULL;
}

/* Everything that can be said about the text, so that a mistyped secret is told its own fault. */
static const char *check_base64(const struct span *s, size_t *digits)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = s->len;

    while (n > 0 && s->text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        char c = s->text[i];

        if (is_space(c))
            return "holds white space";
        if (c == '-' || c == '_')
            return "is in the url-safe alphabet of base64 (- and _ for + and /)";
        if (memchr(alphabet, c, sizeof(alphabet) - 1) == NULL)
            return "holds a character outside base64";
    }
    if (n == 0)
        return "is empty";
    if (n % 4 == 1)
        return "is not valid base64: a character is missing or too many";
    if (s->len != n && s->len != (n + 3) / 4 * 4)
        return "has the wrong number of = at its end";
    *digits = n;
    return NULL;
}

static const char *decode(struct signature_key *key, const char *text, size_t digits)
{
    char padded[KEY_TEXT];
    ssize_t len;

    if (digits * 6 / 8 < SIGNATURE_KEY_MIN)
        return "is shorter than 16 bytes";
    if (digits * 6 / 8 > SIGNATURE_KEY_MAX)
        return "is longer than 128 bytes";
    memset(padded, '=', sizeof(padded));
    memcpy(padded, text, digits);
    len = crypto_base64_decode(key->bytes, sizeof(key->bytes), padded, (digits + 3) / 4 * 4);
    crypto_wipe(padded, sizeof(padded));
    if (len < 0) /* the only fault that is left: bits that decoding would drop */
        return "is not canonical base64: its last character cannot stand there";
    key->len = (size_t)len;
    return NULL;
}

int signature_key_parse(struct signature_key *key, const char *text, size_t len, const char **why)
{
    struct span s = {text, len};
    size_t digits = 0;

    memset(key, 0, sizeof(*key));
    trim(&s);
    *why = strip_prefix(&s);
    if (*why == NULL)
        *why = check_base64(&s, &digits);
    if (*why == NULL)
        *why = decode(key, s.text, digits);
    if (*why == NULL)
        return 0;
    signature_key_wipe(key);
    return -1;
}

static struct iovec part(const void *bytes, size_t len)
{
    return (struct iovec){(void *)bytes, len};
}

int signature_make(const struct signature_key *key, const char *id, const char *timestamp,
                   const void *body, size_t len, char out[SIGNATURE_TEXT + 1])
{
    const struct iovec content[] = {part(id, strlen(id)), part(".", 1),
                                    part(timestamp, strlen(timestamp)), part(".", 1),
                                    part(body, len)};
    unsigned char sum[CRYPTO_HASH];
    int rc;

    out[0] = '\0';
    if (key->len == 0) {
        errno = EINVAL;
        return -1;
    }
    rc = crypto_hmac(sum, key->bytes, key->len, content, sizeof(content) / sizeof(content[0]));
    if (rc == 0) {
        crypto_base64_encode(out, sum, sizeof(sum));
        out[SIGNATURE_TEXT] = '\0';
    }
    crypto_wipe(sum, sizeof(sum));
    return rc;
}

/* volatile keeps the compiler from leaving the loop at the first difference. */
static unsigned same_text(const char *a, const char *b)
{
    volatile unsigned char diff = 0;

    for (size_t i = 0; i < SIGNATURE_TEXT; i++)
        diff = (unsigned char)(diff | (a[i] ^ b[i]));
    return diff == 0;
}

bool signature_listed(const char made[SIGNATURE_TEXT], const char *list, size_t list_len)
{
    static const char version[] = {'v', '1', ','};
    unsigned found = 0;

    for (size_t at = 0, len; at < list_len; at += len + 1) {
        const char *token = list + at;
        const char *blank = memchr(token, ' ', list_len - at);

        len = blank != NULL ? (size_t)(blank - token) : list_len - at;
        if (len == sizeof(version) + SIGNATURE_TEXT && memcmp(token, version, sizeof(version)) == 0)
            found |= same_text(made, token + sizeof(version));
    }
    return found != 0;
}

uint64_t signature_key_fingerprint(const struct signature_key *key)
{
    /* Without a dot, so it is no message that the key could be asked to sign. */
    static const char label[] = "hookspool key fingerprint";
    const struct iovec content[] = {part(label, sizeof(label) - 1)};
    unsigned char sum[CRYPTO_HASH];
    uint64_t print = 0;

    if (crypto_hmac(sum, key->bytes, key->len, content, 1) != 0)
        return 0;
    for (size_t i = 0; i < sizeof(print); i++)
        print = print << 8 | sum[i];
    crypto_wipe(sum, sizeof(sum));
    return print != 0 ? print : 1;
}

void signature_key_wipe(struct signature_key *key)
{
    crypto_wipe(key, sizeof(*key));
}
