/* SPDX-License-Identifier: ISC */
#include "autoconf.h"

#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static const char *program = "hookspool";
static bool to_journal;

void log_program(const char *name)
{
    program = name;
    to_journal = getenv("JOURNAL_STREAM") != NULL;
}

static void write_line(const char *level, const char *word, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    const int saved = errno;

    int head = snprintf(line, sizeof(line), "%s%s: %s", to_journal ? level : "", program, word);
    if (head < 0 || (size_t)head >= sizeof(line) / 2)
        head = 0;

    errno = saved; /* so that %m means what the caller saw */
    const int body = vsnprintf(line + head, sizeof(line) - (size_t)head, format, args);
    if (body < 0) {
        errno = saved;
        return;
    }
    size_t len = (size_t)head + (size_t)body;
    if (len >= sizeof(line)) {
        len = sizeof(line) - 1;
        memcpy(line + len - 3, "...", 3);
    }
    for (size_t i = 0; i < len; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e)
            line[i] = '?';
    }
    line[len++] = '\n';

    while (write(STDERR_FILENO, line, len) < 0 && errno == EINTR)
        continue;
    errno = saved;
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("<6>", "", format, args);
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("<4>", "warning: ", format, args);
    va_end(args);
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line("<3>", "", format, args);
    va_end(args);
}
