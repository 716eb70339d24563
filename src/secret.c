/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "log.h"
#include "when.h"

/* Where the reader is, and where its one complaint goes. */
struct reader {
    const char *path;
    unsigned line; /* 0: the file as a whole */
    char *err;
    size_t errlen;
};

/* A piece of a line, blanks and TABs around it taken off. */
struct word {
    const char *text;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Writes the complaint, after FILE:LINE: when it is about a line. Always -1. */
__attribute__((format(printf, 2, 3)))
static int refuse(const struct reader *r, const char *format, ...)
{
    va_list args;
    int n = 0;

    if (r->line > 0)
        n = snprintf(r->err, r->errlen, "%s:%u: ", r->path, r->line);
    if (n < 0 || (size_t)n >= r->errlen)
        return -1;
    va_start(args, format);
    (void)vsnprintf(r->err + n, r->errlen - (size_t)n, format, args);
    va_end(args);
    return -1;
}

/* Takes the next word off the line; its length is 0 at the end. */
static struct word next_word(struct word *line)
{
    struct word word;

    while (line->len > 0 && is_blank(line->text[0])) {
        line->text++;
        line->len--;
    }
    word = (struct word){line->text, 0};
    while (line->len > 0 && !is_blank(line->text[0])) {
        line->text++;
        line->len--;
        word.len++;
    }
    return word;
}

/* Up to the comment; a `#` inside a word is none, and no secret holds one. */
static size_t without_comment(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '#' && (i == 0 || is_blank(text[i - 1])))
            return i;
    }
    return len;
}

/* 2026-12-01T00:00:00Z and nothing like it. */
static bool parse_time(const struct word *word, int64_t *when)
{
    long nanoseconds;

    return word->len == strlen("2026-12-01T00:00:00Z")
        && when_parse_stamp(word->text, word->len, when, &nanoseconds) && *when > 0;
}

/* What stands after a secret. Words are not repeated in messages: they may be half a secret. */
static int read_options(struct reader *r, struct word *line, struct secret *secret)
{
    static const char expires[] = "expires=";
    const size_t name = sizeof(expires) - 1;

    for (struct word word; (word = next_word(line)).len > 0;) {
        if (word.len < name || memcmp(word.text, expires, name) != 0)
            return refuse(r, "unknown word after the secret; only expires=TIME may follow it");
        if (secret->expires != 0)
            return refuse(r, "expires= is given twice");
        word.text += name;
        word.len -= name;
        if (!parse_time(&word, &secret->expires))
            return refuse(r, "expires= is no time in UTC like 2026-12-01T00:00:00Z");
    }
    return 0;
}

static int read_line(struct reader *r, struct secrets *secrets, const char *text, size_t len)
{
    struct secret *secret = &secrets->list[secrets->count];
    struct word line, word;
    const char *why;

    if (memchr(text, '\0', len) != NULL)
        return refuse(r, "holds a NUL byte");
    if (len > 0 && text[len - 1] == '\r')
        len--;
    line = (struct word){text, without_comment(text, len)};
    word = next_word(&line);
    if (word.len == 0)
        return 0;
    if (secrets->count == SECRETS_MAX)
        return refuse(r, "more than %d secrets", SECRETS_MAX);
    secret->line = r->line;
    if (signature_key_parse(&secret->key, word.text, word.len, &why) != 0)
        return refuse(r, "secret %s", why);
    if (read_options(r, &line, secret) != 0)
        return -1;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct secret *other = &secrets->list[i];

        if (other->key.len == secret->key.len &&
            memcmp(other->key.bytes, secret->key.bytes, secret->key.len) == 0)
            return refuse(r, "secret is the same as in line %u", other->line);
    }
    secret->fingerprint = signature_key_fingerprint(&secret->key);
    secrets->count++;
    if (secret->key.len < 24 || secret->key.len > 64)
        log_warn("%s:%u: secret has %zu bytes; senders use 24 to 64", r->path, r->line,
                 secret->key.len);
    return 0;
}

static int read_lines(struct reader *r, struct secrets *secrets, const char *text, size_t len)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'}; /* some editors put it first */
    size_t at = len >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0 ? sizeof(mark) : 0;

    for (size_t n; at < len; at += n + 1) {
        const char *end = memchr(text + at, '\n', len - at);

        n = end != NULL ? (size_t)(end - (text + at)) : len - at;
        r->line++;
        if (read_line(r, secrets, text + at, n) != 0)
            return -1;
    }
    r->line = 0;
    return secrets->count > 0 ? 0 : refuse(r, "'%s' holds no secret", r->path);
}

