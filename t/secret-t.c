/* SPDX-License-Identifier: ISC */
/* Secret files: what is read, what is refused and in which words, and which secret verifies. */
#include "autoconf.h"

#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define KEY_A "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define KEY_B "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
#define KEY_C "plJ3nmyCDGBKInavdOK15jsl"
#define A "whsec_" KEY_A
#define B "whsec_" KEY_B
#define C "whsec_" KEY_C
#define KEY_16 "MDEyMzQ1Njc4OWFiY2RlZg=="

static char directory[4096], file[4200], other[4200], warnings[4096], message[8192];

static void write_file(const char *path, const void *text, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) != 0 || close(fd) != 0) {
        perror(path);
        exit(1);
    }
}

/* Loads the file at path; what is said on standard error meanwhile goes to `warnings`. */
static int load(struct secrets *secrets, const char *path)
{
    int saved = dup(STDERR_FILENO);
    int fd = open(other, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n;
    int rc;

    (void)dup2(fd, STDERR_FILENO);
    strcpy(message, "no message");
    rc = secrets_load(secrets, path, message, sizeof(message));
    (void)dup2(saved, STDERR_FILENO);
    n = pread(fd, warnings, sizeof(warnings) - 1, 0);
    warnings[n > 0 ? n : 0] = '\0';
    (void)close(fd);
    (void)close(saved);
    (void)unlink(other);
    return rc;
}

static int load_text(struct secrets *secrets, const char *text)
{
    write_file(file, text, strlen(text), 0640);
    return load(secrets, file);
}

static void accepted(void)
{
    static const struct {
        const char *what, *text;
        unsigned count, lines[2];
        int64_t expires[2];
    } table[] = {
        {"one line", A "\n", 1, {1}, {0}},
        {"no line end", A, 1, {1}, {0}},
        {"CRLF", A "\r\n" B "\r\n", 2, {1, 2}, {0}},
        {"CRLF and no last line end", A "\r\n" B "\r", 2, {1, 2}, {0}},
        {"byte order mark", "\xef\xbb\xbf" A "\n", 1, {1}, {0}},
        {"comments and empty lines", "# old and new\n\n \t\n  # " C "\n" A "\n\n#\n" B "\n#" C,
         2, {5, 8}, {0}},
        {"comment after a secret", A " # since May\n" B "\t# new\n", 2, {1, 2}, {0}},
        {"blanks and TABs around", " \t" A "\t \n", 1, {1}, {0}},
        {"v1, and no prefix", "v1," A "\n" KEY_B "\n", 2, {1, 2}, {0}},
        {"expires", A "\n" B " expires=2026-12-01T00:00:00Z\n", 2, {1, 2}, {0, 1796083200}},
        {"expires, TAB before, comment and CRLF after", A "\texpires=2100-02-28T23:59:59Z # x\r\n",
         1, {1}, {INT64_C(4107542399)}},
        {"leap day", A " expires=2028-02-29T12:34:56Z\n", 1, {1}, {1835440496}},
        {"leap day of 2000, the first second and the last year",
         A " expires=1970-01-01T00:00:01Z\n" B " expires=9999-12-31T23:59:59Z\n", 2, {1, 2},
         {1, INT64_C(253402300799)}},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct secrets secrets;

        if (!ok(load_text(&secrets, table[i].text) == 0, "accepted: %s", table[i].what))
            diag("%s", message);
        is_int(secrets.count, table[i].count, "%s: number", table[i].what);
        for (size_t k = 0; k < secrets.count; k++) {
            const struct secret *secret = &secrets.list[k];

            is_int(secret->line, table[i].lines[k], "%s: line", table[i].what);
            is_int(secret->expires, table[i].expires[k], "%s: expiry", table[i].what);
            ok(secret->fingerprint != 0 &&
                   secret->fingerprint == signature_key_fingerprint(&secret->key),
               "%s: fingerprint", table[i].what);
        }
        secrets_release(&secrets);
    }
}

static void refused(void)
{
    static const char unknown[] =
        "unknown word after the secret; only expires=TIME may follow it";
    static const char time_form[] = "expires= is no time in UTC like 2026-12-01T00:00:00Z";
    static const char outside[] = "secret holds a character outside base64";
    static const struct {
        const char *text;
        unsigned line;
        const char *reason;
    } table[] = {
        {"whsec_\n", 1, "secret is empty"},
        {"\n\nwhsec_!!!!\n", 3, outside},
        {"secret = " A "\n", 1, "secret is shorter than 16 bytes"},
        {"KEY=" A "\n", 1, outside},
        {A "#comment\n", 1, outside},
        {A ";comment\n", 1, outside},
        {A "\xc2\xa0\n", 1, outside},
        {"\n\xef\xbb\xbf" A "\n", 2, outside},
        {A "\n" "whsk_" KEY_B "\n", 2,
         "secret is asymmetric (whsk_, whpk_); only whsec_ secrets are supported"},
        {A "\n" "WHSEC_" KEY_B "\r\n", 2, "secret has a prefix that is not lower case"},
        {"whsec_" A "\n", 1, "secret has the prefix whsec_ twice"},
        {"whsec_MDEyMzQ1Njc4OWFiY2Rl\n", 1, "secret is shorter than 16 bytes"},
        {A "\r" B "\n", 1, "secret holds white space"},
        {A " " B "\n", 1, unknown},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZI o2LaLaSw\n", 1, unknown},
        {A " expired=2026-12-01T00:00:00Z\n", 1, unknown},
        {A " Expires=2026-12-01T00:00:00Z\n", 1, unknown},
        {A " expires 2026-12-01T00:00:00Z\n", 1, unknown},
        {A " expires=2026-12-01T00:00:00Z never\n", 1, unknown},
        {A " expires=2026-12-01T00:00:00Z expires=2027-12-01T00:00:00Z\n", 1,
         "expires= is given twice"},
        {"expires=2026-12-01T00:00:00Z\n", 1, outside},
        {A " expires=\n", 1, time_form},
        {A " expires= 2026-12-01T00:00:00Z\n", 1, time_form},
        {A " expires=2026-12-01\n", 1, time_form},
        {A " expires=2026-12-01 00:00:00Z\n", 1, time_form},
        {A " expires=2026-12-01T00:00:00\n", 1, time_form},
        {A " expires=2026-12-01T00:00:00z\n", 1, time_form},
        {A " expires=2026-12-01t00:00:00Z\n", 1, time_form},
        {A " expires=2026-12-01T00:00:00+00:00\n", 1, time_form},
        {A " expires=2026-12-01T00:00:00.5Z\n", 1, time_form},
        {A " expires=2026-12-1T00:00:00.0Z\n", 1, time_form},
        {A " expires=2026-12-01T00:00:00Zx\n", 1, time_form},
        {A " expires=+026-12-01T00:00:00Z\n", 1, time_form},
        {A " expires=0026-12-01T00:00:00Z\n", 1, time_form},
        {A " expires=2026-13-01T00:00:00Z\n", 1, time_form},
        {A " expires=2026-00-01T00:00:00Z\n", 1, time_form},
        {A " expires=2026-12-00T00:00:00Z\n", 1, time_form},
        {A " expires=2026-12-32T00:00:00Z\n", 1, time_form},
        {A " expires=2026-11-31T00:00:00Z\n", 1, time_form},
        {A " expires=2026-02-29T00:00:00Z\n", 1, time_form},
        {A " expires=2100-02-29T00:00:00Z\n", 1, time_form},
        {A " expires=2026-12-01T24:00:00Z\n", 1, time_form},
        {A " expires=2026-12-01T00:60:00Z\n", 1, time_form},
        {A " expires=2026-12-31T23:59:60Z\n", 1, time_form},
        {A " expires=1970-01-01T00:00:00Z\n", 1, time_form},
        {A " expires=1969-12-31T23:59:59Z\n", 1, time_form},
        {A "\n" B "\n\n" A "\n", 4, "secret is the same as in line 1"},
        {A "\n" B "\nv1,whsec_" KEY_B " expires=2030-01-01T00:00:00Z\n", 3,
         "secret is the same as in line 2"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct secrets secrets;
        char want[sizeof(file) + 256];

        ok(load_text(&secrets, table[i].text) == -1 && secrets.list == NULL && secrets.count == 0,
           "refused: file %zu", i + 1);
        (void)snprintf(want, sizeof(want), "%s:%u: %s", file, table[i].line, table[i].reason);
        is_str(message, want, "the message about file %zu", i + 1);
    }
}

static void whole_files(void)
{
    static const char *const none[] = {"", "\n", "\n\r\n \n", "# " A "\n", "\xef\xbb\xbf", "#"};
    static char big[SECRET_FILE_MAX + 1];
    struct secrets secrets;
    char want[sizeof(file) + 256];

    (void)snprintf(want, sizeof(want), "'%s' holds no secret", file);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        is_int(load_text(&secrets, none[i]), -1, "a file without a secret, %zu", i + 1);
        is_str(message, want, "is told so");
    }

    write_file(file, A "\n" B "\0\n", sizeof(A "\n" B "\0\n") - 1, 0600);
    is_int(load(&secrets, file), -1, "a NUL is refused");
    (void)snprintf(want, sizeof(want), "%s:2: holds a NUL byte", file);
    is_str(message, want, "with its line");

    memset(big, '\n', sizeof(big));
    memcpy(big + sizeof(big) - 1 - strlen(A), A, strlen(A));
    write_file(file, big, sizeof(big) - 1, 0600);
    is_int(load(&secrets, file), 0, "64 KiB are read");
    is_int(secrets.list[0].line, SECRET_FILE_MAX - (int)strlen(A) + 1, "to the last line");
    secrets_release(&secrets);
    write_file(file, big, sizeof(big), 0600);
    is_int(load(&secrets, file), -1, "one byte more is refused");
    (void)snprintf(want, sizeof(want), "'%s' is larger than 64 KiB", file);
    is_str(message, want, "and why");
}

static void many(void)
{
    struct secrets secrets;
    char text[17 * 64] = "", want[sizeof(file) + 256];

    for (char c = 'a'; c < 'a' + 16; c++)
        (void)sprintf(text + strlen(text), "whsec_%cfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", c);
    is_int(load_text(&secrets, text), 0, "16 secrets are accepted");
    is_int(secrets.count, 16, "all of them");
    is_str(warnings, "", "without a word");
    secrets_release(&secrets);
    ok(secrets.list == NULL && secrets.count == 0, "released secrets are empty");
    secrets_release(&secrets);

    strcat(text, A "\n");
    is_int(load_text(&secrets, text), -1, "17 are refused");
    (void)snprintf(want, sizeof(want), "%s:17: more than 16 secrets", file);
    is_str(message, want, "and why");

    is_int(secrets_load(&secrets, file, want, 8), -1, "a short buffer for the message is enough");
    is_int(strlen(want), 7, "and is not overrun");
}

static void modes(void)
{
    static const struct {
        mode_t mode;
        const char *fault; /* NULL: accepted */
    } table[] = {
        {0600, NULL},
        {0640, NULL},
        {0400, NULL},
        {0440, NULL},
        {0700, NULL},
        {0644, "readable by others (mode 0644)"},
        {0604, "readable by others (mode 0604)"},
        {0666, "readable by others (mode 0666)"},
        {0602, "writable by others (mode 0602)"},
        {0601, "executable by others (mode 0601)"},
        {0660, "writable by its group (mode 0660)"},
        {0620, "writable by its group (mode 0620)"},
        {04644, "readable by others (mode 4644)"},
    };
    struct secrets secrets;
    char want[sizeof(file) + 256];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        (void)unlink(file);
        write_file(file, A "\n", strlen(A "\n"), table[i].mode);
        is_int(load(&secrets, file), table[i].fault == NULL ? 0 : -1, "mode %04o",
               (unsigned)table[i].mode);
        if (table[i].fault == NULL)
            (void)strcpy(want, "no message");
        else
            (void)snprintf(want, sizeof(want), "'%s' is %s; chmod 0640", file, table[i].fault);
        is_str(message, want, "and what is said");
        secrets_release(&secrets);
    }
    (void)unlink(file);
}

