/* SPDX-License-Identifier: ISC */
/*
 * Signatures and keys against the answers of the official libraries, and the cases in which
 * those libraries differ from one another.
 */
#include "autoconf.h"

#include "signature.h"

#include <errno.h>

#include "tap.h"

#define KEY "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SECRET "whsec_" KEY
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define TIME "1614265330"
#define BODY "{\"test\": 2432232314}"
#define GOOD "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define BAD "rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="

static struct signature_key parsed(const char *text)
{
    struct signature_key key;
    const char *why = NULL;

    if (signature_key_parse(&key, text, strlen(text), &why) != 0)
        diag("a key of the test %s", why);
    return key;
}

static void known_answers(void)
{
    static const struct {
        const char *secret, *id, *timestamp, *body; /* body NULL: `a` so many times */
        size_t repeat;
        const char *signature;
    } table[] = {
        {SECRET, ID, TIME, BODY, 0, GOOD},
        {"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553",
         "{\"email\":\"test@example.com\",\"username\":\"test_user\"}", 0,
         "tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
        {"whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", "1731705121",
         "{\"event_type\":\"ping\",\"data\":{\"success\":true}}", 0,
         "rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="},
        {SECRET, ID, TIME, NULL, 1048576, "txpEUxqWZJ5nteTnymUVa+7C4NHpBeXJ6CsBAW0c3/A="},
        {SECRET, ID, TIME, NULL, 262144, "Mw4Pe2WgApuT7NSqnSq0PQPV9gbLdggCl9B865x5Xh0="},
        {SECRET, ID, TIME, NULL, 262143, "NTItnqyWMoFhk2Bbe5V/BMdcFRWgcSQaTgqLHX7FC7c="},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct signature_key key = parsed(table[i].secret);
        size_t len = table[i].body != NULL ? strlen(table[i].body) : table[i].repeat;
        char *body = malloc(len);
        char made[SIGNATURE_TEXT + 1];

        if (table[i].body != NULL)
            memcpy(body, table[i].body, len);
        else
            memset(body, 'a', len);
        is_int(signature_make(&key, table[i].id, table[i].timestamp, body, len, made), 0,
               "known answer %zu: made", i + 1);
        is_str(made, table[i].signature, "known answer %zu: right", i + 1);
        free(body);
    }
}

static void keys_accepted(void)
{
    static const struct {
        const char *what, *text;
    } table[] = {
        {"prefix", SECRET},
        {"no prefix", KEY},
        {"v1,whsec_", "v1,whsec_" KEY},
        {"trailing newline", SECRET "\n"},
        {"trailing CRLF", SECRET "\r\n"},
        {"blanks and TABs around", " \t" SECRET "\t "},
        {"vertical white space around", "\v\f" SECRET "\f\v"},
    };
    struct signature_key want = parsed(SECRET);

    is_int(want.len, 24, "the usual secret has 24 bytes");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct signature_key key = parsed(table[i].text);

        is_mem(key.bytes, key.len, want.bytes, want.len, "accepted: %s", table[i].what);
    }
}

/* 16 bytes end in two pads, 17 in one; both are common to see without. */
static void keys_unpadded(void)
{
    static const char *const padded[] = {"MDEyMzQ1Njc4OWFiY2RlZg==", "MDEyMzQ1Njc4OWFiY2RlZmc="};

    for (size_t i = 0; i < 2; i++) {
        struct signature_key want = parsed(padded[i]);
        char text[32] = "";
        struct signature_key key;

        memcpy(text, padded[i], strcspn(padded[i], "="));
        key = parsed(text);
        is_mem(want.bytes, want.len, "0123456789abcdefg", 16 + i, "%zu bytes, padded", 16 + i);
        is_mem(key.bytes, key.len, want.bytes, want.len, "%zu bytes, unpadded", 16 + i);
    }
}

