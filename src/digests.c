/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "digests.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    BASE64 = 43,     /* characters before the = */
    HEX = 64,
    BASE64_HEX = 86, /* base64 of hexadecimal digits, before the == */
};

/* A header's value, and a run of characters in it that may be a digest. */
struct run {
    const char *list;
    size_t len;
    size_t begin, end; /* of the characters */
    size_t pads;       /* how many = follow */
};

static bool is_alnum(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_run(char c)
{
    return is_alnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static bool next_run(struct run *run)
{
    size_t at = run->end + run->pads;

    while (at < run->len && !is_run(run->list[at]))
        at++;
    run->begin = at;
    while (at < run->len && is_run(run->list[at]))
        at++;
    run->end = at;
    run->pads = 0;
    while (at + run->pads < run->len && run->list[at + run->pads] == '=' && run->pads < 2)
        run->pads++;
    return run->end > run->begin;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool decode_hex(unsigned char bytes[CRYPTO_HASH], const char *text)
{
    for (size_t i = 0; i < CRYPTO_HASH; i++) {
        const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* Takes the url-safe alphabet too: *safe tells. */
static bool decode_base64(unsigned char bytes[CRYPTO_HASH], const char *text, bool *safe)
{
    char plain[BASE64 + 1];

    *safe = false;
    for (size_t i = 0; i < BASE64; i++) {
        const char c = text[i];
        *safe |= c == '-' || c == '_';
        plain[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    plain[BASE64] = '=';
    return crypto_base64_decode(bytes, CRYPTO_HASH, plain, sizeof(plain)) == CRYPTO_HASH;
}

static bool decode_base64_hex(unsigned char bytes[CRYPTO_HASH], const char *text)
{
    char padded[BASE64_HEX + 2], digits[HEX];

    memcpy(padded, text, BASE64_HEX);
    memcpy(padded + BASE64_HEX, "==", 2);
    return crypto_base64_decode(digits, sizeof(digits), padded, sizeof(padded)) == HEX
        && decode_hex(bytes, digits);
}

static bool stands_before(const struct run *run, size_t at, const char *text)
{
    const size_t len = strlen(text);

    return at >= len && memcmp(run->list + at - len, text, len) == 0;
}

/* What separates the token, whose version begins at `at`, from what is before it. */
static const char *separator_fault(const struct run *run, size_t at)
{
    switch (at == 0 ? ' ' : run->list[at - 1]) {
    case ' ':
        return NULL;
    case ',':
        return "stands in a list with commas, where blanks are wanted";
    case '\t':
        return "stands in a list with TABs, where blanks are wanted";
    case '"':
    case '\'':
        return "stands in quotes";
    default:
        return "has another version before it than v1";
    }
}

/* What is wrong with what stands around a digest in proper base64; NULL: nothing. */
static const char *surroundings_fault(const struct run *run)
{
    static const char commas[] = "stands in a list with commas, where blanks are wanted";
    const size_t begin = run->begin, behind = run->end + run->pads;

    if (stands_before(run, begin, "v1,")) {
        const char *fault = separator_fault(run, begin - 3);
        if (fault != NULL || behind == run->len || run->list[behind] == ' ')
            return fault;
        return run->list[behind] == ',' ? commas : "has more behind it";
    }
    if (stands_before(run, begin, "v1, "))
        return "has a blank behind v1,";
    if (stands_before(run, begin, "="))
        return "is written NAME=..., where v1,... is wanted";
    if (stands_before(run, begin, "\"") || stands_before(run, begin, "'"))
        return "stands in quotes";
    if (!stands_before(run, begin, ","))
        return "lacks v1, before it";
    size_t version = begin - 1;
    while (version > 0 && is_alnum(run->list[version - 1]))
        version--;
    if (version + 1 == begin || begin - version > 8)
        return commas;
    return "has another version before it than v1";
}

static bool read_run(struct digest *digest, const struct run *run)
{
    const char *text = run->list + run->begin;
    const size_t len = run->end - run->begin;
    bool safe;

    if (len == HEX && decode_hex(digest->bytes, text)) {
        digest->fault = "is in hexadecimal, where base64 is wanted";
        return true;
    }
    if (len == BASE64_HEX && decode_base64_hex(digest->bytes, text)) {
        digest->fault = "is base64 of hexadecimal digits, where base64 of the bytes is wanted";
        return true;
    }
    if (len != BASE64 || !decode_base64(digest->bytes, text, &safe))
        return false;
    if (safe)
        digest->fault = "is in the url-safe alphabet of base64 (- and _ for + and /)";
    else if (run->pads == 0)
        digest->fault = "lacks the = at its end";
    else
        digest->fault = run->pads > 1 ? "has one = too many" : surroundings_fault(run);
    return true;
}

size_t digests_find(struct digest digests[DIGESTS_MAX], const char *list, size_t len)
{
    struct run run = {.list = list, .len = len};
    size_t count = 0;

    while (count < DIGESTS_MAX && next_run(&run))
        count += read_run(&digests[count], &run);
    return count;
}

const char *digests_missing(const char *list, size_t len, char text[DIGESTS_TEXT])
{
    size_t tokens = 0, asymmetric = 0;

    for (size_t at = 0, end; at < len; at = end + 1) {
        const char *blank = memchr(list + at, ' ', len - at);
        end = blank == NULL ? len : (size_t)(blank - list);
        const size_t size = end - at;
        tokens += size > 0;
        asymmetric += size > 4 && memcmp(list + at, "v1a,", 4) == 0;
        if (size >= 3 && memcmp(list + at, "v1,", 3) == 0) {
            snprintf(text, DIGESTS_TEXT, "v1, is followed by %zu characters that are no base64 of "
                     "32 bytes, which has 44", size - 3);
            return text;
        }
    }
    if (tokens > 0 && asymmetric == tokens)
        return "only v1a signatures (ed25519), which are not verified: ask the sender for v1";
    snprintf(text, DIGESTS_TEXT, "no signature in it: v1, and 44 characters of base64 are wanted");
    return text;
}