/* A link's own mode says nothing; that of the file behind it counts. */
static void kinds(void)
{
    struct secrets secrets;
    char want[sizeof(file) + 256], link[sizeof(file)];

    (void)snprintf(want, sizeof(want), "cannot open '%s': %s", file, strerror(ENOENT));
    is_int(load(&secrets, file), -1, "a missing file");
    is_str(message, want, "is told so");
    ok(secrets.list == NULL && secrets.count == 0, "and nothing is loaded");

    (void)snprintf(want, sizeof(want), "'%s' is not a regular file", directory);
    is_int(load(&secrets, directory), -1, "a directory");
    is_str(message, want, "is told so");

    is_int(mkfifo(file, 0600), 0, "a FIFO nobody writes to");
    (void)snprintf(want, sizeof(want), "'%s' is not a regular file", file);
    is_int(load(&secrets, file), -1, "is refused without waiting");
    is_str(message, want, "and told so");
    (void)unlink(file);

    (void)snprintf(link, sizeof(link), "%s/link", directory);
    is_int(symlink("secret file", link), 0, "a symbolic link");
    write_file(file, A "\n", strlen(A "\n"), 0640);
    is_int(load(&secrets, link), 0, "is followed");
    secrets_release(&secrets);
    write_file(file, A "\n", strlen(A "\n"), 0644);
    is_int(load(&secrets, link), -1, "to the mode of the file behind it");
    (void)snprintf(want, sizeof(want), "'%s' is readable by others (mode 0644); chmod 0640", link);
    is_str(message, want, "and the message has the name that was asked for");
    (void)unlink(link);
    (void)unlink(file);
}

