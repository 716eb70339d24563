/* SPDX-License-Identifier: ISC */
/*
 * Headers and signature lists, as delivery.h and secret.h take them: what they accept is held
 * against an implementation of its own. Parts of the input: key, id, timestamp, body, list; then
 * more variables of the environment. In the list \x01 stands for the right signature, \x02 for one
 * with a character changed, \x03 for that of another key.
 */
#include "fuzz.h"
#include "sha256.h"

#include "crypto.h"
#include "delivery.h"
#include "secret.h"

enum { NOW = 1790000000, TOLERANCE = 300, LIST = 8192, EXTRA = 16, DIGITS = 44 };

static void sign(char out[DIGITS + 1], const char *key, size_t key_len, const char *id,
                 const char *timestamp, const char *body, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t head = strlen(id) + strlen(timestamp) + 2;
    unsigned char hash[33] = {0};
    char *text = malloc(head + len + 1);

    if (text == NULL)
        abort();
    (void)sprintf(text, "%s.%s.", id, timestamp);
    memcpy(text + head, body, len);
    sha256_hmac(hash, (const unsigned char *)key, key_len, text, head + len);
    free(text);
    for (int i = 0; i < DIGITS; i++) {
        const int bit = i * 6;
        const unsigned pair = (unsigned)hash[bit / 8] << 8 | (bit / 8 < 32 ? hash[bit / 8 + 1] : 0);
        out[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    out[DIGITS - 1] = '=';
    out[DIGITS] = '\0';
}

/* Is there a token "v1," and the right characters, between single blanks? */
static bool lists(const char *list, const char *right)
{
    char want[4 + DIGITS];
    bool found = false;

    (void)snprintf(want, sizeof(want), "v1,%s", right);
    while (list != NULL) {
        const char *blank = strchr(list, ' ');
        const size_t len = blank == NULL ? strlen(list) : (size_t)(blank - list);
        found |= len == strlen(want) && memcmp(list, want, len) == 0;
        list = blank == NULL ? NULL : blank + 1;
    }
    return found;
}

static bool matches(const char *text, const char *first, const char *rest, size_t least,
                    size_t most)
{
    const size_t len = strlen(text);

    return len >= least && len <= most && strchr(first, text[0]) != NULL
        && strspn(text, rest) == len;
}

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static unsigned count(char *const *env, const char *name)
{
    unsigned found = 0;

    for (; *env != NULL; env++)
        found += strncmp(*env, name, strlen(name)) == 0 && (*env)[strlen(name)] == '=';
    return found;
}

static char *expand(const char *template, const char *right, const char *other)
{
    char *list = malloc(LIST);
    size_t len = 0;

    if (list == NULL)
        abort();
    for (; *template != '\0' && len + DIGITS + 1 < LIST; template++) {
        if (*template > 3) {
            list[len++] = *template;
            continue;
        }
        memcpy(list + len, *template == 3 ? other : right, DIGITS);
        if (*template == 2)
            list[len + (size_t)(template[1] & 31)] ^= 1;
        len += DIGITS;
    }
    list[len] = '\0';
    return list;
}

static char *variable(const char *name, const char *value)
{
    char *text;

    if (asprintf(&text, "%s=%s", name, value) < 0)
        abort();
    return text;
}

static void judge(char *const *env, const char *id, const char *timestamp, const char *list,
                  const struct secrets *secrets, const char *key, const char *body, size_t len)
{
    struct delivery delivery;
    char right[DIGITS + 1];
    int error;

    const char *refused = delivery_parse(&delivery, env, NOW, TOLERANCE);
    const bool whole = count(env, "HTTP_SVIX_ID") == 1 && count(env, "HTTP_SVIX_TIMESTAMP") == 1
                    && count(env, "HTTP_SVIX_SIGNATURE") == 1;
    const bool once = count(env, "HTTP_WEBHOOK_ID") <= 1
                   && count(env, "HTTP_WEBHOOK_TIMESTAMP") <= 1
                   && count(env, "HTTP_WEBHOOK_SIGNATURE") <= 1; /* else: "repeated header" */
    const bool fine = matches(id, WORD, WORD "-", 1, DELIVERY_ID_MAX)
                   && matches(timestamp, "123456789", "0123456789", 1, 12)
                   && llabs(strtoll(timestamp, NULL, 10) - NOW) <= TOLERANCE;
    if (whole && once && fine && list[strspn(list, " \t")] != '\0')
        FUZZ_CHECK((errno = 0, refused == NULL) || (dprintf(fuzz_out(), "%s\n", refused), false));
    if (refused != NULL)
        return;
    FUZZ_CHECK(matches(delivery.id, WORD, WORD "-", 1, DELIVERY_ID_MAX));
    FUZZ_CHECK(matches(delivery.timestamp, "123456789", "0123456789", 1, 12));
    FUZZ_CHECK(llabs(delivery.when - NOW) <= TOLERANCE);
    FUZZ_CHECK(delivery.when == strtoll(delivery.timestamp, NULL, 10));

    char *taken = strndup(delivery.signatures, delivery.signatures_len);
    const struct secret *secret =
        secrets_verify(secrets, NOW, delivery.id, delivery.timestamp, body, len,
                       delivery.signatures, delivery.signatures_len, &error);
    sign(right, key, secrets->list[0].key.len, delivery.id, delivery.timestamp, body, len);
    FUZZ_CHECK(error == 0 && (secret != NULL) == lists(taken, right));
    free(taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *part[5] = {"", "", "", "", ""};
    size_t len[5] = {0};
    char *env[3 + EXTRA + 1];
    size_t used = 3;
    char key[SIGNATURE_KEY_MAX], right[DIGITS + 1], other[DIGITS + 1];

    for (int i = 0; i < 5 && fuzz_part(&data, &size, &part[i], &len[i]); i++)
        continue;
    memset(key, 'k', sizeof(key));
    const size_t key_len = len[0] < 16 ? 16 : len[0] < sizeof(key) ? len[0] : sizeof(key);
    memcpy(key, part[0], len[0] < key_len ? len[0] : key_len);
    char *id = fuzz_string(part[1], len[1]);
    char *timestamp = fuzz_string(part[2], len[2]);
    char *template = fuzz_string(part[4], len[4]);
    sign(right, key, key_len, id, timestamp, part[3], len[3]);
    sign(other, "another secret of 16", 20, id, timestamp, part[3], len[3]);
    char *list = expand(template, right, other);

    env[0] = variable("HTTP_SVIX_ID", id);
    env[1] = variable("HTTP_SVIX_TIMESTAMP", timestamp);
    env[2] = variable("HTTP_SVIX_SIGNATURE", list);
    const char *more;
    size_t more_len;
    while (used < 3 + EXTRA && fuzz_part(&data, &size, &more, &more_len))
        env[used++] = fuzz_string(more, more_len);
    env[used] = NULL;

    struct secret secret = {.key.len = key_len, .line = 1, .fingerprint = 1};
    memcpy(secret.key.bytes, key, key_len);
    const struct secrets secrets = {.list = &secret, .count = 1};
    judge(env, id, timestamp, list, &secrets, key, part[3], len[3]);
    for (size_t i = 0; i < used; i++)
        free(env[i]);
    free(list);
    free(template);
    free(timestamp);
    free(id);
    return 0;
}
