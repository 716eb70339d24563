/* SPDX-License-Identifier: ISC */
/* HMAC-SHA-256 by the vectors of RFC 4231, base64 by those of RFC 4648, and what is no base64. */
#include "autoconf.h"

#include "crypto.h"

#include <errno.h>

#include "tap.h"

/* RFC 4231, section 4; test case 5 shows a truncated result, and counts as far as it goes. */
static const struct {
    const char *key;
    size_t key_len, key_repeat; /* key_repeat: the first character so many times */
    const char *data;
    size_t data_repeat;
    size_t shown;
    const char *result;
} vectors[] = {
    {"\x0b", 0, 20, "Hi There", 0, 32,
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"Jefe", 4, 0, "what do ya want for nothing?", 0, 32,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"\xaa", 0, 20, "\xdd", 50, 32,
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
     "\x17\x18\x19", 25, 0, "\xcd", 50, 32,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"\x0c", 0, 20, "Test With Truncation", 0, 16, "a3b6167473100ee06e0c796c2955552b"},
    {"\xaa", 0, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0, 32,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"\xaa", 0, 131,
     "This is a test using a larger than block-size key and a larger than block-size data. "
     "The key needs to be hashed before being used by the HMAC algorithm.", 0, 32,
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static void hex(char *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out += snprintf(out, 3, "%02x", bytes[i]);
}

/* Is the result the same wherever the data is cut in two, and with empty parts between? */
static bool same_in_parts(const void *key, size_t key_len, const char *data, size_t len,
                          const unsigned char want[CRYPTO_HASH])
{
    for (size_t cut = 0; cut <= len; cut++) {
        const struct iovec parts[] = {{(char *)data, cut},
                                      {NULL, 0},
                                      {(char *)data + cut, len - cut},
                                      {(char *)data, 0}};
        unsigned char made[CRYPTO_HASH];
        if (crypto_hmac(made, key, key_len, parts, 4) != 0
            || memcmp(made, want, CRYPTO_HASH) != 0)
            return false;
    }
    return true;
}

static void rfc4231(void)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char key[200], data[200], text[2 * CRYPTO_HASH + 1];
        unsigned char made[CRYPTO_HASH];
        const size_t repeat = vectors[i].key_repeat;
        const size_t key_len = repeat > 0 ? repeat : vectors[i].key_len;
        const size_t len = vectors[i].data_repeat > 0 ? vectors[i].data_repeat
                                                      : strlen(vectors[i].data);

        memcpy(key, vectors[i].key, vectors[i].key_len);
        memset(key, vectors[i].key[0], repeat > 0 ? repeat : 1);
        memset(data, vectors[i].data[0], len);
        if (vectors[i].data_repeat == 0)
            memcpy(data, vectors[i].data, len);

        const struct iovec whole = {.iov_base = data, .iov_len = len};
        is_int(crypto_hmac(made, key, key_len, &whole, 1), 0, "RFC 4231 case %zu: made", i + 1);
        hex(text, made, vectors[i].shown);
        is_str(text, vectors[i].result, "RFC 4231 case %zu: right", i + 1);
        ok(same_in_parts(key, key_len, data, len, made), "RFC 4231 case %zu: in parts", i + 1);
    }
}

static void empty_hmac(void)
{
    unsigned char made[CRYPTO_HASH];
    char text[2 * CRYPTO_HASH + 1];

    is_int(crypto_hmac(made, "", 0, NULL, 0), 0, "no key and no parts");
    hex(text, made, CRYPTO_HASH);
    is_str(text, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
           "have the known answer");
}

static void rfc4648(void)
{
    static const struct {
        const char *bytes, *text;
    } table[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const size_t len = strlen(table[i].bytes);
        const size_t text_len = strlen(table[i].text);
        char text[16], bytes[16];

        is_int(crypto_base64_length(len), text_len, "RFC 4648, %zu bytes: length", len);
        crypto_base64_encode(text, table[i].bytes, len);
        is_mem(text, text_len, table[i].text, text_len, "RFC 4648, %zu bytes: text", len);
        is_int(crypto_base64_decode(bytes, sizeof(bytes), table[i].text, text_len), len,
               "RFC 4648, '%s': decoded", table[i].text);
        is_mem(bytes, len, table[i].bytes, len, "RFC 4648, '%s': bytes", table[i].text);
    }
}

