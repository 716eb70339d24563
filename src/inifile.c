/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "inifile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ini.h>

#define BLANKS " \t"

enum { FILE_LIMIT = 1 << 20 };

struct reader {
    const struct inifile_calls *calls;
    void *user;
    const char *at, *end; /* what is left of the text */
    unsigned line;
    bool pending; /* inih has a line that must come back as a setting */
    bool refused; /* some line was a problem */
    bool starved; /* of memory */
};

__attribute__((format(printf, 2, 3)))
static void refuse(struct reader *reader, const char *format, ...)
{
    char text[128];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    reader->refused = true;
    reader->calls->problem(reader->user, reader->line, text);
}

/* "[word name]", writable. Its parts end with a NUL when this is done: word, or NULL. */
static char *split_header(struct reader *reader, char *text, char **name)
{
    char *close = strchr(text, ']');

    if (close == NULL) {
        refuse(reader, "section header without ']'");
        return NULL;
    }
    *close++ = '\0';
    close += strspn(close, BLANKS);
    if (*close != '\0' && *close != ';') {
        refuse(reader, "text behind the section header");
        return NULL;
    }

    char *word = text + 1 + strspn(text + 1, BLANKS);
    *name = word + strcspn(word, BLANKS);
    if (**name != '\0')
        *(*name)++ = '\0';
    *name += strspn(*name, BLANKS);
    for (size_t len = strlen(*name); len > 0 && strchr(BLANKS, (*name)[len - 1]) != NULL;)
        (*name)[--len] = '\0';
    return word;
}

static void take_header(struct reader *reader, const char *line, size_t len)
{
    char *name = NULL;
    char *text = strndup(line, len);

    if (text == NULL) {
        reader->starved = true;
        return;
    }
    const char *word = split_header(reader, text, &name);
    reader->calls->section(reader->user, reader->line, word, name);
    free(text);
}

/* Whether inih is to see the line. */
static bool take_line(struct reader *reader, const char *line, size_t len, size_t room)
{
    size_t indent = 0;

    for (size_t i = 0; i < len; i++) {
        const unsigned char byte = (unsigned char)line[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            refuse(reader, "control byte 0x%02x in column %zu", byte, i + 1);
            return false;
        }
    }
    while (indent < len && (line[indent] == ' ' || line[indent] == '\t'))
        indent++;
    if (indent == len || line[indent] == ';' || line[indent] == '#')
        return false; /* a comment may be longer than inih's buffer */

    if (indent > 0)
        refuse(reader, "line starts with a blank: there are no continuation lines");
    else if (len > room)
        refuse(reader, "line is longer than %zu bytes", room);
    else if (line[0] == '[')
        take_header(reader, line, len);
    else
        reader->pending = true;
    return reader->pending;
}

/*
 * inih's fgets(), which runs just before the handler does for the same line:
 * so it can count for both. Size is that of the buffer in this build of inih.
 */
static char *next_line(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;

    if (reader->pending)
        refuse(reader, "malformed line: expected 'key = value'");
    reader->pending = false;
    if (reader->at == reader->end || reader->starved || size < 3)
        return NULL;

    const char *line = reader->at;
    const char *newline = memchr(line, '\n', (size_t)(reader->end - line));
    size_t len = (size_t)((newline != NULL ? newline : reader->end) - line);
    reader->at = newline != NULL ? newline + 1 : reader->end;
    reader->line++;
    if (len > 0 && line[len - 1] == '\r')
        len--;

    if (!take_line(reader, line, len, (size_t)size - 2))
        len = 0; /* inih sees an empty line instead */
    memcpy(buffer, line, len);
    memcpy(buffer + len, "\n", 2);
    return buffer;
}

/* A line that inih cannot split stays pending, and next_line() refuses it. */
static int handle(void *user, const char *section, const char *key, const char *value
#if INI_HANDLER_LINENO
                  , int line
#endif
)
{
    struct reader *reader = user;

    (void)section; /* inih sees no headers: see inifile.h for what it makes of them */
#if INI_HANDLER_LINENO
    (void)line;
#endif
    if (reader->pending && value != NULL && key[0] != '\0') {
        reader->pending = false;
        reader->calls->setting(reader->user, reader->line, key, value);
    }
    return 1;
}

static int parse(const char *text, size_t len, const struct inifile_calls *calls, void *user)
{
    static const char mark[] = "\xef\xbb\xbf"; /* byte order mark */
    struct reader reader = {.calls = calls, .user = user, .at = text, .end = text + len};

    if (len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
        reader.at += strlen(mark);
    const int bad_line = ini_parse_stream(next_line, &reader, handle, &reader);

    if (reader.starved || bad_line < 0) {
        errno = ENOMEM;
        return -1;
    }
    if (reader.at != reader.end || (bad_line > 0 && !reader.refused))
        refuse(&reader, "inih stopped here");
    return 0;
}

/* Bytes read, at most FILE_LIMIT, or -1. */
static ssize_t read_all(int fd, char *text)
{
    size_t len = 0;

    for (;;) {
        const ssize_t got = TEMP_FAILURE_RETRY(read(fd, text + len, FILE_LIMIT + 1 - len));
        if (got <= 0)
            return got < 0 ? -1 : (ssize_t)len;
        len += (size_t)got;
        if (len > FILE_LIMIT) {
            errno = EFBIG;
            return -1;
        }
    }
}

int inifile_read(const char *path, const struct inifile_calls *calls, void *user)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;

    char *text = malloc(FILE_LIMIT + 1);
    const ssize_t len = text != NULL ? read_all(fd, text) : -1;
    const int done = len >= 0 ? parse(text, (size_t)len, calls, user) : -1;

    const int saved = errno;
    free(text);
    close(fd);
    errno = saved;
    return done;
}