static void keys_refused(void)
{
    static const char empty[] = "is empty", outside[] = "holds a character outside base64";
    static const char blank[] = "holds white space";
    static const char padding[] = "has the wrong number of = at its end";
    static const char url_safe[] = "is in the url-safe alphabet of base64 (- and _ for + and /)";
    static const char twice[] = "has the prefix whsec_ twice";
    static const char upper[] = "has a prefix that is not lower case";
    static const char brief[] = "is shorter than 16 bytes";
    static const char partial[] = "is not valid base64: a character is missing or too many";
    static const char loose[] = "is not canonical base64: its last character cannot stand there";
    static const char token[] =
        "begins with v1, but not with v1,whsec_ (a signature, not a secret?)";
    static const char asymmetric[] =
        "is asymmetric (whsk_, whpk_); only whsec_ secrets are supported";
    static const struct {
        const char *text, *why;
    } table[] = {
        {"", empty},
        {" \t\r\n", empty},
        {"whsec_", empty},
        {"v1,whsec_", empty},
        {"whsec_====", empty},
        {"whsec_!!!!", outside},
        {"whsec_MfKQ9r8GKYqr!TwjUPD8ILPZIo2LaLaSw", outside},
        {"\"" SECRET "\"", outside},
        {"SECRET=" SECRET, outside},
        {"whsec_MfKQ9r8GKYqrTwjU=PD8ILPZIo2LaLaSw", outside},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La\xc3\xa4Sw", outside},
        {"whsec_MfKQ9r8GKYqr TwjUPD8ILPZIo2LaLaSw", blank},
        {"whsec_ " KEY, blank},
        {"whsec_MfKQ9r8GKYqr\tTwjUPD8ILPZIo2LaLaSw", blank},
        {"whsec_MfKQ9r8GKYqr\r\nTwjUPD8ILPZIo2LaLaSw", blank},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w", url_safe},
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa_w", url_safe},
        {"whsec_" SECRET, twice},
        {"v1,whsec_" SECRET, twice},
        {"whsec_WHSEC_" KEY, twice},
        {"WHSEC_" KEY, upper},
        {"Whsec_" KEY, upper},
        {"v1,WHSEC_" KEY, upper},
        {"whsk_" KEY, asymmetric},
        {"whpk_" KEY, asymmetric},
        {"WHPK_" KEY, asymmetric},
        {"v1a,whpk_" KEY, asymmetric},
        {"v1,whsk_" KEY, asymmetric},
        {"v1," GOOD, token},
        {"v1,", token},
        {"V1," SECRET, outside},
        {"whsec_bQ==", brief},
        {"whsec_MDEyMzQ1Njc4OWFiY2Rl", brief},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwx", partial},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=", padding},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw====", padding},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZg=", padding},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZg===", padding},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZmc==", padding},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZh==", loose},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZh", loose},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZmd=", loose},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZmd", loose},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct signature_key key;
        const char *why = "was accepted";
        int rc = signature_key_parse(&key, table[i].text, strlen(table[i].text), &why);

        ok(rc == -1 && key.len == 0, "refused, and the key is empty: secret %zu", i + 1);
        is_str(why, table[i].why, "the reason: secret %zu %s", i + 1, table[i].why);
    }
}

static void key_sizes(void)
{
    /* Base64 of 128, 129 and many more zero bytes. */
    static const size_t digits[] = {171, 172, 4096};
    char text[4096];
    struct signature_key key;
    const char *why = NULL;

    memset(text, 'A', sizeof(text));
    is_int(signature_key_parse(&key, text, digits[0], &why), 0, "128 bytes are accepted");
    is_int(key.len, 128, "and are 128");
    for (size_t i = 1; i < 3; i++) {
        is_int(signature_key_parse(&key, text, digits[i], &why), -1, "%zu digits are refused",
               digits[i]);
        is_str(why, "is longer than 128 bytes", "and why");
    }
    is_int(signature_key_parse(&key, "whsec_MfKQ9r8GKY\0rTwjUPD8ILPZI", 30, &why), -1,
           "a NUL is refused");
    is_str(why, "holds a character outside base64", "and why");
    is_int(signature_key_parse(&key, SECRET "???", strlen(SECRET), &why), 0,
           "nothing behind the length is read");
}

