/* SPDX-License-Identifier: ISC */
/* The sender's six headers, as web servers hand them over. */
#include "autoconf.h"

#include "delivery.h"

#include "tap.h"

#define NOW 1763890380
#define TS "1763890380"
#define ID "msg_2KxAbCdEfGhIjKlMnOpQrStUvWx"
#define SIG "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

#define SVIX_ID "HTTP_SVIX_ID="
#define SVIX_TS "HTTP_SVIX_TIMESTAMP="
#define SVIX_SIG "HTTP_SVIX_SIGNATURE="
#define HOOK_ID "HTTP_WEBHOOK_ID="
#define HOOK_TS "HTTP_WEBHOOK_TIMESTAMP="
#define HOOK_SIG "HTTP_WEBHOOK_SIGNATURE="

enum { VARIABLES = 12 };

static const char repeated[] = "repeated header", incomplete[] = "no complete header family";
static const char bad_id[] = "malformed id", bad_timestamp[] = "malformed timestamp";
static const char too_old[] = "timestamp too old", too_new[] = "timestamp too new";

static const char *parse(struct delivery *delivery, const char *const *variables, int64_t tolerance)
{
    char *envp[VARIABLES + 1] = {NULL};

    for (size_t i = 0; variables[i] != NULL; i++)
        envp[i] = (char *)variables[i];
    memset(delivery, 0x55, sizeof(*delivery));
    return delivery_parse(delivery, envp, NOW, tolerance);
}