/* There and back for one length: nothing is written behind what was asked for. */
static bool there_and_back(size_t len)
{
    const size_t text_len = crypto_base64_length(len);
    unsigned char *bytes = malloc(len + 1);
    unsigned char *back = malloc(len + 1);
    char *text = malloc(text_len + 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(i * 151 + len);
    text[text_len] = '#';
    crypto_base64_encode(text, bytes, len);
    back[len] = 0x5a;
    errno = 0;
    const bool small = len == 0
        || (crypto_base64_decode(back, len - 1, text, text_len) == -1 && errno == ENOSPC);
    const bool fits = crypto_base64_decode(back, len, text, text_len) == (ssize_t)len
        && memcmp(back, bytes, len) == 0;
    const bool untouched = text[text_len] == '#' && back[len] == 0x5a;

    free(bytes);
    free(back);
    free(text);
    return small && fits && untouched;
}

static void lengths(void)
{
    int wrong = 0;

    for (size_t len = 0; len <= 300; len++)
        wrong += !there_and_back(len);
    is_int(wrong, 0, "0 to 300 bytes: there and back, in the room they need and no less");
    ok(there_and_back(1 << 20), "1 MiB");
    ok(there_and_back((1 << 20) + 1), "1 MiB and a byte");
}

static void refused(void)
{
    static const struct {
        const char *what, *text;
    } table[] = {
        {"one character", "Z"},
        {"two characters", "Zg"},
        {"three characters", "Zg="},
        {"five characters", "Zm9vY"},
        {"no padding", "Zm9vYg"},
        {"too much padding", "Zg==="},
        {"padding of four", "===="},
        {"padding of three", "Z==="},
        {"padding behind a whole group", "Zm9v===="},
        {"padding before", "=Zg="},
        {"padding within a group", "Z=g="},
        {"padding, then a character", "Zm=v"},
        {"padding within the text", "Zg==Zm9v"},
        {"two texts", "Zm8=Zm8="},
        {"blank before", " Zg="},
        {"blank behind", "Zg= "},
        {"four blanks behind", "Zg==    "},
        {"newline behind", "Zm8\n"},
        {"newline within", "Zm\n9"},
        {"CRLF within", "Zm9v\r\nYg"},
        {"TAB", "Zm9\t"},
        {"alphabet of URLs: minus", "-_-_"},
        {"alphabet of URLs: low line", "ab_d"},
        {"dot", "Zm9."},
        {"not ASCII", "Zm9\xc3"},
        {"one byte, unused bits set", "Zh=="},
        {"one byte, all unused bits set", "Zv=="},
        {"two bytes, unused bits set", "Zm9="},
        {"two bytes, all unused bits set", "Zm/="},
        {"unused bits set behind good groups", "Zm9vZm9vZm9="},
    };
    char out[32];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        errno = 0;
        ok(crypto_base64_decode(out, sizeof(out), table[i].text, strlen(table[i].text)) == -1
               && errno == EINVAL,
           "no base64: %s", table[i].what);
    }
    errno = 0;
    ok(crypto_base64_decode(out, sizeof(out), "Zm9\0", 4) == -1 && errno == EINVAL,
       "no base64: NUL");
    is_int(crypto_base64_decode(NULL, 0, "", 0), 0, "no text is no bytes, and needs no room");
    errno = 0;
    ok(crypto_base64_decode(NULL, 0, "Zg==", 4) == -1 && errno == ENOSPC, "a byte needs room");
}

/* Of all last groups that stand for one byte, or two, one spelling each is taken. */
static void canonical(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int one = 0, two = 0;

    for (int i = 0; i < 64; i++) {
        for (int j = 0; j < 64; j++) {
            const char pair[] = {alphabet[i], alphabet[j], '=', '='};
            const char triple[] = {'A', alphabet[i], alphabet[j], '='};
            char out[3];
            one += crypto_base64_decode(out, 3, pair, 4) == 1;
            two += crypto_base64_decode(out, 3, triple, 4) == 2;
        }
    }
    is_int(one, 256, "256 of the groups with two pads are taken");
    is_int(two, 64 * 16, "and a fourth of those with one");
}

static void wiped(void)
{
    char memory[] = "secret", zeros[sizeof(memory)] = {0};

    crypto_wipe(memory, sizeof(memory));
    is_mem(memory, sizeof(memory), zeros, sizeof(zeros), "wiped memory is zero");
}

int main(void)
{
    rfc4231();
    empty_hmac();
    rfc4648();
    lengths();
    refused();
    canonical();
    wiped();
    return done_testing();
}