static int check_file(const struct reader *r, int fd)
{
    const char *fault = NULL;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return refuse(r, "cannot stat '%s': %s", r->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(r, "'%s' is not a regular file", r->path);
    if (st.st_mode & S_IROTH)
        fault = "readable by others";
    else if (st.st_mode & S_IWOTH)
        fault = "writable by others";
    else if (st.st_mode & S_IXOTH)
        fault = "executable by others";
    else if (st.st_mode & S_IWGRP)
        fault = "writable by its group";
    if (fault != NULL)
        return refuse(r, "'%s' is %s (mode %04o); chmod 0640", r->path, fault,
                      (unsigned)st.st_mode & 07777U);
    return 0;
}

static ssize_t read_file(const struct reader *r, int fd, char *text, size_t room)
{
    size_t len = 0;
    ssize_t n = 1;

    while (len < room && n != 0) {
        n = read(fd, text + len, room - len);
        if (n < 0 && errno != EINTR)
            return refuse(r, "cannot read '%s': %s", r->path, strerror(errno));
        if (n > 0)
            len += (size_t)n;
    }
    if (len > SECRET_FILE_MAX)
        return refuse(r, "'%s' is larger than %d KiB", r->path, SECRET_FILE_MAX / 1024);
    return (ssize_t)len;
}

/* Fills text with the file. Returns its length, or -1. */
static ssize_t open_and_read(const struct reader *r, char *text, size_t room)
{
    /* O_NONBLOCK: a FIFO is to be refused, not waited for. */
    int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t len = -1;

    if (fd < 0)
        return refuse(r, "cannot open '%s': %s", r->path, strerror(errno));
    if (check_file(r, fd) == 0)
        len = read_file(r, fd, text, room);
    (void)close(fd);
    return len;
}

static bool usable(const struct secret *secret, int64_t now)
{
    return secret->expires == 0 || now < secret->expires;
}

static void warn_if_expired(const struct secrets *secrets, const char *path)
{
    int64_t now = time(NULL);

    for (size_t i = 0; i < secrets->count; i++) {
        if (usable(&secrets->list[i], now))
            return;
    }
    log_warn("'%s': every secret in it has expired", path);
}

int secrets_load(struct secrets *secrets, const char *path, char *err, size_t errlen)
{
    const size_t room = SECRET_FILE_MAX + 1;
    struct reader r = {path, 0, err, errlen};
    char *text = malloc(room);
    ssize_t len;
    int rc = -1;

    *secrets = (struct secrets){calloc(SECRETS_MAX, sizeof(struct secret)), 0};
    if (text == NULL || secrets->list == NULL)
        (void)refuse(&r, "cannot read '%s': %s", path, strerror(ENOMEM));
    else if ((len = open_and_read(&r, text, room)) >= 0)
        rc = read_lines(&r, secrets, text, (size_t)len);
    if (text != NULL)
        crypto_wipe(text, room);
    free(text);
    if (rc == 0)
        warn_if_expired(secrets, path);
    else
        secrets_release(secrets);
    return rc;
}

void secrets_release(struct secrets *secrets)
{
    /* All of it, not count: a line that was refused may have left its key behind the last. */
    if (secrets->list != NULL)
        crypto_wipe(secrets->list, SECRETS_MAX * sizeof(secrets->list[0]));
    free(secrets->list);
    *secrets = (struct secrets){NULL, 0};
}

const struct secret *secrets_verify(const struct secrets *secrets, int64_t now, const char *id,
                                    const char *timestamp, const void *body, size_t len,
                                    const char *list, size_t list_len, int *error)
{
    const struct secret *match = NULL;
    char made[SIGNATURE_TEXT + 1];

    *error = 0;
    for (size_t i = 0; i < secrets->count && match == NULL; i++) {
        const struct secret *secret = &secrets->list[i];

        if (!usable(secret, now))
            continue;
        if (signature_make(&secret->key, id, timestamp, body, len, made) != 0)
            *error = errno;
        else if (signature_listed(made, list, list_len))
            match = secret;
    }
    crypto_wipe(made, sizeof(made));
    if (match != NULL)
        *error = 0;
    return match;
}
