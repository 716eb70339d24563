/* SPDX-License-Identifier: ISC */
/* Why a request was refused: every cause that is known, each from a signature that was made so. */
#include "autoconf.h"

#include "explain.h"

#include <inttypes.h>

#include "crypto.h"
#include "rotation.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2025-11-23T09:33:00Z */
#define NOW 1763890380
#define TS "1763890380"
#define ID "msg_2Kx"
#define JSON "{\"type\":\"call.ended\",\"data\":{\"n\":1,\"url\":\"https://a/b\",\"list\":[]}}"

enum { EXPIRED = NOW - 86400 };

/* Who signs: a secret of the endpoint, its old one, that of b, nobody's, or the secret's text. */
enum signer { OWN, OLD, B, NOBODY, TEXT, BARE_TEXT, PREFIXED };

static struct secret own[2], others[1], nobody;
static struct keyring_file files[] = {{"a", "/etc/hookspool/a.secret", {own, 2}},
                                      {"b", "/etc/hookspool/b.secret", {others, 1}}};
static const struct keyring keyring = {files, COUNT(files)};
static struct config_endpoint endpoint = {.name = (char *)"a", .tolerance = 300,
                                          .max_body = 1024 * 1024};

static void make_secret(struct secret *secret, const char *text, unsigned line, int64_t expires)
{
    const char *why;

    *secret = (struct secret){.line = line, .expires = expires};
    if (signature_key_parse(&secret->key, text, strlen(text), &why) < 0) {
        diag("%s", why);
        exit(99);
    }
}

