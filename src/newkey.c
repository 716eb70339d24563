/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "newkey.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "crypto.h"
#include "input.h"
#include "log.h"
#include "secret.h"
#include "sender.h"

enum { LINE_SIZE = 1024 };

int newkey_generate(struct signature_key *key, size_t bytes)
{
    memset(key, 0, sizeof(*key));
    if (sender_random(key->bytes, bytes) < 0)
        return EX_OSERR;
    key->len = bytes;
    return EX_OK;
}

/* The only line that is not empty and no comment; what others may read is no secret any more. */
static int find_key(struct signature_key *key, const char *name, const char *text)
{
    static const char blanks[] = " \t\r\n";
    const char *found = NULL, *why;
    size_t found_len = 0;

    for (const char *at = text; *at != '\0'; at += at[0] == '\n') {
        at += strspn(at, " \t\r");
        const size_t len = strcspn(at, "\n");
        if (len > 0 && *at != '#') {
            if (found != NULL) {
                log_error("%s holds more than one line; the new secret alone is wanted", name);
                return EX_DATAERR;
            }
            found = at;
            found_len = len;
        }
        at += len;
    }
    if (found == NULL) {
        log_error("%s holds no secret", name);
        return EX_DATAERR;
    }
    while (found_len > 0 && strchr(blanks, found[found_len - 1]) != NULL)
        found_len--;
    if (signature_key_parse(key, found, found_len, &why) == 0)
        return EX_OK;
    log_error("%s: secret %s", name, why);
    return EX_DATAERR;
}

static int failed(void)
{
    log_error("cannot read from the terminal: %s", strerror(errno));
    return EX_IOERR;
}

/* A line from the terminal, which does not show it. */
static int read_hidden(char **text, size_t *len)
{
    struct termios shown, hidden;

    *text = calloc(1, LINE_SIZE);
    if (*text == NULL || tcgetattr(STDIN_FILENO, &shown) < 0)
        return failed();
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG); /* a signal would leave it so */
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    (void)dprintf(STDERR_FILENO, "the new secret, as the sender shows it: ");
    const ssize_t n = read(STDIN_FILENO, *text, LINE_SIZE - 1);
    const int error = errno;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    (void)dprintf(STDERR_FILENO, "\n");
    errno = error;
    *len = n > 0 ? (size_t)n : 0;
    return n < 0 ? failed() : EX_OK;
}

int newkey_read(struct signature_key *key, const char *path)
{
    const bool from_file = strcmp(path, "-") != 0;
    struct stat st;
    char *text = NULL;
    size_t len = 0;

    memset(key, 0, sizeof(*key));
    if (from_file && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO) != 0) {
        log_error("'%s' is open to others (mode %04o): chmod 600 it, and if somebody may have "
                  "read it, have the sender make another", path, (unsigned)st.st_mode & 07777U);
        return EX_NOPERM;
    }
    int status = !from_file && isatty(STDIN_FILENO) == 1
                     ? read_hidden(&text, &len)
                     : input_read(path, SECRET_FILE_MAX, &text, &len);
    if (status == EX_OK && memchr(text, '\0', len) != NULL) {
        log_error("%s holds a NUL byte", from_file ? path : "standard input");
        status = EX_DATAERR;
    } else if (status == EX_OK) {
        status = find_key(key, from_file ? path : "standard input", text);
    }
    if (text != NULL)
        crypto_wipe(text, len);
    free(text);
    return status;
}