static void lists(void)
{
    static const struct {
        bool listed;
        const char *what, *list;
    } table[] = {
        {true, "alone", "v1," GOOD},
        {true, "after a bad one", "v1," BAD " v1," GOOD},
        {true, "before a bad one", "v1," GOOD " v1," BAD},
        {true, "twice", "v1," GOOD " v1," GOOD},
        {true, "beside other versions", "v2," BAD " v1a," BAD " v1," GOOD " v1a," GOOD},
        {true, "bad v1, v2, good, bad v1",
         "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/"
         "9tdO6mc= v1," GOOD " v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="},
        {true, "after a token without a comma", "nonsense v1," GOOD},
        {true, "after a token of several commas", "v9,a,b v1," GOOD},
        {true, "leading blank", " v1," GOOD},
        {true, "trailing blank", "v1," GOOD " "},
        {true, "double blank", "v1," BAD "  v1," GOOD},
        {true, "joined repeat: comma and blank", "v1," BAD ", v1," GOOD},
        {false, "empty list", ""},
        {false, "only blanks", "   "},
        {false, "another signature", "v1," BAD},
        {false, "TAB between tokens", "v1," BAD "\tv1," GOOD},
        {false, "TAB after the good one", "v1," GOOD "\tv1," BAD},
        {false, "TAB before the good one", "v1," BAD " \tv1," GOOD},
        {false, "line feed between tokens", "v1," BAD "\nv1," GOOD},
        {false, "more after a comma", "v1," GOOD ",extra"},
        {false, "good, comma, bad", "v1," GOOD ",v1," BAD},
        {false, "good, comma and blank, bad", "v1," GOOD ", v1," BAD},
        {false, "bad, comma, good", "v1," BAD ",v1," GOOD},
        {false, "no version", GOOD},
        {false, "comma without version", "," GOOD},
        {false, "v1=", "v1=" GOOD},
        {false, "blank after the comma", "v1, " GOOD},
        {false, "v1 alone", "v1"},
        {false, "v1 and a comma", "v1,"},
        {false, "V1", "V1," GOOD},
        {false, "v01", "v01," GOOD},
        {false, "under v2", "v2," GOOD},
        {false, "under v1a", "v1a," GOOD},
        {false, "as Stripe writes it", "t=" TIME ",v1=" GOOD},
        {false, "quoted", "\"v1," GOOD "\""},
        {false, "quoted inside", "v1,\"" GOOD "\""},
        {false, "unpadded", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE"},
        {false, "padded twice", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=="},
        {false, "characters behind", "v1," GOOD "xx"},
        {false, "semicolon behind", "v1," GOOD ";"},
        {false, "character between", "v1,g0!hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {false, "last character not canonical", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="},
        {false, "url-safe", "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {false, "case swapped", "v1,G0Hm9sSe+otpjtgT/TMikTsYzLe3UfjelvLniolj1oe="},
        {false, "hex", "v1,83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1"},
        {false, "first half", "v1,g0hM9SsE+OTPJTGt/tmI"},
        {false, "first character", "v1,g"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        ok(signature_listed(GOOD, table[i].list, strlen(table[i].list)) == table[i].listed,
           "%s: %s", table[i].listed ? "listed" : "not listed", table[i].what);
}

static void long_lists(void)
{
    char list[51 * (SIGNATURE_TEXT + 4)] = "";
    unsigned wrong = 0;

    for (int i = 0; i < 49; i++)
        strcat(list, "v1," BAD " ");
    ok(!signature_listed(GOOD, list, strlen(list)), "49 bad signatures");
    strcat(list, "v1," GOOD);
    ok(signature_listed(GOOD, list, strlen(list)), "50 signatures, the last one good");
    ok(!signature_listed(GOOD, list, strlen(list) - 1), "nothing behind the length is read");

    for (size_t i = 0; i < SIGNATURE_TEXT; i++) {
        strcpy(list, "v1," GOOD);
        list[3 + i] ^= 1;
        wrong += signature_listed(GOOD, list, strlen(list));
        strcpy(list, "v1," GOOD);
        list[3 + i] = '\0';
        wrong += signature_listed(GOOD, list, 3 + SIGNATURE_TEXT);
        wrong += signature_listed(GOOD, list, 3 + i);
    }
    is_int(wrong, 0, "a difference shows at each of the 44 characters");
}

static bool made_equal(const char *id_a, const char *a, size_t a_len, const char *id_b,
                       const char *b, size_t b_len)
{
    struct signature_key key = parsed(SECRET);
    char made_a[SIGNATURE_TEXT + 1], made_b[SIGNATURE_TEXT + 1];

    return signature_make(&key, id_a, TIME, a, a_len, made_a) == 0 &&
           signature_make(&key, id_b, TIME, b, b_len, made_b) == 0 && strcmp(made_a, made_b) == 0;
}

static void bodies(void)
{
    struct signature_key key = parsed(SECRET), none = {{0}, 0};
    char made[SIGNATURE_TEXT + 1] = "left over";

    is_int(signature_make(&key, ID, TIME, "", 0, made), 0, "an empty body is signed");
    is_str(made, "v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=", "and has its answer");
    is_int(signature_make(&key, ID, TIME, NULL, 0, made), 0, "an empty body has no address");
    is_str(made, "v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=", "and the same answer");
    is_int(signature_make(&key, ID, TIME, "\xef\xbb\xbf\0\x01\xff\x80", 7, made), 0,
           "any bytes are signed: a mark, a NUL, controls, no UTF-8");
    is_str(made, "60ZnNH+w/1JAw6AsF2f0M7RtsPggEg9HcrP9AGC6lV0=", "and have their answer");

    ok(!made_equal(ID, "\"a\0b\"", 5, ID, "\"a\0c\"", 5), "a NUL does not end the body");
    ok(!made_equal(ID, "\"\xef\xbf\xbd\"", 5, ID, "\"\xff\"", 3),
       "U+FFFD and the invalid byte it stands for are signed differently");
    ok(made_equal("A." TIME, "{}", 2, "A", TIME ".{}", 13),
       "an id with a dot is signed like another cut: delivery.h must refuse it");

    errno = 0;
    is_int(signature_make(&none, ID, TIME, BODY, strlen(BODY), made), -1, "an empty key");
    is_int(errno, EINVAL, "is an error");
    is_str(made, "", "and makes nothing");
}

static void fingerprints(void)
{
    struct signature_key key = parsed(SECRET), same = parsed("v1," SECRET "\n");
    struct signature_key other = parsed("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), zero = {{0}, 0};
    uint64_t print = signature_key_fingerprint(&key);

    ok(print == UINT64_C(0xb8d40a828df8dcce), "the fingerprint is stable across versions");
    ok(signature_key_fingerprint(&same) == print, "another spelling of the key has the same");
    ok(signature_key_fingerprint(&other) != print, "another key has another");

    signature_key_wipe(&key);
    is_mem(&key, sizeof(key), &zero, sizeof(zero), "a wiped key is zero");
}

int main(void)
{
    known_answers();
    keys_accepted();
    keys_unpadded();
    keys_refused();
    key_sizes();
    lists();
    long_lists();
    bodies();
    fingerprints();
    return done_testing();
}