static void warned(void)
{
    struct secrets secrets;
    char want[sizeof(file) + 256];

    is_int(load_text(&secrets, A "\n" C "\nwhsec_" KEY_16 "\n"), 0, "16 bytes are accepted");
    (void)snprintf(want, sizeof(want), "%s:3: secret has 16 bytes; senders use 24 to 64\n", file);
    ok(strstr(warnings, strrchr(want, '/')) != NULL, "and warned of, with the line");
    ok(strstr(warnings, ":2: secret has 18 bytes;") != NULL, "18 bytes as well");
    ok(strstr(warnings, ":1:") == NULL, "24 are not");
    ok(strstr(warnings, "MDEy") == NULL, "no secret is told");
    secrets_release(&secrets);

    is_int(load_text(&secrets, A " expires=2001-01-01T00:00:00Z\n" B
                               " expires=2002-01-01T00:00:00Z\n"), 0,
           "expired secrets are kept");
    is_int(secrets.count, 2, "both");
    ok(strstr(warnings, "every secret in it has expired") != NULL, "and warned of");
    secrets_release(&secrets);

    is_int(load_text(&secrets, A " expires=2001-01-01T00:00:00Z\n" B "\n"), 0,
           "one that is left");
    is_str(warnings, "", "is enough");
    secrets_release(&secrets);
}