static void make_secrets(void)
{
    make_secret(&own[0], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA==", 1, 0);
    make_secret(&own[1], "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 3, EXPIRED);
    make_secret(&others[0], "whsec_plJ3nmyCDGBKInavdOK15jsl", 2, 0);
    make_secret(&nobody, "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY", 1, 0);
}

struct row {
    const char *what;
    const char *id, *ts, *body;          /* sent; id and ts "" stand for no header */
    const char *signed_as;               /* the whole content; NULL: id.ts.body */
    size_t signed_len;                   /* of it, where it has NULs; 0: as a string */
    enum signer signer;
    const char *form;                    /* of the header: %s is base64, %x hexadecimal */
    const char *more;                    /* one more variable */
    const char *holds;                   /* of headers, id, time, signature, secret, body: + - ? */
    const char *causes;                  /* with " | " between them */
};

static void digest(const struct row *row, unsigned char sum[CRYPTO_HASH])
{
    char content[4096], text[ROTATION_SECRET];
    const struct secret *secrets[] = {[OWN] = &own[0], [OLD] = &own[1], [B] = &others[0],
                                      [NOBODY] = &nobody, [TEXT] = &own[0], [BARE_TEXT] = &own[0],
                                      [PREFIXED] = &own[0]};
    const struct signature_key *key = &secrets[row->signer]->key;
    const int len = snprintf(content, sizeof(content), "%s.%s.%s", row->id, row->ts, row->body);
    struct iovec part = {content, (size_t)len};

    if (row->signed_as != NULL)
        part = (struct iovec){(void *)row->signed_as,
                              row->signed_len > 0 ? row->signed_len : strlen(row->signed_as)};
    rotation_secret(key, text);
    if (row->signer == TEXT)
        (void)crypto_hmac(sum, text + 6, strlen(text + 6), &part, 1);
    else if (row->signer == BARE_TEXT)
        (void)crypto_hmac(sum, text + 6, strcspn(text + 6, "="), &part, 1);
    else if (row->signer == PREFIXED)
        (void)crypto_hmac(sum, text, strlen(text), &part, 1);
    else
        (void)crypto_hmac(sum, key->bytes, key->len, &part, 1);
}

/* The signature's header, in the form that is asked for. */
static void write_signature(const struct row *row, char *out, size_t size)
{
    unsigned char sum[CRYPTO_HASH];
    char base64[45] = "", hex[65] = "";
    size_t at = 0;

    digest(row, sum);
    crypto_base64_encode(base64, sum, sizeof(sum));
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    for (const char *c = row->form == NULL ? "v1,%s" : row->form; *c != '\0' && at < size; c++) {
        const char *text = *c != '%' ? NULL : c[1] == 'x' ? hex : base64;
        if (text == NULL) {
            out[at++] = *c;
            continue;
        }
        c++;
        if (*c == 'u') { /* url-safe */
            for (const char *b = base64; *b != '\0'; b++)
                out[at++] = (char)(*b == '+' ? '-' : *b == '/' ? '_' : *b);
        } else if (*c == 'b') { /* base64 of hexadecimal */
            crypto_base64_encode(out + at, hex, 64);
            at += 88;
        } else {
            const size_t len = strlen(text) - (*c == 'p'); /* without its = */
            memcpy(out + at, text, len);
            at += len;
        }
    }
    out[at] = '\0';
}

static const char *holds_of(const struct explanation *explanation, char holds[EXPLAIN_INPUTS + 1])
{
    for (int i = 0; i < EXPLAIN_INPUTS; i++)
        holds[i] = "?+-"[explanation->inputs[i].holds];
    holds[EXPLAIN_INPUTS] = '\0';
    return holds;
}

static const char *causes_of(const struct explanation *explanation, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < explanation->count; i++) {
        const size_t len = strlen(text);
        snprintf(text + len, size - len, "%s%s", i > 0 ? " | " : "", explanation->findings[i]);
    }
    return text;
}

/* Nothing that is said holds a secret or a signature. */
static bool is_discreet(const struct explanation *explanation, const char *signature)
{
    const char *value = strchr(signature, '=') + 1;
    char part[16];

    snprintf(part, sizeof(part), "%.12s", strlen(value) > 40 ? value + 8 : "(none)");
    for (size_t i = 0; i < explanation->count; i++) {
        if (strstr(explanation->findings[i], part) != NULL
            || strstr(explanation->findings[i], "MfKQ9r8G") != NULL)
            return false;
    }
    for (int i = 0; i < EXPLAIN_INPUTS; i++) {
        if (strstr(explanation->inputs[i].text, part) != NULL
            || strstr(explanation->inputs[i].text, "MfKQ9r8G") != NULL)
            return false;
    }
    return true;
}

static void explains(const struct row *row)
{
    char id[512], ts[512], signature[1024] = "HTTP_SVIX_SIGNATURE=", text[4096];
    char holds[EXPLAIN_INPUTS + 1];
    char *headers[6];
    size_t count = 0;
    struct explanation explanation;

    snprintf(id, sizeof(id), "HTTP_SVIX_ID=%s", row->id);
    snprintf(ts, sizeof(ts), "HTTP_SVIX_TIMESTAMP=%s", row->ts);
    write_signature(row, signature + strlen(signature), sizeof(signature) - 100);
    if (row->id[0] != '\0')
        headers[count++] = id;
    if (row->ts[0] != '\0')
        headers[count++] = ts;
    if (row->form == NULL || row->form[0] != '\0')
        headers[count++] = signature;
    if (row->more != NULL)
        headers[count++] = (char *)row->more;
    headers[count] = NULL;
    const struct explain_request request = {.headers = headers, .body = row->body,
                                            .body_len = strlen(row->body),
                                            .sent = strlen(row->body), .came = NOW};
    is_int(explain(&request, &endpoint, &keyring, &explanation), 0, "%s", row->what);
    is_str(causes_of(&explanation, text, sizeof(text)), row->causes, "... its cause");
    is_str(holds_of(&explanation, holds), row->holds, "... and its inputs");
    is_int(explanation.genuine, row->causes[0] == '\0', "... and whether it is genuine");
    ok(is_discreet(&explanation, signature), "... and nothing is given away");
}

/* What is said of a signature of nobody; the number is that of the trials. */
#define UNKNOWN(number) "no secret known here signed this, as it is or in the ways that were " \
    "tried (" number "): the secret is another one, or the body was changed otherwise"
#define BODY "body was changed: it matches if "
#define FORM "the signature is right, but "
#define OLDER "clock 312 s ahead of the sender's, or the request is that old; tolerance 300 s"

static void causes(void)
{
    static const struct row rows[] = {
        {"genuine", ID, TS, JSON, .holds = "++++++", .causes = ""},
        {"genuine, an empty body", ID, TS, "", .holds = "++++++", .causes = ""},
        {"genuine, among others", ID, TS, JSON, .form = "v1,AAAA v1a,x v1,%s", .holds = "++++++",
         .causes = ""},

        /* the headers */
        {"no headers", "", "", JSON, .form = "", .holds = "-?????",
         .causes = "no signature: neither svix-id, svix-timestamp and svix-signature nor "
         "webhook-*"},
        {"another scheme", "", "", JSON, .form = "", .more = "HTTP_STRIPE_SIGNATURE=t=1,v1=2",
         .holds = "-?????", .causes = "no signature: neither svix-id, svix-timestamp and "
         "svix-signature nor webhook-*; there is stripe-signature, Stripe's way of signing"},
        {"no id", "", TS, JSON, .signed_as = "." TS "." JSON, .holds = "-?++++",
         .causes = "svix-id is missing"},
        {"no time", ID, "", JSON, .holds = "-+?+++", .causes = "svix-timestamp is missing"},
        {"no signature", ID, TS, JSON, .form = "", .holds = "-++???",
         .causes = "svix-signature is missing"},
        {"an empty signature", ID, TS, JSON, .form = " ", .holds = "-++???",
         .causes = "svix-signature is empty"},
        {"two families", ID, "", JSON, .signed_as = ID "." TS "." JSON,
         .more = "HTTP_WEBHOOK_TIMESTAMP=" TS, .holds = "-+++++", .causes = "svix-timestamp is "
         "missing; svix-* and webhook-* do not make up for each other"},
        {"an id twice", ID, TS, JSON, .more = "HTTP_SVIX_ID=" ID, .holds = "-+++++",
         .causes = "svix-id stands there 2 times, with one value"},
        {"a time twice", ID, TS, JSON, .more = "HTTP_SVIX_TIMESTAMP=1", .holds = "-+++++",
         .causes = "svix-timestamp stands there 2 times, with different values"},
        {"another method", ID, TS, JSON, .more = "REQUEST_METHOD=GET", .holds = "-+++++",
         .causes = "method is GET; only POST is taken"},

        /* the id */
        {"a dot in the id", "msg.1", TS, JSON, .holds = "+-++++",
         .causes = "id has '.' as character 4; only A-Z a-z 0-9 _ - may stand in it"},
        {"two ids joined", "msg_1, msg_1", TS, JSON, .holds = "+-++++",
         .causes = "id has ',' as character 6: two headers joined by a web server?"},
        {"a control byte in the id", "msg\x01", TS, JSON, .holds = "+-++++",
         .causes = "id has the byte 0x01 as character 4; only A-Z a-z 0-9 _ - may stand in it"},
        {"a dash first", "-msg", TS, JSON, .holds = "+-++++", .causes = "id begins with a dash"},

        /* the time */
        {"too old", ID, "1763890068", JSON, .holds = "++-+++", .causes = OLDER},
        {"too new", ID, "1763890692", JSON, .holds = "++-+++",
         .causes = "clock 312 s behind the sender's; tolerance 300 s"},
        {"an hour off", ID, "1763886785", JSON, .holds = "++-+++", .causes = "clock 3595 s (local "
         "time taken for UTC?) ahead of the sender's, or the request is that old; tolerance 300 s"},
        {"days old", ID, "1763590000", JSON, .holds = "++-+++", .causes = "clock 3d11h ahead of "
         "the sender's, or the request is that old; tolerance 300 s"},
        {"milliseconds, signed so", ID, TS "123", JSON, .holds = "++-+++",
         .causes = "timestamp is in milliseconds; seconds are wanted"},
        {"milliseconds, signed as seconds", ID, TS "123", JSON, .signed_as = ID "." TS "." JSON,
         .holds = "++--++", .causes = "timestamp is in milliseconds; seconds are wanted | the "
         "signature is of id.time.body with the time as a whole number of seconds"},
        {"seconds, signed as milliseconds", ID, TS, JSON, .signed_as = ID "." TS "000." JSON,
         .holds = "+++-++",
         .causes = "the signature is of id.time.body with the time in milliseconds"},
        {"a fraction, signed as a number", ID, TS ".9", JSON, .signed_as = ID "." TS "." JSON,
         .holds = "++--++", .causes = "timestamp has '.' as character 11; only digits may stand in "
         "it | the signature is of id.time.body with the time as a whole number of seconds"},
        {"a date", ID, "2025-11-23T09:33:00Z", JSON, .holds = "++-+++", .causes = "timestamp has "
         "'-' as character 5: a date; seconds since 1970 are wanted"},
        {"a zero first", ID, "0" TS, JSON, .holds = "++-+++", .causes = "timestamp begins with 0"},

        /* the secret */
        {"another endpoint's", ID, TS, JSON, .signer = B, .holds = "++++-+",
         .causes = "signed with the secret of endpoint b (line 2 of its file)"},
        {"an expired one", ID, TS, JSON, .signer = OLD, .holds = "++++-+",
         .causes = "signed with the secret in line 3, which expired 2025-11-22T09:33:00Z"},
        {"the text of one", ID, TS, JSON, .signer = TEXT, .holds = "++++-+", .causes = "signed "
         "with the text of the secret behind whsec_ as the key, not with the bytes that its "
         "base64 stands for"},
        {"the text without =", ID, TS, JSON, .signer = BARE_TEXT, .holds = "++++-+",
         .causes = "signed with the text of the secret behind whsec_ as the key, not with the "
         "bytes that its base64 stands for"},
        {"the text with its prefix", ID, TS, JSON, .signer = PREFIXED, .holds = "++++-+",
         .causes = "signed with the text of the secret and whsec_ as the key, not with the bytes "
         "that its base64 stands for"},
        {"nobody's", ID, TS, JSON, .signer = NOBODY, .holds = "+++-?" "?", .causes = UNKNOWN("47")},
        {"too old, another endpoint's", ID, "1763890068", JSON, .signer = B, .holds = "++-+-+",
         .causes = OLDER " | signed with the secret of endpoint b (line 2 of its file)"},

        /* what was signed */
        {"the body alone", ID, TS, JSON, .signed_as = JSON, .holds = "+++-++",
         .causes = "the signature is of the body alone"},
        {"without the id", ID, TS, JSON, .signed_as = TS "." JSON, .holds = "+++-++",
         .causes = "the signature is of time.body, without the id"},
        {"without the time", ID, TS, JSON, .signed_as = ID "." JSON, .holds = "+++-++",
         .causes = "the signature is of id.body, without the time"},
        {"an empty id", ID, TS, JSON, .signed_as = "." TS "." JSON, .holds = "+++-++",
         .causes = "the signature is of .time.body, with an empty id"},
        {"an empty time", ID, TS, JSON, .signed_as = ID ".." JSON, .holds = "+++-++",
         .causes = "the signature is of id..body, with an empty time"},
        {"no dots", ID, TS, JSON, .signed_as = ID TS JSON, .holds = "+++-++",
         .causes = "the signature is of id, time and body without dots between"},

        /* its form */
        {"no version", ID, TS, JSON, .form = "%s", .holds = "+++-++",
         .causes = FORM "lacks v1, before it"},
        {"an equals sign", ID, TS, JSON, .form = "v1=%s", .holds = "+++-++",
         .causes = FORM "is written NAME=..., where v1,... is wanted"},
        {"as Stripe writes it", ID, TS, JSON, .form = "t=" TS ",v1=%x", .holds = "+++-++",
         .causes = FORM "is in hexadecimal, where base64 is wanted"},
        {"hexadecimal", ID, TS, JSON, .form = "v1,%x", .holds = "+++-++",
         .causes = FORM "is in hexadecimal, where base64 is wanted"},
        {"base64 of hexadecimal", ID, TS, JSON, .form = "v1,%b", .holds = "+++-++",
         .causes = FORM "is base64 of hexadecimal digits, where base64 of the bytes is wanted"},
        {"url-safe", ID, TS, JSON "+", .form = "v1,%u", .holds = "+++-++",
         .causes = FORM "is in the url-safe alphabet of base64 (- and _ for + and /)"},
        {"no =", ID, TS, JSON, .form = "v1,%p", .holds = "+++-++",
         .causes = FORM "lacks the = at its end"},
        {"one = more", ID, TS, JSON, .form = "v1,%s=", .holds = "+++-++",
         .causes = FORM "has one = too many"},
        {"another version", ID, TS, JSON, .form = "V1,%s", .holds = "+++-++",
         .causes = FORM "has another version before it than v1"},
        {"a blank behind v1,", ID, TS, JSON, .form = "v1, %s", .holds = "+++-++",
         .causes = FORM "has a blank behind v1,"},
        {"quotes", ID, TS, JSON, .form = "\"v1,%s\"", .holds = "+++-++",
         .causes = FORM "stands in quotes"},
        {"a list with commas", ID, TS, JSON, .form = "v1,AAAA,v1,%s", .holds = "+++-++",
         .causes = FORM "stands in a list with commas, where blanks are wanted"},
        {"a list with commas, the first", ID, TS, JSON, .form = "v1,%s,v1,AAAA", .holds = "+++-++",
         .causes = FORM "stands in a list with commas, where blanks are wanted"},
        {"a TAB in the list", ID, TS, JSON, .form = "v1,AAAA\tv1,%s", .holds = "+++-++",
         .causes = FORM "stands in a list with TABs, where blanks are wanted"},
        {"something behind", ID, TS, JSON, .form = "v1,%s;", .holds = "+++-++",
         .causes = FORM "has more behind it"},
        {"cut short", ID, TS, JSON, .form = "v1,AAAAAAAAAAAAAAAAAAAA", .holds = "+++-?" "?",
         .causes = "svix-signature: v1, is followed by 20 characters that are no base64 of 32 "
         "bytes, which has 44"},
        {"only v1a", ID, TS, JSON, .form = "v1a,AAAA", .holds = "+++-?" "?",
         .causes = "svix-signature: only v1a signatures (ed25519), which are not verified: ask the "
         "sender for v1"},
        {"no signature at all", ID, TS, JSON, .form = "hello", .holds = "+++-?" "?",
         .causes = "svix-signature: no signature in it: v1, and 44 characters of base64 are "
         "wanted"},
        {"another form, another's secret", ID, TS, JSON, .signer = B, .form = "%x",
         .holds = "+++--+", .causes = "signed with the secret of endpoint b (line 2 of its file) | "
         FORM "is in hexadecimal, where base64 is wanted"},

        /* the body */
        {"Content-Length says less", ID, TS, JSON "\n", .signed_as = ID "." TS "." JSON,
         .more = "CONTENT_LENGTH=66", .holds = "+++++-", .causes = "body has 67 bytes, more "
         "than the 66 of Content-Length | " BODY "the line feed at its end is removed"},
        {"Content-Length is of another", ID, TS, JSON, .more = "CONTENT_LENGTH=3",
         .holds = "++++++", .causes = ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        explains(&rows[i]);
}

#define C ID "." TS "."

static void bodies(void)
{
    static const struct row rows[] = {
        {"a line feed added", ID, TS, JSON "\n", .signed_as = C JSON,
         .causes = BODY "the line feed at its end is removed"},
        {"a line feed lost", ID, TS, JSON, .signed_as = C JSON "\n",
         .causes = BODY "a line feed is added at its end"},
        {"CR LF added", ID, TS, JSON "\r\n", .signed_as = C JSON,
         .causes = BODY "the CR LF at its end is removed"},
        {"CR LF lost", ID, TS, JSON, .signed_as = C JSON "\r\n",
         .causes = BODY "CR LF is added at its end"},
        {"CR LF for LF", ID, TS, "a\r\nb\r\n", .signed_as = C "a\nb\n",
         .causes = BODY "its lines end in LF instead of CR LF"},
        {"LF for CR LF", ID, TS, "a\nb\n", .signed_as = C "a\r\nb\r\n",
         .causes = BODY "its lines end in CR LF instead of LF"},
        {"line breaks lost when it was signed", ID, TS, "{\n\"a\":1\n}", .signed_as = C "{\"a\":1}",
         .causes = BODY "its line breaks are removed"},
        {"blanks behind", ID, TS, "text \t\n", .signed_as = C "text",
         .causes = BODY "the white space at its end is removed"},
        {"blanks around", ID, TS, "\n text \n", .signed_as = C "text",
         .causes = BODY "the white space around it is removed"},
        {"a byte order mark added", ID, TS, "\xef\xbb\xbf" JSON, .signed_as = C JSON,
         .causes = BODY "the byte order mark is removed"},
        {"a byte order mark lost", ID, TS, JSON, .signed_as = C "\xef\xbb\xbf" JSON,
         .causes = BODY "a byte order mark is put before it"},
        {"signed without a body", ID, TS, JSON, .signed_as = C, .causes = BODY "it is empty"},
        {"re-serialised: Python", ID, TS, "{\"a\": [1, 2], \"b\": {}}",
         .signed_as = C "{\"a\":[1,2],\"b\":{}}",
         .causes = BODY "its JSON is written without blanks"},
        {"re-serialised: from Python", ID, TS, "{\"a\":[1,2],\"b\":{}}",
         .signed_as = C "{\"a\": [1, 2], \"b\": {}}",
         .causes = BODY "its JSON is written with a blank behind each , and :"},
        {"re-serialised: from JSON.stringify(x, null, 2)", ID, TS, "{\"a\":[1,{}],\"b\":[]}",
         .signed_as = C "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}",
         .causes = BODY "its JSON is indented by 2"},
        {"re-serialised: from jq", ID, TS, "{\"a\":1}", .signed_as = C "{\n  \"a\": 1\n}\n",
         .causes = BODY "its JSON is indented by 2, then a line feed"},
        {"re-serialised: from four blanks", ID, TS, "{\"a\":1}",
         .signed_as = C "{\n    \"a\": 1\n}", .causes = BODY "its JSON is indented by 4"},
        {"escapes added", ID, TS, "{\"a\": \"\\u00e9\\ud83d\\udcde\\/\\n\\u0001\"}",
         .signed_as = C "{\"a\": \"\xc3\xa9\xf0\x9f\x93\x9e/\\n\\u0001\"}",
         .causes = BODY "its JSON is written without \\u and \\/ escapes"},
        {"re-serialised: PHP", ID, TS, "{\"a\": \"\\u00e9\\/\"}",
         .signed_as = C "{\"a\":\"\xc3\xa9/\"}",
         .causes = BODY "its JSON is written without blanks and \\u, \\/ escapes"},
        {"re-serialised: PHP, of Python", ID, TS, "{\"a\":\"\\u00e9\\/\"}",
         .signed_as = C "{\"a\": \"\xc3\xa9/\"}", .causes = BODY "its JSON is written with a blank "
         "behind each , and : and without \\u, \\/ escapes"},
        {"escapes lost", ID, TS, "{\"a\": \"\xc3\xa9\xf0\x9f\x93\x9e\xe2\x82\xac\"}",
         .signed_as = C "{\"a\": \"\\u00e9\\ud83d\\udcde\\u20ac\"}",
         .causes = BODY "its JSON is written in ASCII, with \\u escapes"},
        {"escapes and blanks lost", ID, TS, "{\"a\":\"\xc3\xa9\"}",
         .signed_as = C "{\"a\": \"\\u00e9\"}", .causes = BODY "its JSON is written with a blank "
         "behind each , and :, in ASCII with \\u escapes"},
        {"escapes lost, blanks added", ID, TS, "{\"a\": \"\xc3\xa9\"}",
         .signed_as = C "{\"a\":\"\\u00e9\"}",
         .causes = BODY "its JSON is written without blanks, in ASCII with \\u escapes"},
        {"re-serialised: from PHP", ID, TS, "{\"a\": \"\xc3\xa9/\"}",
         .signed_as = C "{\"a\":\"\\u00e9\\/\"}",
         .causes = BODY "its JSON is written without blanks and with \\/ for /"},
        {"re-serialised: from Go", ID, TS, "{\"a\": \"<&>\"}",
         .signed_as = C "{\"a\":\"\\u003c\\u0026\\u003e\"}",
         .causes = BODY "its JSON is written without blanks and with \\u003c for <"},
        {"encoded in base64", ID, TS, "eyJhIjoxfQ==", .signed_as = C "{\"a\":1}",
         .causes = BODY "it is decoded from base64"},
        {"a JSON string of JSON", ID, TS, "\"{\\\"a\\\":1}\"", .signed_as = C "{\"a\":1}",
         .causes = BODY "it is taken out of the JSON string that it is"},
        {"UTF-8 twice", ID, TS, "{\"a\":\"\xc3\x83\xc2\xa9\"}",
         .signed_as = C "{\"a\":\"\xc3\xa9\"}",
         .causes = BODY "its UTF-8, encoded twice, is decoded once"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row = rows[i];
        row.holds = "+++++-";
        explains(&row);
    }
}

/* An old secret that is still in use, and a body that was changed besides. */
static void combined(void)
{
    struct row row = {"changed, and with an expired secret", ID, TS, JSON "\n",
                      .signed_as = C JSON, .signer = OLD, .form = "v1=%s", .holds = "+++---",
                      .causes = "signed with the secret in line 3, which expired "
                      "2025-11-22T09:33:00Z | " BODY "the line feed at its end is removed | "
                      FORM "is written NAME=..., where v1,... is wanted"};
    explains(&row);
}

static void other_family(void)
{
    char signature[128] = "HTTP_WEBHOOK_SIGNATURE=";
    struct row row = {.id = ID, .ts = TS, .body = JSON};
    char *headers[] = {(char *)"HTTP_SVIX_ID=" ID, (char *)"HTTP_SVIX_TIMESTAMP=" TS,
                       (char *)"HTTP_SVIX_SIGNATURE=v1,"
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                       (char *)"HTTP_WEBHOOK_ID=" ID, (char *)"HTTP_WEBHOOK_TIMESTAMP=" TS,
                       signature, NULL};
    const struct explain_request request = {.headers = headers, .body = JSON,
                                            .body_len = sizeof(JSON) - 1,
                                            .sent = sizeof(JSON) - 1, .came = NOW};
    struct explanation explanation;

    write_signature(&row, signature + strlen(signature), 80);
    is_int(explain(&request, NULL, &keyring, &explanation), 0, "both families, svix is bad");
    is_int(explanation.count, 2, "two findings");
    is_str(explanation.findings[1], "the webhook-* headers are signed, the svix-* headers are not, "
           "and they decide where both are there", "the second says that the other would hold");
    headers[2] = (char *)"HTTP_SVIX_SIGNATURE=";
    is_int(explain(&request, NULL, &keyring, &explanation), 0, "svix is incomplete");
    ok(explanation.genuine, "then the other decides");
}

static void unknown_bodies(void)
{
    char signature[128] = "HTTP_SVIX_SIGNATURE=";
    struct row row = {.id = ID, .ts = TS, .body = JSON};
    char *headers[] = {(char *)"HTTP_SVIX_ID=" ID, (char *)"HTTP_SVIX_TIMESTAMP=" TS, signature,
                       (char *)"CONTENT_LENGTH=5000000", NULL};
    struct explain_request request = {.headers = headers, .body = JSON, .body_len = 10,
                                      .sent = sizeof(JSON) - 1, .came = NOW};
    struct explanation explanation;
    char holds[EXPLAIN_INPUTS + 1];

    write_signature(&row, signature + strlen(signature), 80);
    is_int(explain(&request, &endpoint, &keyring, &explanation), 0, "a body that was cut");
    ok(!explanation.genuine, "is not genuine");
    is_str(holds_of(&explanation, holds), "+++?" "?-", "its signature cannot be checked");
    headers[3] = NULL;
    (void)explain(&request, &endpoint, &keyring, &explanation);
    is_str(explanation.inputs[EXPLAIN_BODY].text, "10 of 66 bytes are known, so the signature "
           "cannot be checked", "and is told so");
    headers[3] = (char *)"CONTENT_LENGTH=5000000";
    request.body = NULL;
    request.body_len = 0;
    (void)explain(&request, &endpoint, &keyring, &explanation);
    is_str(explanation.findings[0], "body has 5000000 bytes; max_body is 1048576",
           "a body that was not read, for its size");
}

/* The work is bounded: a large body is not gone through for each variant. */
static void effort(void)
{
    static char body[4 * 1024 * 1024];
    char signature[128] = "HTTP_SVIX_SIGNATURE=";
    struct row row = {.id = ID, .ts = TS, .body = "", .signer = NOBODY};
    char *headers[] = {(char *)"HTTP_SVIX_ID=" ID, (char *)"HTTP_SVIX_TIMESTAMP=" TS, signature,
                       NULL};
    struct explain_request request = {.headers = headers, .body = body, .body_len = sizeof(body),
                                      .sent = sizeof(body), .came = NOW, .effort = 9 << 20};
    struct explanation explanation;

    memset(body, '[', sizeof(body));
    write_signature(&row, signature + strlen(signature), 80);
    is_int(explain(&request, NULL, &keyring, &explanation), 0, "a large body");
    ok(strstr(explanation.findings[0], "tried (2)") != NULL
       && strstr(explanation.findings[0], "not all was tried") != NULL,
       "the endpoint's own secrets are tried, little else, and it says so") ||
        (diag("%s", explanation.findings[0]), 0);
}

int main(void)
{
    make_secrets();
    causes();
    bodies();
    combined();
    other_family();
    unknown_bodies();
    effort();
    return done_testing();
}