static void families(void)
{
    static const struct {
        const char *what, *reason, *family, *id, *signatures;
        const char *variables[VARIABLES];
    } table[] = {
        {"svix", NULL, "svix", ID, SIG, {SVIX_ID ID, SVIX_TS TS, SVIX_SIG SIG}},
        {"webhook", NULL, "webhook", ID, SIG, {HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"any order, others between", NULL, "svix", ID, SIG,
         {"PATH=/bin", SVIX_SIG SIG, "REQUEST_METHOD=POST", SVIX_TS TS, "HTTP_HOST=h", SVIX_ID ID}},
        {"names that only look like ours", NULL, "svix", ID, SIG,
         {"HTTP_SVIX_ID2=x", "HTTP_SVIX_I=x", "XHTTP_SVIX_ID=x", "http_svix_id=x", "HTTP_SVIX_ID",
          "SVIX_ID=x", "HTTP_X_SVIX_ID=x", "", SVIX_ID ID, SVIX_TS TS, SVIX_SIG SIG}},
        {"both: svix decides", NULL, "svix", "good", SIG,
         {HOOK_ID "bad", HOOK_TS TS, HOOK_SIG "v1,bad", SVIX_ID "good", SVIX_TS TS, SVIX_SIG SIG}},
        {"both: a bad svix signature is not made up for", NULL, "svix", "a", "v1,bad",
         {SVIX_ID "a", SVIX_TS TS, SVIX_SIG "v1,bad", HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"both: a stale svix is not made up for", too_old, "svix", "a", SIG,
         {SVIX_ID "a", SVIX_TS "1763880380", SVIX_SIG SIG, HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"both: a malformed svix id is not made up for", bad_id, "svix", "", SIG,
         {SVIX_ID "a.b", SVIX_TS TS, SVIX_SIG SIG, HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"webhook and a stray svix-id", NULL, "webhook", ID, SIG,
         {SVIX_ID "a", HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"webhook and an empty svix-id", NULL, "webhook", ID, SIG,
         {SVIX_ID, HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"webhook and a svix set with an empty id", NULL, "webhook", ID, SIG,
         {SVIX_ID, SVIX_TS TS, SVIX_SIG SIG, HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"webhook and a svix set with a blank timestamp", NULL, "webhook", ID, SIG,
         {SVIX_ID "a", SVIX_TS " \t", SVIX_SIG SIG, HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"mixed: svix-id, webhook rest", incomplete, "", "", "",
         {SVIX_ID ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"mixed: svix-signature, webhook rest", incomplete, "", "", "",
         {HOOK_ID ID, HOOK_TS TS, SVIX_SIG SIG}},
        {"none", incomplete, "", "", "", {"PATH=/bin"}},
        {"an empty environment", incomplete, "", "", "", {NULL}},
        {"no id", incomplete, "", "", "", {SVIX_TS TS, SVIX_SIG SIG}},
        {"no timestamp", incomplete, "", "", "", {SVIX_ID ID, SVIX_SIG SIG}},
        {"no signature", incomplete, "", "", "", {SVIX_ID ID, SVIX_TS TS}},
        {"empty id", incomplete, "", "", "", {SVIX_ID, SVIX_TS TS, SVIX_SIG SIG}},
        {"empty timestamp", incomplete, "", "", "", {SVIX_ID ID, SVIX_TS, SVIX_SIG SIG}},
        {"empty signature", incomplete, "", "", "", {SVIX_ID ID, SVIX_TS TS, SVIX_SIG}},
        {"blanks as signature", incomplete, "", "", "", {SVIX_ID ID, SVIX_TS TS, SVIX_SIG " \t "}},
        {"empty webhook id", incomplete, "", "", "", {HOOK_ID, HOOK_TS TS, HOOK_SIG SIG}},
        {"outer blanks and TABs", NULL, "svix", ID, SIG,
         {SVIX_ID "\t " ID " \t", SVIX_TS " " TS "\t", SVIX_SIG "\t\t" SIG " "}},
        {"blanks in a list stay", NULL, "svix", ID, "v1,a  v1,b\tv1,c",
         {SVIX_ID ID, SVIX_TS TS, SVIX_SIG "  v1,a  v1,b\tv1,c "}},
        {"a joined repeat of the list stays", NULL, "svix", ID, "v1,a, v1,b",
         {SVIX_ID ID, SVIX_TS TS, SVIX_SIG "v1,a, v1,b"}},
        {"a value with =", NULL, "svix", ID, "=", {SVIX_ID ID, SVIX_TS TS, SVIX_SIG "="}},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct delivery d;

        is_str(parse(&d, table[i].variables, 300), table[i].reason, "%s", table[i].what);
        is_str(d.family, table[i].family, "%s: family", table[i].what);
        is_str(d.id, table[i].id, "%s: id", table[i].what);
        is_mem(d.signatures, d.signatures_len, table[i].signatures, strlen(table[i].signatures),
               "%s: signatures", table[i].what);
    }
}

/* nginx before 1.23 passes both; the values do not matter. */
static void repeats(void)
{
    static const char *const whole[] = {SVIX_ID ID, SVIX_TS TS,  SVIX_SIG SIG,
                                        HOOK_ID ID, HOOK_TS TS, HOOK_SIG SIG};
    static const char *const again[] = {SVIX_ID, SVIX_TS TS, SVIX_SIG SIG " " SIG,
                                        HOOK_ID "two", HOOK_TS "1", HOOK_SIG};

    for (size_t i = 0; i < 6; i++) {
        const char *variables[VARIABLES + 1] = {NULL};
        struct delivery d;

        memcpy(variables, whole, sizeof(whole));
        variables[6] = again[i];
        is_str(parse(&d, variables, 300), repeated, "second %.*s", (int)strcspn(again[i], "="),
               again[i]);
        is_str(d.id, "", "its id is not used");
        memmove(variables + 1, variables, sizeof(whole));
        variables[0] = again[i];
        is_str(parse(&d, variables, 300), repeated, "the other first");
    }
    for (size_t i = 0; i < 6; i += 3) {
        const char *variables[] = {whole[i], whole[i + 1], whole[i + 2], "HTTP_HOST=a",
                                   "HTTP_HOST=b", NULL};
        struct delivery d;

        is_str(parse(&d, variables, 300), NULL, "other headers may stand there twice");
    }
}

static const char *parse_id(struct delivery *d, const char *id)
{
    char variable[8192];
    const char *const variables[] = {variable, SVIX_TS TS, SVIX_SIG SIG, NULL};

    (void)snprintf(variable, sizeof(variable), SVIX_ID "%s", id);
    return parse(d, variables, 300);
}

static void ids(void)
{
    static const char *const good[] = {
        ID, "a", "0", "_", "Z9", "_-", "evt_1-2-3", "9f86d081-884c-7d65-9f86-d081884c7d65",
    };
    static const char *const bad[] = {
        "-", "-a", "a.b", ".", "..", ".a", "A." TS, "a/b", "/", "../../etc/passwd", "a b", "a\tb",
        "a, b", ID ", " ID, "a+b", "a%2e", "a\x01", "a\x7f", "a\n", "\"a\"", "a\\b", "a:b",
        "m\xc3\xbcll", "\xc3\xbc", "\xff", "a\xef\xbf\xbd", "{a}",
    };
    struct delivery d;
    char text[4097];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        is_str(parse_id(&d, good[i]), NULL, "id %zu is accepted: %s", i + 1, good[i]);
        is_str(d.id, good[i], "as it is");
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_str(parse_id(&d, bad[i]), bad_id, "id %zu is malformed", i + 1);
        is_str(d.id, "", "and stays empty");
    }

    memset(text, 'x', sizeof(text));
    text[200] = '\0';
    is_str(parse_id(&d, text), NULL, "200 characters are accepted");
    is_str(d.id, text, "all of them");
    text[200] = 'x';
    text[201] = '\0';
    is_str(parse_id(&d, text), bad_id, "201 characters are malformed");
    text[201] = 'x';
    text[4096] = '\0';
    is_str(parse_id(&d, text), bad_id, "4 kB are malformed");
}

static const char *parse_timestamp(struct delivery *d, const char *timestamp, int64_t tolerance)
{
    char variable[8192];
    const char *const variables[] = {HOOK_ID ID, variable, HOOK_SIG SIG, NULL};

    (void)snprintf(variable, sizeof(variable), HOOK_TS "%s", timestamp);
    return parse(d, variables, tolerance);
}

static void timestamps(void)
{
    static const char *const bad[] = {
        "0", "00", "0" TS, "00" TS, "+" TS, "-" TS, "-1", TS ".0", TS ".9", TS ".", TS "abc",
        TS ", " TS, TS "," TS, "1.763890380e9", "1763890e3", "1_763_890_380", "1 763 890 380",
        "0x692305cc", "0o15110602714", "\"" TS "\"", "now", "NaN", "inf", "2025-11-23T09:33:00Z",
        TS "\n", TS "\x01", "1763890380000", "9223372036854775808", "-9223372036854775808",
        "18446744075473441996", "99999999999999999999", "1000000000000",
        /* Arabic-Indic and full-width digits */
        "\xd9\xa1\xd9\xa7\xd9\xa6\xd9\xa3\xd9\xa8\xd9\xa9\xd9\xa0\xd9\xa3\xd9\xa8\xd9\xa0",
        "\xef\xbc\x91\xef\xbc\x97", "\xb2", "1\xff",
    };
    static const struct {
        const char *text;
        int64_t tolerance;
        const char *reason;
    } window[] = {
        {TS, 300, NULL},
        {"1763890080", 300, NULL}, /* exactly 300 s ago */
        {"1763890079", 300, too_old},
        {"1763890680", 300, NULL}, /* exactly 300 s ahead */
        {"1763890681", 300, too_new},
        {TS, 0, NULL},
        {"1763890379", 0, too_old},
        {"1763890381", 0, too_new},
        {"1763890379", 1, NULL},
        {"1763886780", 3600, NULL},
        {"1", 300, too_old},
        {"1", NOW, NULL},
        {"999999999999", 300, too_new},
        {"4294967296", 300, too_new}, /* 2^32 */
        {"6058857676", 300, too_new}, /* 2^32 + now: no wrap-around */
    };
    struct delivery d;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        is_str(parse_timestamp(&d, bad[i], 300), bad_timestamp, "timestamp %zu is malformed",
               i + 1);
        is_str(d.id, ID, "the id is there for the log");
        ok(d.timestamp[0] == '\0' && d.when == 0, "the timestamp is not");
    }
    for (size_t i = 0; i < sizeof(window) / sizeof(window[0]); i++) {
        is_str(parse_timestamp(&d, window[i].text, window[i].tolerance), window[i].reason,
               "%s, tolerance %d", window[i].text, (int)window[i].tolerance);
        is_str(d.timestamp, window[i].text, "its text");
        is_int(d.when, strtoll(window[i].text, NULL, 10), "its value");
        is_str(d.id, ID, "its id");
    }
}

int main(void)
{
    families();
    repeats();
    ids();
    timestamps();
    return done_testing();
}