static int verify(const struct secrets *secrets, int64_t now, const char *list)
{
    static const char body[] = "{\"test\": 2432232314}";
    int error = -1;
    const struct secret *match =
        secrets_verify(secrets, now, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body,
                       strlen(body), list, strlen(list), &error);

    if (error != 0)
        return -error;
    return match != NULL ? (int)match->line : 0;
}

#define BY_A "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define BY_B "v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44="
#define BY_C "v1,3Q7B9pz3SlC1/gG4UJ269Qj4TLRRQk5tdhkvlUuj234="

static void verified(void)
{
    const int64_t end = 1796083200; /* 2026-12-01T00:00:00Z */
    struct secrets secrets, none = {NULL, 0};

    is_int(load_text(&secrets, "\n" B "\n" A " expires=2026-12-01T00:00:00Z\n"), 0,
           "the new secret in line 2, the old one in line 3");
    is_int(verify(&secrets, end - 1, BY_B), 2, "signed with the new one");
    is_int(verify(&secrets, end - 1, BY_A), 3, "signed with the old one");
    is_int(verify(&secrets, end - 1, BY_A " " BY_B), 2, "signed with both: the first line's");
    is_int(verify(&secrets, end - 1, BY_B " " BY_A), 2, "in whatever order");
    is_int(verify(&secrets, end - 1, BY_C), 0, "signed with a third: none");
    is_int(verify(&secrets, end - 1, "v1,x v2,y " BY_C " " BY_A), 3, "among others");
    is_int(verify(&secrets, end - 1, ""), 0, "not signed");
    is_int(verify(&secrets, end, BY_A), 0, "the old one ends with its second");
    is_int(verify(&secrets, end + 1, BY_A), 0, "and stays so");
    is_int(verify(&secrets, end, BY_A " " BY_B), 2, "the new one does not");
    is_int(verify(&none, end, BY_A), 0, "no secrets, no match");

    secrets.list[0].key.len = 0; /* no file makes such a key; it stands for a failing library */
    is_int(verify(&secrets, end - 1, BY_C), -EINVAL, "a failure is not called a forgery");
    is_int(verify(&secrets, end - 1, BY_A), 3, "and does not matter when another one matches");
    secrets_release(&secrets);
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(directory, sizeof(directory), "%s/hookspool XXXXXX",
                   tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    (void)snprintf(file, sizeof(file), "%s/secret file", directory);
    (void)snprintf(other, sizeof(other), "%s/stderr", directory);

    accepted();
    refused();
    whole_files();
    many();
    modes();
    kinds();
    warned();
    verified();

    (void)unlink(file);
    (void)rmdir(directory);
    return done_testing();
}
